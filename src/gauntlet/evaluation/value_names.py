"""Readable names of values: what a team calls ``race=0`` takes the place of 0 in everything that is said of slices."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa

Names = Mapping[str, str]


def named(column: pa.ChunkedArray, names: Names) -> pa.ChunkedArray:
    """A column with its values by their names; a value without one keeps its own, as text. Missing stays missing."""
    import pyarrow as pa
    import pyarrow.compute as pc

    codes = pc.cast(column, pa.string()).combine_chunks().dictionary_encode()
    words = [names.get(value, value) for value in codes.dictionary.to_pylist()]
    return pa.chunked_array([pa.array(words, pa.string()).take(codes.indices)])


def named_reference(reference: Mapping[str, str], names: Mapping[str, Names]) -> dict[str, str]:
    """The values that slices are compared with, by their names, whether they were written by name or as the data do."""
    return {column: names.get(column, {}).get(value, value) for column, value in reference.items()}
