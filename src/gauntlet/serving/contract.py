"""What a model takes: its MLflow signature, read without loading the model, as a check of every request.

Rows come in as JSON values and leave as whole columns of the declared types, or not at all. MLflow's own enforcement
refuses an integer for a ``double`` column, lets an absent optional column through to fail inside the model, and repeats
row data in its messages; this one does none of it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from gauntlet.errors import DataError
from gauntlet.model_digest import MLMODEL_FILE
from gauntlet.serving.errors import InvalidRequest, TooLarge, found, listed, nearest
from gauntlet.serving.values import KINDS, Kind, Unfit, is_missing

MOST_ROWS = 10_000
"""Rows one request may hold unless the server is told otherwise: more is batch scoring."""

_FEW = 4  # up to here, reading values one by one is quicker than one look at all of them


@dataclass(frozen=True)
class Input:
    """One column that a model takes.

    Attributes:
        name: the column.
        kind: its MLflow type.
        required: it must be given, and no value of it may be missing.
    """

    name: str
    kind: Kind
    required: bool


@dataclass(frozen=True)
class Rows:
    """Checked rows, column by column.

    Attributes:
        columns: every input of the model in its order → ``count`` Python values of its type; ``None`` where missing.
        count: the number of rows, at least 1.
    """

    columns: Mapping[str, list[Any]]
    count: int


@dataclass(frozen=True)
class InputContract:
    """A model's whole input and the names of its outputs.

    Attributes:
        inputs: in the signature's order; names are unique.
        outputs: names of the output columns; () when the signature does not say.
    """

    inputs: tuple[Input, ...]
    outputs: tuple[str, ...] = ()

    @cached_property
    def by_name(self) -> dict[str, Input]:
        """The inputs by name."""
        return {one.name: one for one in self.inputs}


def read_contract(folder: Path) -> InputContract:
    """Read the contract of an MLflow model folder. Reads one text file, loads nothing.

    Raises:
        DataError: no such file, no signature, or one that is not made of named scalar columns.
    """
    import yaml

    path = folder / MLMODEL_FILE
    try:
        document = yaml.safe_load(path.read_text())
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise DataError(
            "is not an MLflow model", field=str(path), value=type(error).__name__, mend="Give a model folder"
        ) from error
    return contract_of(document if isinstance(document, Mapping) else {})


def contract_of(document: Mapping[str, Any]) -> InputContract:
    """The contract of an ``MLmodel`` document, parsed from YAML.

    Raises:
        DataError: as ``read_contract``.
    """
    signature = document.get("signature") or {}
    try:
        columns = json.loads(signature.get("inputs") or "[]")
        outputs = json.loads(signature.get("outputs") or "[]")
        inputs = tuple(_input(column) for column in columns)
        names = tuple(str(column["name"]) for column in outputs if "name" in column)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise _no_contract("its signature cannot be read") from error
    if not inputs:
        raise _no_contract("it has no signature, so no request to it can be checked")
    if len({one.name for one in inputs}) < len(inputs):
        raise _no_contract("its signature names a column twice")
    return InputContract(inputs, names if len(names) == len(outputs) else ())


def rows_from_records(contract: InputContract, records: Sequence[Any], *, most_rows: int = MOST_ROWS) -> Rows:
    """Check rows given one by one.

    Args:
        contract: what the model takes.
        records: one JSON value a row: an object of column → value, or an array of values in the signature's order; for
            a model with one column also the value itself.
        most_rows: how many rows a request may hold.

    Raises:
        InvalidRequest: a row is neither, lacks a required column, has an unknown one, or a value of another type.
        TooLarge: more rows than allowed.
    """
    _check_count(len(records), most_rows)
    columns: dict[str, list[Any]] = {}
    named = [_record(contract, record, index) for index, record in enumerate(records)]
    for one in contract.inputs:
        columns[one.name] = _column(one, [record.get(one.name) for record in named])
    return Rows(columns, len(records))


def rows_from_columns(
    contract: InputContract, columns: Mapping[str, Sequence[Any]], *, most_rows: int = MOST_ROWS
) -> Rows:
    """Check rows given column by column; arguments and errors as ``rows_from_records``.

    Args:
        contract: what the model takes.
        columns: column → its values; all of one length.
        most_rows: how many rows a request may hold.
    """
    _check_names(contract, columns, row=None)
    lengths = {len(values) for values in columns.values()}
    if len(lengths) > 1:
        shortest = min(columns, key=lambda name: len(columns[name]))
        raise InvalidRequest("has fewer values than other columns", field=shortest, mend="Give every column every row")
    count = lengths.pop() if lengths else 0
    _check_count(count, most_rows)
    checked = {one.name: _column(one, columns.get(one.name, [None] * count)) for one in contract.inputs}
    return Rows(checked, count)


def _input(column: Mapping[str, Any]) -> Input:
    kind = KINDS.get(str(column["type"]))
    if kind is None or "name" not in column:
        raise _no_contract(
            "its signature holds a tensor, an unnamed column or a nested type"
            if kind is None
            else "a column has no name"
        )
    return Input(str(column["name"]), kind, bool(column.get("required", True)))


def _no_contract(message: str) -> DataError:
    return DataError(
        message,
        field="signature",
        mend="Log the model with a signature of named scalar columns (infer_signature on a DataFrame gives one)",
    )


def _check_count(count: int, most_rows: int) -> None:
    if not count:
        raise InvalidRequest("the request holds no rows", mend="Send at least one")
    if count > most_rows:
        raise TooLarge(f"the request holds {count} rows; {most_rows} are allowed", mend="Split it, or score in a batch")


def _record(contract: InputContract, record: Any, row: int) -> Mapping[str, Any]:
    """One row as column → value, its names known."""
    if type(record) is dict:
        _check_names(contract, record, row=row)
        return record
    if isinstance(record, (list, tuple)):
        if len(record) != len(contract.inputs):
            raise InvalidRequest(
                f"holds {len(record)} values for {len(contract.inputs)} columns",
                row=row,
                mend="Give one value a column, in the signature's order",
            )
        return {one.name: value for one, value in zip(contract.inputs, record, strict=True)}
    if len(contract.inputs) == 1:
        return {contract.inputs[0].name: record}
    raise InvalidRequest(
        f"expected an object or an array, found {found(record)}", row=row, mend="Give one value for each column"
    )


def _check_names(contract: InputContract, names: Mapping[str, Any], *, row: int | None) -> None:
    known = contract.by_name
    if names.keys() == known.keys():
        return
    for name in names:
        if name not in known:
            raise InvalidRequest(
                "the model takes no such column", field=name, row=row, mend=nearest(name, known, "columns")
            )
    if len(names) < len(known):
        absent = [one.name for one in contract.inputs if one.required and one.name not in names]
        if absent:
            raise InvalidRequest(
                f"the model needs {'this column' if len(absent) == 1 else 'these columns'}: {listed(absent)}",
                field=absent[0],
                row=row,
                mend="Give every required column",
            )


def _column(one: Input, values: Sequence[Any]) -> list[Any]:
    """The values of a column, read; many that need no reading are told by one look at all of them."""
    if len(values) > _FEW:
        present = values if one.required else [value for value in values if value is not None]
        if one.kind.as_is(present):
            return list(values)
    return [_value(one, value, row) for row, value in enumerate(values)]


def _value(one: Input, value: Any, row: int) -> Any:
    if is_missing(value):
        if one.required:
            raise InvalidRequest(f"expected {one.kind.expected}, found {found(value)}", field=one.name, row=row)
        return None
    try:
        return one.kind.read(value)
    except Unfit as error:
        why = f" ({error})" if str(error) else ""
        raise InvalidRequest(
            f"expected {one.kind.expected}, found {found(value)}{why}", field=one.name, row=row
        ) from None
