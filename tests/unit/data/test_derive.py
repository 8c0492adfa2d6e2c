"""The expression language computes, and does nothing else."""

import math

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gauntlet.data.derive import LONGEST_EXPRESSION, Expression, in_dependency_order
from gauntlet.errors import ConfigurationError, DataError

COLUMNS = {
    "a": pa.array([1, 2, None, 4]),
    "b": pa.array([0.5, 0.0, 2.0, None]),
    "s": pa.array(["north", "south", None, "north"]),
    "t": pa.array([True, False, None, True]),
}


def value(text):
    return Expression(text, "reader.derive.new").evaluate(COLUMNS, 4).to_pylist()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a + 1", [2, 3, None, 5]),
        ("-a * 2 - 1", [-3, -5, None, -9]),
        ("a / 2", [0.5, 1.0, None, 2.0]),
        ("a / b", [2.0, None, None, None]),
        ("1 < a <= 2", [False, True, None, False]),
        ('s == "north"', [True, False, None, True]),
        ("not t", [False, True, None, False]),
        ("t and a > 0", [True, False, None, True]),
        ("t or a < 0", [True, False, None, True]),
        ("(a + 1) * (a - 1)", [0, 3, None, 15]),
        ("b > 0.2 * a", [True, False, None, None]),
    ],
)
def test_what_it_computes(text, expected):
    assert value(text) == expected


def test_and_or_are_decided_without_a_missing_value_where_they_can_be():
    columns = {"x": pa.array([None, None], pa.bool_()), "y": pa.array([True, False])}
    assert Expression("x or y", "f").evaluate(columns, 2).to_pylist() == [True, None]
    assert Expression("x and y", "f").evaluate(columns, 2).to_pylist() == [None, False]


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os')",
        "a.__class__",
        "a[0]",
        "(lambda: a)()",
        "[a for a in (1,)]",
        "a if t else b",
        "f'{a}'",
        "a ** 9",
        "a << 2",
        "a // 2",
        "a @ b",
        "a in (1, 2)",
        "a is None",
        "b'x' == s",
        "(a := 1)",
        "None",
        "1j * a",
        "99999999999999999999 + a",
        "...",
        "{a}",
        "a; b",
        "",
        "a +",
        "a\x00",
        "(" * 300 + "a" + ")" * 300,
        "not " * 200 + "t",
        "-" * 900 + "a",
        "a" * (LONGEST_EXPRESSION + 1),
    ],
)
def test_everything_outside_the_language_is_refused_before_any_data_is_read(text):
    with pytest.raises(ConfigurationError) as caught:
        Expression(text, "reader.derive.new")
    assert caught.value.field == "reader.derive.new"


@given(st.text(max_size=40))
def test_any_text_is_an_expression_or_a_configuration_error(text):
    try:
        names = Expression(text, "f").names
    except ConfigurationError:
        return
    assert all(name.isidentifier() for name in names)


def test_an_unknown_column_is_named_with_the_closest_one():
    with pytest.raises(ConfigurationError, match="Did you mean 'fare'"):
        Expression("tips > fair", "f").evaluate({"tips": COLUMNS["a"], "fare": COLUMNS["b"]}, 4)


@pytest.mark.parametrize("text", ["s > 1", "s + a", "a and t", "not a", "-s"])
def test_types_that_do_not_go_together_are_refused(text):
    with pytest.raises(ConfigurationError, match="do not go together"):
        value(text)


def test_a_constant_is_no_column():
    with pytest.raises(ConfigurationError, match="reads no column"):
        value("1 + 1")


def test_an_integer_that_overflows_is_an_error_and_not_another_number():
    with pytest.raises(DataError, match="too large"):
        Expression("a * a", "f").evaluate({"a": pa.array([2**62])}, 1)


@given(
    st.floats(-1e6, 1e6).filter(lambda number: abs(number) > 1e-3),
    st.floats(-1e6, 1e6).filter(lambda number: abs(number) > 1e-3),
)
def test_arithmetic_agrees_with_python(x, y):
    columns = {"x": pa.array([x]), "y": pa.array([y])}
    for text in ("x + y", "x - y", "x * y", "x / y", "x / y - y * x"):
        (found,) = Expression(text, "f").evaluate(columns, 1).to_pylist()
        assert math.isclose(found, eval(text, {"x": x, "y": y}), rel_tol=1e-12, abs_tol=1e-300)


def test_derived_columns_may_read_each_other_in_any_order_given():
    ordered = in_dependency_order({"c": "b + 1", "b": "a + 1", "d": "c + b"}, "reader.derive")
    assert list(ordered) == ["b", "c", "d"]


def test_a_circle_is_refused():
    with pytest.raises(ConfigurationError, match="circle"):
        in_dependency_order({"c": "b + 1", "b": "c + 1"}, "reader.derive")


@pytest.mark.parametrize("name", ["µ", "ﬁrst", "Å", "ｘ", "x"])
def test_a_name_is_what_is_written(name):
    """Python takes letters that look alike for one: a column called so could not be read, or another was."""
    columns = {"μ": 2, "first": 2, "Å": 2, "x": 2, name: 1}
    found = Expression(f"({name} +\n  {name})", "derive.q")
    assert found.names == {name}
    assert found.evaluate({key: pa.array([value]) for key, value in columns.items()}, 1).to_pylist() == [2]
