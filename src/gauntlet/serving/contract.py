"""Input contract of a model: its MLflow signature, read without loading the model, validates every request.

Validation turns JSON values into columns of the declared types, or raises. MLflow's own enforcement rejects an integer
for a ``double`` column, lets an absent optional column fail inside the model, and quotes row data in its messages; this
one does not.
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
from gauntlet.serving.errors import InvalidRequest, TooLarge, json_type, listed, nearest
from gauntlet.serving.values import KINDS, InvalidValue, Kind, is_missing

MOST_ROWS = 10_000
"""Default limit of rows per request; more is batch scoring."""

_FEW = 4  # up to here, parsing values one by one is faster than a type check of all


@dataclass(frozen=True)
class Input:
    """Input column of a model.

    Attributes:
        name: the column's name.
        kind: its MLflow type.
        required: whether the column must be present, without missing values.
    """

    name: str
    kind: Kind
    required: bool


@dataclass(frozen=True)
class Rows:
    """Validated rows, by column.

    Attributes:
        columns: every input of the model in its order → ``count`` Python values of its type; ``None`` if missing.
        count: the number of rows, at least 1.
    """

    columns: Mapping[str, list[Any]]
    count: int


@dataclass(frozen=True)
class InputContract:
    """Input columns of a model and the names of its outputs.

    Attributes:
        inputs: in the signature's order; names are unique.
        outputs: names of the output columns; () if the signature has none.
    """

    inputs: tuple[Input, ...]
    outputs: tuple[str, ...] = ()

    @cached_property
    def by_name(self) -> dict[str, Input]:
        """Inputs by name."""
        return {column.name: column for column in self.inputs}


def read_contract(folder: Path) -> InputContract:
    """Read the contract of an MLflow model folder from its ``MLmodel``, without loading the model.

    Raises:
        DataError: no such file, no signature, or one with other than named scalar columns.
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
    """Build the contract of an ``MLmodel`` document, parsed from YAML.

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
        raise _no_contract("it has no signature, so requests cannot be validated")
    if len({column.name for column in inputs}) < len(inputs):
        raise _no_contract("its signature names a column twice")
    return InputContract(inputs, names if len(names) == len(outputs) else ())


def rows_from_records(contract: InputContract, records: Sequence[Any], *, most_rows: int = MOST_ROWS) -> Rows:
    """Validate rows given as records.

    Args:
        contract: the model's input contract.
        records: one JSON value per row: an object of column → value, or an array of values in the signature's order;
            for a model with one column also the value itself.
        most_rows: limit of rows per request.

    Raises:
        InvalidRequest: a row has another form, lacks a required column, has an unknown one, or a value of another type.
        TooLarge: more rows than allowed.
    """
    _check_count(len(records), most_rows)
    columns: dict[str, list[Any]] = {}
    named = [_record(contract, record, index) for index, record in enumerate(records)]
    for column in contract.inputs:
        columns[column.name] = _column(column, [record.get(column.name) for record in named])
    return Rows(columns, len(records))


def rows_from_columns(
    contract: InputContract, columns: Mapping[str, Sequence[Any]], *, most_rows: int = MOST_ROWS
) -> Rows:
    """Validate rows given as columns; errors as ``rows_from_records``.

    Args:
        contract: the model's input contract.
        columns: column → its values; all of one length.
        most_rows: limit of rows per request.
    """
    _check_names(contract, columns, row=None)
    lengths = {len(values) for values in columns.values()}
    if len(lengths) > 1:
        shortest = min(columns, key=lambda name: len(columns[name]))
        raise InvalidRequest("has fewer values than other columns", field=shortest, mend="Give every column every row")
    count = lengths.pop() if lengths else 0
    _check_count(count, most_rows)
    checked = {column.name: _column(column, columns.get(column.name, [None] * count)) for column in contract.inputs}
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
    """Convert one row to column → value, and check its names."""
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
        return {column.name: value for column, value in zip(contract.inputs, record, strict=True)}
    if len(contract.inputs) == 1:
        return {contract.inputs[0].name: record}
    raise InvalidRequest(
        f"expected an object or an array, found {json_type(record)}", row=row, mend="Give one value for each column"
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
        absent = [column.name for column in contract.inputs if column.required and column.name not in names]
        if absent:
            raise InvalidRequest(
                f"the model needs {'this column' if len(absent) == 1 else 'these columns'}: {listed(absent)}",
                field=absent[0],
                row=row,
                mend="Give every required column",
            )


def _column(column: Input, values: Sequence[Any]) -> list[Any]:
    """Parse the values of a column; skip parsing if one type check shows that all are valid."""
    if len(values) > _FEW:
        present = values if column.required else [value for value in values if value is not None]
        if column.kind.as_is(present):
            return list(values)
    return [_value(column, value, row) for row, value in enumerate(values)]


def _value(column: Input, value: Any, row: int) -> Any:
    if is_missing(value):
        if column.required:
            raise InvalidRequest(
                f"expected {column.kind.expected}, found {json_type(value)}", field=column.name, row=row
            )
        return None
    try:
        return column.kind.read(value)
    except InvalidValue as error:
        reason = f" ({error})" if str(error) else ""
        raise InvalidRequest(
            f"expected {column.kind.expected}, found {json_type(value)}{reason}", field=column.name, row=row
        ) from None
