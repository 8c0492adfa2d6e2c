"""Types from text and from files, without losing what the values say."""

from decimal import Decimal

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gauntlet.data.columns import (
    arrow_type,
    canonical_text,
    convert,
    kind_of,
    looks_like_codes,
    parse_text,
    readable_text,
    reduce_type,
)
from gauntlet.data.inference import ColumnSurvey, narrowest
from gauntlet.errors import DataError

UTC = pa.timestamp("us", tz="UTC")


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (["1", "-2", "0"], "int"),
        (["1", "2.5", "-1e-3"], "float"),
        (["true", "False", "TRUE"], "bool"),
        (["2014-01-01", "2014-01-02 10:00:00"], "timestamp"),
        (["2014-01-01T10:00:00Z", "2014-01-01T10:00:00+02:00"], "timestamp"),
        (["north", "1"], "string"),
        (["true", "1"], "string"),
        (["1,234"], "string"),
        (["007", "12"], "string"),
        (["-07"], "string"),
        (["0x10"], "string"),
        (["00.5"], "string"),
        (["0", "0.5", "-0.5", "-0"], "float"),
        (["9223372036854775807"], "int"),
        (["9223372036854775808"], "string"),
        (["12345678901234567890", "1.5"], "string"),
        (["2014"], "int"),
        (["2014-13-01"], "string"),
        (["1_000"], "string"),
        ([" 1"], "string"),
    ],
)
def test_the_narrowest_type_that_says_everything(values, kind):
    assert narrowest(pa.array(values)) == kind


@pytest.mark.parametrize(
    ("batches", "kind"),
    [
        ([["1"], ["2.5"]], "float"),
        ([["2.5"], ["1"]], "float"),
        ([["1"], ["x"]], "string"),
        ([["true"], ["1"]], "string"),
        ([["1"], ["true"]], "string"),
        ([["2014-01-01"], ["2014"]], "string"),
        ([["1"], ["007"]], "string"),
        ([[None], ["1"]], "int"),
        ([[None]], None),
        ([["1.5"], ["true"]], "string"),
    ],
)
def test_the_type_is_decided_over_all_batches(batches, kind):
    survey = ColumnSurvey("x")
    for values in batches:
        survey.see(pa.array(values, pa.string()), "f.csv", is_text=True)
    assert survey.decide() == kind


texts = st.one_of(
    st.integers(-(10**20), 10**20).map(str),
    st.floats(allow_nan=False, allow_infinity=False).map(repr),
    st.sampled_from(["true", "False", "2014-01-01", "x", "007", "-0", "1e5"]),
)


@given(st.lists(texts, min_size=1, max_size=8), st.data())
def test_neither_batches_nor_order_matter(values, data):
    whole = narrowest(pa.array(values))
    survey = ColumnSurvey("x")
    for value in data.draw(st.permutations(values)):
        survey.see(pa.array([value]), "f.csv", is_text=True)
    assert survey.decide() == whole
    assert convert(pa.array(values), whole) is not None


def test_files_with_types_that_disagree_name_both():
    survey = ColumnSurvey("x")
    survey.see(pa.array([1]), "a.parquet", is_text=False)
    survey.see(pa.array([1.5]), "b.parquet", is_text=False)
    assert survey.decide() == "float"
    with pytest.raises(DataError, match=r"c\.parquet: column x is string here and float in b\.parquet"):
        survey.see(pa.array(["one"]), "c.parquet", is_text=False)


@pytest.mark.parametrize(
    ("typed", "text", "kind"),
    [(1, "2", "int"), (1, "2.5", "float"), (1.5, "2", "float"), ("x", "2", "string")],
)
def test_files_with_types_go_together_with_text(typed, text, kind):
    survey = ColumnSurvey("x")
    survey.see(pa.array([typed]), "a.parquet", is_text=False)
    survey.see(pa.array([text]), "b.csv", is_text=True)
    assert survey.decide() == kind


def test_a_number_in_one_file_and_a_word_in_another_do_not():
    survey = ColumnSurvey("x")
    survey.see(pa.array([1]), "a.parquet", is_text=False)
    survey.see(pa.array(["one"]), "b.csv", is_text=True)
    with pytest.raises(DataError, match="reads as string"):
        survey.decide()


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        (pa.array([1, None], pa.int8()), [1, None]),
        (pa.array([1.5], pa.float32()), [1.5]),
        (pa.array([Decimal("1.25")]), [1.25]),
        (pa.array(["a", "b", "a"]).dictionary_encode(), ["a", "b", "a"]),
        (pa.array(["a"], pa.large_string()), ["a"]),
        (pa.array([2**63 - 1], pa.uint64()), [2**63 - 1]),
    ],
)
def test_the_types_of_files_are_reduced(column, expected):
    reduced = reduce_type(column, "f: column x")
    assert reduced.to_pylist() == expected
    assert kind_of(reduced.type) is not None


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
@pytest.mark.parametrize("zone", [None, "UTC", "Europe/Berlin"])
def test_times_are_microseconds_in_utc(unit, zone):
    seconds = pa.array([1_400_000_000]).cast(pa.timestamp("s", tz=zone)).cast(pa.timestamp(unit, tz=zone))
    reduced = reduce_type(seconds, "x")
    assert reduced.type == UTC
    assert reduced.cast(pa.int64()).to_pylist() == [1_400_000_000_000_000]


def test_a_date_is_its_midnight():
    assert reduce_type(pa.array([1], pa.date32()), "x").cast(pa.int64()).to_pylist() == [86_400_000_000]


