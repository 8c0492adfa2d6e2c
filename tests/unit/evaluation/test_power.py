import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from gauntlet.errors import ConfigurationError
from gauntlet.evaluation.power import power, rows_needed, sample_size

probabilities = st.floats(0.01, 0.99)


def test_the_planned_size_is_the_textbook_one():
    # Two-sided, alpha 0.05, power 0.8, half a standard deviation: (1.959964 + 0.841621)² · 4 = 31.4.
    assert sample_size(effect=0.5, deviation=1.0, alpha=0.05, sides=2) == 32


def test_power_is_that_of_the_normal_distribution():
    assert power(effect=0.0, standard_error=1.0, alpha=0.05) == pytest.approx(0.05)
    assert power(effect=0.0, standard_error=1.0, alpha=0.05, sides=2) == pytest.approx(0.05)
    assert power(effect=stats.norm.isf(0.05), standard_error=1.0, alpha=0.05) == pytest.approx(0.5)


@given(
    effect=st.floats(0.001, 2.0),
    deviation=st.floats(0.01, 5.0),
    alpha=st.floats(0.001, 0.2),
    wanted=st.floats(0.3, 0.99),
    sides=st.sampled_from([1, 2]),
)
def test_the_planned_size_reaches_its_power_and_one_row_less_does_not(effect, deviation, alpha, wanted, sides):
    rows = sample_size(effect=effect, deviation=deviation, alpha=alpha, power=wanted, sides=sides)

    def reached(n):
        return power(effect=effect, standard_error=deviation / math.sqrt(n), alpha=alpha, sides=sides)

    assert reached(rows) >= wanted - 1e-9
    if rows > 1 and sides == 1:
        assert reached(rows - 1) < wanted + 1e-9


@pytest.mark.parametrize(
    ("field", "arguments"),
    [
        ("alpha", {"effect": 0.1, "deviation": 1.0, "alpha": 0.0}),
        ("power", {"effect": 0.1, "deviation": 1.0, "alpha": 0.05, "power": 1.0}),
        ("effect", {"effect": 0.0, "deviation": 1.0, "alpha": 0.05}),
    ],
)
def test_a_plan_that_no_size_fulfils_is_refused(field, arguments):
    with pytest.raises(ConfigurationError) as caught:
        sample_size(**arguments)
    assert caught.value.field == field


@given(
    value=st.floats(-1, 1),
    bound=st.floats(-1, 1),
    error=st.floats(0.001, 1),
    rows=st.integers(10, 10_000),
)
def test_at_the_rows_needed_the_interval_just_misses_the_bound(value, bound, error, rows):
    needed = rows_needed(value=value, standard_error=error, bound=bound, rows=rows, critical=1.96)
    if needed is None:  # more rows than a number can say
        assert abs(value - bound) < 1e-100
        return
    assert needed >= rows
    half = 1.96 * error * math.sqrt(rows / needed)
    assert half <= abs(value - bound) * (1 + 1e-9)


@pytest.mark.parametrize(("value", "error"), [(0.5, 0.1), (math.nan, 0.1), (0.7, math.inf)])
def test_no_number_of_rows_settles_a_value_on_the_bound_or_an_unknown_one(value, error):
    assert rows_needed(value=value, standard_error=error, bound=0.5, rows=100, critical=1.96) is None
