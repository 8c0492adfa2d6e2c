"""The five column types of a snapshot, and getting there from what files hold.

Text becomes ``int64``, ``double``, ``bool`` or ``timestamp[us, UTC]`` only when no information is lost: ``007`` and
20-digit numbers are codes and stay text.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from gauntlet.data.spelling import PLAIN_SPELLING, Spelling
from gauntlet.errors import DataError

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

ColumnType = Literal["int", "float", "string", "bool", "timestamp"]

LARGEST_EXACT = 2.0**53
"""From here on, not every integer is a double."""
_TRUE = ("true", "1", "1.0")
_FALSE = ("false", "0", "0.0")
"""What booleans are written as, where a column is said to hold them; pandas writes 1.0 beside a missing value."""
_CODE = r"^-?0[0-9xX]"
_LONG_INTEGER = r"^-?[0-9]{19,}$"


def arrow_type(kind: ColumnType) -> pa.DataType:
    """The Arrow type of a snapshot's column type."""
    import pyarrow as pa

    return {
        "int": pa.int64(),
        "float": pa.float64(),
        "string": pa.string(),
        "bool": pa.bool_(),
        "timestamp": pa.timestamp("us", tz="UTC"),
    }[kind]


def kind_of(data_type: pa.DataType) -> ColumnType | None:
    """The column type of a reduced Arrow type; ``None`` for a column of nulls only."""
    import pyarrow as pa

    kinds: dict[Any, ColumnType] = {
        pa.int64(): "int",
        pa.float64(): "float",
        pa.string(): "string",
        pa.bool_(): "bool",
        pa.timestamp("us", tz="UTC"): "timestamp",
    }
    return kinds.get(data_type)


def is_text(data_type: pa.DataType) -> bool:
    """Whether columns of a file's own type reduce to text."""
    from pyarrow import types

    if types.is_dictionary(data_type):
        return is_text(data_type.value_type)
    return bool(types.is_string(data_type) or types.is_large_string(data_type))


def reduce_type(column: pa.Array, shown: str) -> pa.Array:
    """Widen a file's own type to one of the five (``null`` stays ``null``).

    Integers of any width and decimals without a fraction → int64; floats and other decimals → the nearest double; dates
    and timestamps → microseconds, a time without a zone being UTC; dictionary → its values.

    Raises:
        DataError: nested, binary or another type with no place in a snapshot; or a value too large for int64 or a time.
    """
    import pyarrow as pa
    from pyarrow import types

    data_type = column.type
    if types.is_null(data_type) or kind_of(data_type) is not None:
        return column
    if types.is_dictionary(data_type):
        return reduce_type(column.dictionary_decode(), shown)
    if types.is_integer(data_type) or (types.is_decimal(data_type) and data_type.scale <= 0):
        target = pa.int64()
    elif types.is_decimal(data_type):
        return _nearest_doubles(column)
    elif types.is_floating(data_type):
        target = pa.float64()
    elif types.is_large_string(data_type):
        target = pa.string()
    elif types.is_date(data_type):
        return column.cast(pa.timestamp("us")).cast(arrow_type("timestamp"))
    elif types.is_timestamp(data_type):
        return _microseconds(column, shown)
    else:
        nested = types.is_nested(data_type)
        raise DataError(
            "nested columns have no place in a snapshot" if nested else "columns of this type cannot be imported",
            field=shown,
            value=str(data_type),
            mend="Flatten it before importing" if nested else "Write it as text, number, bool or timestamp",
        )
    try:
        return column.cast(target)
    except pa.ArrowInvalid as error:
        raise DataError(
            "has a value too large for a 64-bit integer", field=shown, value=str(error), mend="Write it as text"
        ) from error