@pytest.mark.parametrize(
    ("column", "message"),
    [
        (pa.array([[1]]), "nested"),
        (pa.array([{"a": 1}]), "nested"),
        (pa.array([b"x"]), "cannot be imported"),
        (pa.array([1], pa.time32("s")), "cannot be imported"),
        (pa.array([2**64 - 1], pa.uint64()), "too large"),
    ],
)
def test_types_without_a_place_are_named(column, message):
    with pytest.raises(DataError, match=message) as caught:
        reduce_type(column, "f.parquet: column x")
    assert caught.value.field == "f.parquet: column x"


@pytest.mark.parametrize(
    ("values", "kind", "expected"),
    [
        (["12.0", None], "int", [12, None]),
        (["12.5"], "int", None),
        (["1e300"], "int", None),
        (["1", "0.0", "true"], "bool", [True, False, True]),
        (["1", "yes"], "bool", None),
        ([1.0, 0.0], "bool", [True, False]),
        (["1", "0", None], "bool", [True, False, None]),
        (["True", "false"], "bool", [True, False]),
        (["2"], "bool", None),
        (["abc"], "float", None),
        (["1"], "string", ["1"]),
        (["yesterday"], "timestamp", None),
        ([1, 2], "float", [1.0, 2.0]),
        ([1.0, 2.0], "int", [1, 2]),
        ([1.5], "int", None),
        ([1, 0], "bool", [True, False]),
        ([3], "bool", None),
        ([True], "int", [1]),
        ([7, None], "string", ["7", None]),
        ([None], "int", [None]),
    ],
)
def test_a_declared_type_is_met_or_refused(values, kind, expected):
    converted = convert(pa.array(values), kind)
    assert (None if converted is None else converted.to_pylist()) == expected
    assert converted is None or converted.type == arrow_type(kind)


@given(st.lists(st.integers(-(2**53), 2**53), min_size=1))
def test_an_integer_reads_the_same_as_int_float_and_text(values):
    """A column that turns from int to float to string keeps its rows' identity."""
    as_int = canonical_text(pa.array(values, pa.int64())).to_pylist()
    assert as_int == canonical_text(pa.array(values, pa.float64())).to_pylist()
    assert as_int == [str(value) for value in values]


@given(st.lists(st.floats(allow_nan=False), min_size=1, unique=True))
def test_different_numbers_read_differently(values):
    assert len(set(canonical_text(pa.array(values, pa.float64())).to_pylist())) == len(values)


def test_canonical_text_of_the_rest():
    assert canonical_text(pa.array([True, None])).to_pylist() == ["true", None]
    assert canonical_text(pa.array([5], pa.int64()).cast(UTC)).to_pylist() == ["5"]
    assert canonical_text(pa.array([None, 0.5])).to_pylist()[0] is None
    assert canonical_text(pa.nulls(2)).to_pylist() == [None, None]


@pytest.mark.parametrize(
    ("text", "code"), [("0", False), ("0.5", False), ("00", True), ("-0", False), ("10", False), ("+5", True)]
)
def test_leading_zeros_or_a_plus_make_a_code(text, code):
    assert looks_like_codes(pa.array([text])) is code


READABLE = [
    (pa.array([12.5, 8.0, -0.0, 0.1, 1e300, 2.0**60, None]), ["12.5", "8", "0", "0.1", "1e+300", str(2**60), None]),
    (pa.array([True, False, None]), ["true", "false", None]),
    (pa.array([2**62, -1]), [str(2**62), "-1"]),
    (pa.array(["8.0", None]), ["8.0", None]),
    (
        pa.array([0, 1_704_078_000_000_000, 70, -500_000, None], pa.int64()).cast(UTC),
        ["1970-01-01T00:00:00Z", "2024-01-01T03:00:00Z", "1970-01-01T00:00:00.00007Z", "1969-12-31T23:59:59.5Z", None],
    ),
]


@pytest.mark.parametrize(("column", "texts"), READABLE, ids=lambda value: str(getattr(value, "type", "")))
def test_values_as_a_person_writes_them(column, texts):
    assert readable_text(column).to_pylist() == texts
    assert convert(column, "string").to_pylist() == texts


def test_numbers_of_64_bits_are_known_by_their_digits_and_fractions_are_none_of_them():
    values = [2.0**53, 2.0**62, -(2.0**63), 2.0**63, 0.5, 5e-324]
    texts = canonical_text(pa.array(values)).to_pylist()
    assert texts[:3] == [str(2**53), str(2**62), str(-(2**63))]
    assert all(text.startswith("~") for text in texts[3:])


@pytest.mark.parametrize("text", ["2024-01-01T00:00:00", "2024-01-01T00:00:00Z"])
@pytest.mark.parametrize("first", [None, "2024-01-01T00:00:00"])
def test_whether_a_zone_is_named_is_found_whatever_comes_first(first, text):
    parsed = parse_text(pa.array([first, text, text]), "timestamp")
    assert (parsed is None) is (first is not None and text.endswith("Z"))


@pytest.mark.parametrize("data_type", [pa.decimal128(12, 2), pa.decimal128(38, 20), pa.decimal256(60, 30)], ids=str)
def test_a_decimal_is_the_number_that_its_digits_say(data_type):
    """The same rows in CSV and in Parquet are the same rows."""
    texts = [f"{hundredths / 100:.2f}" for hundredths in range(-300, 300)]
    column = pa.array([*map(Decimal, texts), None], data_type)
    assert reduce_type(column, "x").to_pylist() == [*map(float, texts), None]
    assert reduce_type(column.slice(0, 0), "x").type == pa.float64()
