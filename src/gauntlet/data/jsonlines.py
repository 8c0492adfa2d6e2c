"""JSON lines as batches of typed columns: one object a line, keys are columns, an absent key is a missing value."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any

from gauntlet.data.reader_options import ReaderOptions
from gauntlet.data.readings import read
from gauntlet.errors import DataError

if TYPE_CHECKING:
    import pyarrow as pa

_INT64 = 2**63
MOST_LISTED = 10


def batches(lines: Iterable[str], shown: str, options: ReaderOptions, rows: int) -> Iterator[pa.RecordBatch]:
    """Parse lines, ``rows`` at a time; blank lines are no rows.

    Raises:
        DataError: a line is no JSON object or names a column twice, a value is nested, or a column mixes types within
            a batch; names the line.
    """
    numbered = ((number, line) for number, line in enumerate(lines, start=1) if line.strip())
    while block := list(islice(numbered, rows)):
        yield _batch([(number, _object(line, number, shown)) for number, line in block], shown, options)


def _object(line: str, number: int, shown: str) -> dict[str, Any]:
    try:
        value = _DECODER.decode(line)
    except _RepeatedKeyError as error:
        raise DataError(
            "names a column twice",
            field=f"{shown}: line {number}",
            value=str(error),
            mend="Give each a name of its own at the source",
        ) from error
    except RecursionError as error:
        raise DataError("is nested too deep", field=f"{shown}: line {number}", mend="Flatten it first") from error
    except ValueError as error:
        raise DataError(
            "is not JSON", field=f"{shown}: line {number}", value=line.strip(), mend="Write one JSON object a line"
        ) from error
    if not isinstance(value, dict):
        raise DataError(
            "is not a JSON object", field=f"{shown}: line {number}", value=value, mend="Write one object a line"
        )
    return value


class _RepeatedKeyError(Exception):
    """An object has two values of one name."""


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    columns = dict(pairs)
    if len(columns) < len(pairs):
        names = [name for name, _ in pairs]
        raise _RepeatedKeyError(next(name for name in names if names.count(name) > 1))
    return columns


_DECODER = json.JSONDecoder(object_pairs_hook=_unique)
"""One for all lines: making one for each takes as long as reading it."""


def _batch(objects: list[tuple[int, dict[str, Any]]], shown: str, options: ReaderOptions) -> pa.RecordBatch:
    import pyarrow as pa

    names = list(dict.fromkeys(name for _, value in objects for name in value))
    for name in filter(_is_half, names):
        number = next(number for number, value in objects if name in value)
        raise DataError(
            "the name of a column holds half of a character (a lone surrogate)",
            field=f"{shown}: line {number}",
            value=name,
            mend="Give it another name at the source",
        )
    columns = [_column(name, objects, shown, options) for name in names]
    return pa.RecordBatch.from_arrays(columns, names=names)


def _column(name: str, objects: list[tuple[int, dict[str, Any]]], shown: str, options: ReaderOptions) -> pa.Array:
    import pyarrow as pa

    values = [value.get(name) for _, value in objects]
    kinds = {type(value) for value in values} - {type(None)}
    if str in kinds and (len(kinds) > 1 or all(value is None or _is_missing(value, options) for value in values)):
        values = [None if _is_missing(value, options) else value for value in values]
        kinds = {type(value) for value in values} - {type(None)}
    final = options.rename.get(name.strip(), name.strip())
    if kinds & {dict, list}:
        _refuse("nested columns have no place in a snapshot", name, _is_nested, objects, shown, "Flatten it first")
    answers = kinds == {bool, int} and {*values} <= {None, 0, 1}
    if answers and options.types.get(final) == "bool":
        values, kinds = [value if value is None else bool(value) for value in values], {bool}
    if len(kinds) > 1 and kinds != {int, float}:
        if options.types.get(final) != "string":
            usual = Counter(_family(value) for value in values if value is not None).most_common(1)[0][0]
            others = [value for value in values if value is not None and _family(value) is not usual]
            mend = _mend_mixed(final, usual, others, options, answers=answers)

            def is_other(value: Any) -> bool:
                return _family(value) is not usual and not _is_missing(value, options)

            _refuse("mixes types", name, is_other, objects, shown, mend)
        values = [value if value is None or isinstance(value, str) else _text(value) for value in values]
        kinds = {str}
    if int in kinds and any(map(_is_too_large, values)):
        _refuse("has a value too large for a 64-bit integer", name, _is_too_large, objects, shown, "Write it as text")
    data_type = {bool: pa.bool_(), str: pa.string(), int: pa.int64(), float: pa.float64()}
    kind = float if float in kinds else next(iter(kinds), None)
    if kind is float:
        values = [value if value is None else float(value) for value in values]
    try:
        return pa.array(values, pa.null() if kind is None else data_type[kind])
    except UnicodeEncodeError:
        mend = "Write the whole character, as what made the text has it"
        _refuse("holds half of a character (a lone surrogate)", name, _is_half, objects, shown, mend)
        raise


def _family(value: Any) -> type:
    return float if type(value) is int else type(value)


def _is_missing(value: Any, options: ReaderOptions) -> bool:
    if not isinstance(value, str):
        return False
    return (value.strip() if options.strip_whitespace else value) in options.missing_values


def _mend_mixed(name: str, usual: type, others: list[Any], options: ReaderOptions, *, answers: bool) -> str:
    """What lets the import go on; texts among numbers may be missing values, which keeps the numbers numbers."""
    text = f"reader.types: {json.dumps({name: 'string'}, ensure_ascii=False)}"
    if answers:
        told = json.dumps({name: "bool"}, ensure_ascii=False)
        return f"If they are true and false: reader.types: {told}. To take all as text: {text}"
    words = list(dict.fromkeys(str(value).strip() if options.strip_whitespace else str(value) for value in others))
    if (
        usual is str
        or not all(isinstance(value, str) and read(value) is None for value in others)
        or len(words) > MOST_LISTED
    ):
        return f"Write it the same way everywhere, or set {text}"
    missing = json.dumps([*options.missing_values, *words], ensure_ascii=False)
    return (
        f"Correct it at the source, or read it as missing, in every column: reader.missing_values: {missing}. "
        f"To take all as text: {text}"
    )


def _text(value: Any) -> str:
    """A value among texts, spelt as in a batch of its own type (``gauntlet.data.columns.readable_text``)."""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else json.dumps(value)


def _is_nested(value: Any) -> bool:
    return isinstance(value, dict | list)


def _is_half(value: Any) -> bool:
    return isinstance(value, str) and any("\ud800" <= character <= "\udfff" for character in value)


def _is_too_large(value: Any) -> bool:
    return isinstance(value, int) and not -_INT64 <= value < _INT64


def _refuse(
    message: str,
    name: str,
    wrong: Callable[[Any], bool],
    objects: list[tuple[int, dict[str, Any]]],
    shown: str,
    mend: str,
) -> None:
    """Raise for the first value that is ``wrong``."""
    present = ((number, value[name]) for number, value in objects if value.get(name) is not None)
    number, value = next((number, value) for number, value in present if wrong(value))
    raise DataError(f"column {name}: {message}", field=f"{shown}: line {number}", value=value, mend=mend)
