"""Applies the changes of a rule to rows; the number of rows and the types stay, randomness comes from the generator."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from gauntlet.behavior.changes import (
    Add,
    Case,
    Change,
    Noise,
    Scale,
    SetTo,
    Shuffle,
    Step,
    Swap,
    Typo,
    Value,
    Whitespace,
)
from gauntlet.behavior.spelling import in_case, with_spaces, with_typos
from gauntlet.data.columns import convert
from gauntlet.errors import ConfigurationError, DataError

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

_LARGEST_EXACT = 2.0**53


def perturb(rows: pa.Table, changes: Sequence[Change], rng: np.random.Generator) -> pa.Table:
    """Apply changes in order.

    Args:
        rows: the rows, with every column that the changes name, of a snapshot's types.
        changes: the changes.
        rng: source of randomness.

    Returns:
        A table of the same columns, types and number of rows.

    Raises:
        DataError: a number leaves the range of its type.
    """
    columns = {name: rows.column(name).combine_chunks() for name in rows.column_names}
    for change in changes:
        columns |= _changed(change.step, columns, rng)
    import pyarrow as pa

    return pa.table(columns, schema=rows.schema)


def differing(before: pa.Table, after: pa.Table, columns: Sequence[str]) -> np.ndarray:
    """(n,) bool: whether any of the columns differs in a row; nulls are equal."""
    import numpy as np
    import pyarrow.compute as pc

    differ = np.zeros(before.num_rows, dtype=bool)
    for name in columns:
        old, new = before.column(name).combine_chunks(), after.column(name).combine_chunks()
        unequal = pc.fill_null(pc.not_equal(old, new), False)
        half_null = pc.not_equal(old.is_null(), new.is_null())
        differ |= pc.or_(unequal, half_null).to_numpy(zero_copy_only=False)
    return differ


def as_arrow_value(value: Value, target: pa.DataType, field: str) -> pa.Scalar:
    """Convert a value of the file to a column's type.

    Raises:
        ConfigurationError: it is not of the type: text for a number, a fraction for an integer.
    """
    import pyarrow as pa

    if value is None:
        return pa.scalar(None, target)
    text, flag = isinstance(value, str), isinstance(value, bool)
    fits = text == (target == pa.string() or pa.types.is_timestamp(target)) and flag <= (target == pa.bool_())
    if fits:
        try:
            converted = convert(pa.array([value]), _kind(target))
        except (pa.ArrowInvalid, OverflowError):
            converted = None
        if converted is not None and converted.null_count == 0:
            return converted[0]
    kind = _kind(target)
    mend = "Put it in quotes" if kind == "string" else f"Write a value of type {kind}"
    raise ConfigurationError(f"is not of the column's type, {kind}", field=field, value=value, mend=mend)


def _kind(target: pa.DataType) -> Any:
    from gauntlet.data.columns import kind_of

    return kind_of(target)


def _changed(step: Step, columns: dict[str, pa.Array], rng: np.random.Generator) -> dict[str, pa.Array]:
    """Apply one step; return the changed columns."""
    match step:
        case SetTo(column=name, to=value):
            return {name: _repeated(value, columns[name])}
        case Swap(columns=(first, second)):
            return {first: columns[second], second: columns[first]}
        case Swap(column=str(name)):
            return {name: columns[name].take(_pairs(len(columns[name]), rng))}
        case Add(column=name):
            return {name: _add(columns[name], step)}
        case Scale(column=name):
            return {name: _moved(columns[name], lambda values: values * step.by, step)}
        case Noise(column=name):
            draws = rng.standard_normal(len(columns[name]))
            return {name: _moved(columns[name], lambda values: values + draws * _spread(step, values), step)}
        case Shuffle(columns=names, within=within):
            order = _permuted([columns[name] for name in within], len(columns[names[0]]), rng)
            return {name: columns[name].take(order) for name in names}
        case Case(column=name, to=to):
            return {name: in_case(columns[name], to)}
        case Whitespace(column=name, add=where):
            return {name: with_spaces(columns[name], where)}
        case Typo(column=name, slips=slips):
            return {name: with_typos(columns[name], slips, rng)}
    raise AssertionError(step)


def _repeated(value: Value, column: pa.Array) -> pa.Array:
    import pyarrow as pa

    return pa.repeat(as_arrow_value(value, column.type, "to"), len(column))


def _pairs(rows: int, rng: np.random.Generator) -> pa.Array:
    """Pair rows at random; of an odd number of rows one stays unpaired."""
    import numpy as np
    import pyarrow as pa

    order = rng.permutation(rows)
    partner = np.arange(rows)
    first, second = order[0 : rows - 1 : 2], order[1::2]
    partner[first], partner[second] = second, first
    return pa.array(partner)


def _permuted(groups: Sequence[pa.Array], rows: int, rng: np.random.Generator) -> pa.Array:
    """Permute rows at random within groups."""
    import numpy as np
    import pyarrow as pa

    codes = np.zeros(rows, dtype=np.int64)
    for column in groups:
        encoded = column.dictionary_encode(null_encoding="encode").indices.to_numpy(zero_copy_only=False)
        codes = np.unique(np.stack([codes, encoded]), axis=1, return_inverse=True)[1].ravel()
    places = np.argsort(codes, kind="stable")
    order = np.empty(rows, dtype=np.int64)
    order[places] = np.lexsort((rng.random(rows), codes))
    return pa.array(order)


def _add(column: pa.Array, step: Add) -> pa.Array:
    """Add to a column; integers stay exact."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if column.type != pa.int64():
        return _moved(column, lambda values: values + step.by, step)
    try:
        moved = pc.add_checked(column, int(step.by))
    except pa.ArrowInvalid as error:
        raise _beyond(step.column) from error
    if step.min is not None:
        moved = pc.max_element_wise(
            moved, pc.min_element_wise(column, int(step.min), skip_nulls=False), skip_nulls=False
        )
    if step.max is not None:
        moved = pc.min_element_wise(
            moved, pc.max_element_wise(column, int(step.max), skip_nulls=False), skip_nulls=False
        )
    return moved


def _moved(column: pa.Array, move: Any, step: Add | Scale | Noise) -> pa.Array:
    """Apply ``move`` (floats → floats) to a number column, within the step's range, keeping its type."""
    import numpy as np
    import pyarrow as pa

    known = column.is_valid().to_numpy(zero_copy_only=False)
    old = np.where(known, column.cast(pa.float64(), safe=False).fill_null(0.0).to_numpy(zero_copy_only=False), 0.0)
    with np.errstate(over="ignore"):
        new = move(old)
    if step.min is not None:
        new = np.maximum(new, np.minimum(old, step.min))
    if step.max is not None:
        new = np.minimum(new, np.maximum(old, step.max))
    if not np.isfinite(new[known]).all():
        raise _beyond(step.column)
    if column.type == pa.int64():
        new = np.rint(new)
        if (np.abs(new[known]) > _LARGEST_EXACT).any():
            raise _beyond(step.column)
    return pa.array(np.where(known, new, 0.0), mask=~known).cast(column.type)


def _spread(step: Noise, values: np.ndarray) -> Any:
    return step.sd if step.sd is not None else (step.share or 0.0) * abs(values)


def _beyond(column: str) -> DataError:
    return DataError(
        "the change leads out of the range of numbers", field=column, mend="Change it by less, or give min and max"
    )