def _microseconds(column: pa.Array, shown: str) -> pa.Array:
    """Times of any unit; a part of a microsecond is cut off, and what lies too far away is refused.

    Raises:
        DataError: a time is more than 290,000 years away; most often it is in another unit than the file says.
    """
    import pyarrow as pa

    target = pa.timestamp("us", tz=column.type.tz)
    try:
        return column.cast(target, safe=column.type.unit != "ns").cast(arrow_type("timestamp"))
    except pa.ArrowInvalid as error:
        raise DataError(
            "has a time too far away to be one",
            field=shown,
            value=str(error),
            mend="Write it in the unit that the file says, or as ISO 8601 text",
        ) from error


def _nearest_doubles(column: pa.Array) -> pa.Array:
    """Decimals as doubles: 0.3 is the double that the text ``0.3`` is. Arrow's own cast is off by a bit in places."""
    import pyarrow as pa

    encoded = column.dictionary_encode()
    values = [float(value) for value in encoded.dictionary.to_pylist()]
    return pa.array(values, pa.float64()).take(encoded.indices)


def looks_like_codes(text: pa.Array) -> bool:
    """Whether a number would lose what the text says: leading zeros, hexadecimal, more digits than a number holds.

    A plus sign too, which begins telephone numbers, and which newer versions of Arrow read and older ones do not.
    """
    import pyarrow.compute as pc

    if pc.any(pc.starts_with(text, "+")).as_py():
        return True
    longer = text.filter(pc.greater(pc.binary_length(text), 1))
    zero = pc.or_(pc.starts_with(longer, "0"), pc.starts_with(longer, "-0"))
    if pc.any(pc.match_substring_regex(longer.filter(zero), _CODE)).as_py():
        return True
    long = longer.filter(pc.greater_equal(pc.binary_length(longer), 19))
    return bool(_too_long(long))


def _too_long(text: pa.Array) -> bool:
    import pyarrow as pa
    import pyarrow.compute as pc

    digits = text.filter(pc.match_substring_regex(text, _LONG_INTEGER))
    try:
        pc.cast(digits, pa.int64())
    except pa.ArrowInvalid:
        return True
    return False


def parse_text(text: pa.Array, kind: ColumnType, spelling: Spelling = PLAIN_SPELLING) -> pa.Array | None:
    """Text, written in a way of its own, as a column type, or ``None`` when some value is not of that type."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if kind == "string":
        return text
    if kind == "bool":
        lowered = pc.utf8_lower(text)
        known = pc.is_in(lowered, value_set=pa.array(["true", "false", None]))
        return pc.equal(lowered, "true") if pc.all(known).as_py() is not False else None
    if kind == "timestamp":
        return spelling.times(text) if spelling.time else _parse_time(text)
    plain = spelling.plain_numbers(text)
    return None if plain is None else _cast(plain, arrow_type(kind))


def _cast(text: pa.Array, target: pa.DataType) -> pa.Array | None:
    """Parse text, or ``None``; the first value is tried alone, because refusing a whole column takes Arrow seconds."""
    import pyarrow as pa
    import pyarrow.compute as pc

    try:
        pc.cast(text.slice(0, 1), target)
        return pc.cast(text, target)
    except pa.ArrowInvalid:
        return None


def _parse_time(text: pa.Array) -> pa.Array | None:
    """ISO 8601; without a zone it is UTC. One column is either with zones or without."""
    import pyarrow as pa

    for target in (pa.timestamp("us"), arrow_type("timestamp")):
        parsed = _cast(text, target)
        if parsed is not None:
            return parsed.cast(arrow_type("timestamp"))
    return None


def convert(column: pa.Array, kind: ColumnType, spelling: Spelling = PLAIN_SPELLING) -> pa.Array | None:
    """A raw column, whose text is written in a way of its own, as a column type.

    ``None`` when some value is not of that type.

    More forgiving than inference, because the type was asked for: an ``int`` may be written ``12.0``, a ``bool`` 1, 0,
    1.0 and 0.0.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    target = arrow_type(kind)
    if column.type == target:
        return column
    if pa.types.is_null(column.type):
        return pa.nulls(len(column), target)
    if column.type == pa.string():
        parsed = parse_text(column, kind, spelling)
        if parsed is None and kind == "int":
            as_float = parse_text(column, "float", spelling)
            return None if as_float is None else convert(as_float, "int")
        if parsed is None and kind == "bool":
            known = pc.is_in(pc.utf8_lower(column), value_set=pa.array([*_TRUE, *_FALSE, None]))
            written = pc.is_in(pc.utf8_lower(column), value_set=pa.array(_TRUE))
            return pc.if_else(column.is_valid(), written, None) if pc.all(known).as_py() is not False else None
        return parsed
    if kind == "string":
        return readable_text(column)
    if kind == "timestamp" and spelling.time:
        return spelling.times(column)
    if kind == "float" and column.type in (pa.int64(), pa.bool_()):
        return column.cast(pa.int64()).cast(target, safe=False)
    if kind == "int" and column.type == pa.bool_():
        return column.cast(target)
    if kind == "int" and column.type == pa.float64():
        exact = pc.and_(pc.equal(pc.floor(column), column), pc.less_equal(pc.abs(column), LARGEST_EXACT))
        return column.cast(target, safe=False) if pc.all(exact).as_py() is not False else None
    if kind == "bool" and column.type in (pa.int64(), pa.float64()):
        known = pc.is_in(column, value_set=pa.array([0, 1, None], column.type))
        return pc.equal(column, 1) if pc.all(known).as_py() is not False else None
    return None


