"""What is agreed about a set of features: names, order, types, missing values, categories, fitted state.

A model's contract is what its signature and Gauntlet's encoder declare that it *reads*. A transform's, and a store's,
is what can be observed of the rows that it *gives*. ``contract_changes.compare_contracts`` compares two of a kind.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from gauntlet.data.columns import kind_of, reduce_type
from gauntlet.digest import digest_json
from gauntlet.errors import DataError
from gauntlet.model_digest import MLMODEL_FILE
from gauntlet.training import bundle

if TYPE_CHECKING:
    import pyarrow as pa

Side = Literal["reads", "gives"]
MOST_CATEGORIES = 1_000
"""A text column with more values than this has no domain to compare."""

_MLFLOW_TYPES = {
    "double": "float",
    "float": "float",
    "long": "int",
    "integer": "int",
    "boolean": "bool",
    "string": "string",
    "datetime": "timestamp",
}


@dataclass(frozen=True)
class Terms:
    """What is agreed about one feature.

    Attributes:
        name: the feature.
        type: ``int | float | string | bool | timestamp``; empty where every row lacks a value.
        required: declared that it may not be missing; ``None`` where nobody declared anything.
        rows: rows it was observed in; 0 for a declaration.
        missing: how many of them lack a value.
        categories: category → rows it was seen in (0 for a declaration), in the order of their codes where they have
            any; ``None`` for a quantity, or too many to be a domain.
    """

    name: str
    type: str
    required: bool | None = None
    rows: int = 0
    missing: int = 0
    categories: Mapping[str, int] | None = None


@dataclass(frozen=True)
class FeatureContract:
    """The features of one party.

    Attributes:
        owner: who it is, in a sentence: ``the candidate``, ``the store``.
        side: whether it reads the features (a model) or gives them (a transform, a store).
        terms: the features, in their order.
        state: digest of what the features' code has learned; empty where nobody knows.
    """

    owner: str
    side: Side
    terms: Mapping[str, Terms] = field(default_factory=dict)
    state: str = ""


def contract_of_model(folder: Path, owner: str) -> FeatureContract:
    """What a model declares that it reads. Nothing of the model is run.

    Args:
        folder: an MLflow model folder.
        owner: what to call it.

    Raises:
        DataError: no model there, or one that declares no inputs.
    """
    import yaml

    encoder = folder / "data" / bundle.DATA / bundle.ENCODER_FILE
    try:
        if encoder.is_file():
            document = json.loads(encoder.read_text())
            return FeatureContract(owner, "reads", _by_name(map(_encoded, document["features"])), _state(document))
        signature = yaml.safe_load((folder / MLMODEL_FILE).read_text())["signature"]
        inputs = json.loads(signature["inputs"])
        return FeatureContract(owner, "reads", _by_name(map(_signed, inputs)))
    except (OSError, ValueError, KeyError, TypeError, yaml.YAMLError) as error:
        raise DataError(
            f"{owner} does not declare the columns it reads",
            field=str(folder / MLMODEL_FILE),
            value=f"{type(error).__name__}: {error}",
            mend="Log the model with a signature (or an input example) that names its columns",
        ) from error


def contract_of_rows(batches: Iterable[pa.Table | pa.RecordBatch], owner: str, state: str = "") -> FeatureContract:
    """What can be observed of the features in rows; memory does not grow with their number.

    Args:
        batches: the rows, all with the same columns.
        owner: what to call whoever gives them.
        state: digest of what the features' code has learned.

    Raises:
        DataError: a column of a type that is no feature's, or columns that change between batches.
    """
    terms: dict[str, Terms] = {}
    for number, batch in enumerate(batches):
        if number and list(terms) != batch.schema.names:
            raise DataError(f"{owner} gives other columns in some rows", field=owner, mend="Give the same in all")
        for name, column in zip(batch.schema.names, batch.columns, strict=True):
            seen = _observed(name, column)
            terms[name] = _together(terms[name], seen) if name in terms else seen
    return FeatureContract(owner, "gives", terms, state)


def to_json(contract: FeatureContract) -> dict[str, Any]:
    """The contract as a JSON value, for a report or a file beside the features."""
    return {**asdict(contract), "terms": [asdict(one) for one in contract.terms.values()]}


def _state(document: Mapping[str, Any]) -> str:
    """What an encoder has learned: the categories and their codes."""
    learned = [[one["name"], one["categories"]] for one in document["features"] if one["categories"] is not None]
    return digest_json(learned)


def _encoded(one: Mapping[str, Any]) -> Terms:
    categories = None if one["categories"] is None else dict.fromkeys(map(str, one["categories"]), 0)
    return Terms(str(one["name"]), str(one["type"]), bool(one["required"]), categories=categories)


def _signed(one: Mapping[str, Any]) -> Terms:
    kind = str(one["type"])
    return Terms(str(one["name"]), _MLFLOW_TYPES.get(kind, kind), bool(one.get("required", True)))


def _observed(name: str, column: pa.Array | pa.ChunkedArray) -> Terms:
    import pyarrow as pa
    import pyarrow.compute as pc

    array = reduce_type(column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column, name)
    kind = kind_of(array.type) or ""
    missing = array.null_count + (pc.sum(pc.is_nan(array)).as_py() or 0 if kind == "float" else 0)
    if kind != "string":
        return Terms(name, kind, None, len(array), missing)
    counted = {one["values"]: one["counts"] for one in pc.value_counts(array.drop_null()).to_pylist()}
    return Terms(name, kind, None, len(array), missing, _domain(counted))


def _together(first: Terms, second: Terms) -> Terms:
    """Two observations of one feature as one. A column without any value takes the other's type."""
    types = {one.type for one in (first, second) if one.type}
    if len(types) > 1 and types != {"int", "float"}:
        raise DataError(
            f"is {first.type} in some rows and {second.type} in others", field=first.name, mend="Give one type"
        )
    kind = "float" if len(types) > 1 else next(iter(types), "")
    total = replace(first, type=kind, rows=first.rows + second.rows, missing=first.missing + second.missing)
    if kind != "string":
        return replace(total, categories=None)
    parts = [one for one in (first, second) if one.type]
    if any(one.categories is None for one in parts):
        return replace(total, categories=None)
    counted: dict[str, int] = {}
    for one in parts:
        for value, rows in (one.categories or {}).items():
            counted[value] = counted.get(value, 0) + rows
    return replace(total, categories=_domain(counted))


def _domain(counted: Mapping[str, int]) -> dict[str, int] | None:
    return dict(sorted(counted.items())) if len(counted) <= MOST_CATEGORIES else None


def _by_name(terms: Iterable[Terms]) -> dict[str, Terms]:
    return {one.name: one for one in terms}