def canonical_text(column: pa.Array) -> pa.Array:
    """Text that says the same value in every version of Arrow; the basis of row identity.

    Text is itself; an integer its digits; a double that is an integer of 64 bits reads as that integer, so that a
    column that once turns from int to float keeps its rows' identity, and any other double as ``~`` and its 64 bits
    taken as an integer; a timestamp its microseconds since 1970; a bool ``true`` or ``false``. Nulls stay nulls.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    if column.type == pa.string():
        return column
    if pa.types.is_null(column.type):
        return pa.nulls(len(column), pa.string())
    if column.type == pa.bool_():
        return pc.if_else(column, "true", "false")
    if column.type == pa.float64():
        return _float_text(column)
    return column.cast(pa.int64()).cast(pa.string())


def _float_text(column: pa.Array) -> pa.Array:
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    missing = column.is_null().to_numpy(zero_copy_only=False)
    values = pc.fill_null(column, 0.0).to_numpy(zero_copy_only=False)
    integral = _are_int64(values)
    bits = np.ascontiguousarray(values).view(np.int64)
    numbers = np.where(integral, np.where(integral, values, 0.0).astype(np.int64), bits)
    text = pa.array(numbers, mask=missing).cast(pa.string())
    if integral.all():
        return text
    return pc.if_else(pa.array(integral), text, pc.binary_join_element_wise("~", text, ""))


def _are_int64(values: np.ndarray) -> np.ndarray:
    import numpy as np

    exact: np.ndarray = (np.floor(values) == values) & (values >= -(2.0**63)) & (values < 2.0**63)
    return exact


def readable_text(column: pa.Array) -> pa.Array:
    """The text a person would write for each value, the same in every version of Arrow.

    A double that is an integer of 64 bits is written as one, any other with the fewest digits that are that double and
    no other; a timestamp in ISO 8601, UTC, without a fraction of zeros. Text, integers and bools are canonical.
    """
    import numpy as np
    import pyarrow as pa

    missing = column.is_null().to_numpy(zero_copy_only=False)
    if column.type == pa.float64():
        values = column.fill_null(0.0).to_numpy(zero_copy_only=False)
        texts = [
            str(int(value)) if exact else repr(value)
            for value, exact in zip(values.tolist(), _are_int64(values).tolist(), strict=True)
        ]
        return pa.array(texts, pa.string(), mask=missing)
    if column.type == arrow_type("timestamp"):
        moments = column.cast(pa.int64()).fill_null(0).to_numpy(zero_copy_only=False).view("datetime64[us]")
        written = np.datetime_as_string(moments, unit="us").tolist()
        texts = [f"{moment.rstrip('0').rstrip('.')}Z" for moment in written]
        return pa.array(texts, pa.string(), mask=missing)
    return canonical_text(column)
