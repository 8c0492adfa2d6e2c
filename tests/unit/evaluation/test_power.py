import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from gauntlet.errors import ConfigurationError
from gauntlet.evaluation.power import power, rows_needed, sample_size, units_needed

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


# --- Rows that most likely decide ---


@pytest.mark.parametrize(("value", "side"), [(0.03, 1), (-0.03, -1), (0.0, 1), (0.01, 1)])
def test_a_new_sample_of_the_rows_needed_decides_in_seven_of_ten_cases(value, side):
    """Truths drawn about the estimate, new estimates about the truths, and intervals as many times narrower."""
    error, arm, rows = 0.02, 0.05, 500
    interval = (value - arm, value + 2 * arm)  # lopsided: less is shown sooner than more
    needed = rows_needed(value=value, interval=interval, bound=0.0, rows=rows, standard_error=error)
    rng, times = np.random.default_rng(0), needed / rows
    truth = rng.normal(value, error, 400_000)
    estimate = rng.normal(truth, error / math.sqrt(times))
    decided = (estimate > arm / math.sqrt(times)) | (estimate < -2 * arm / math.sqrt(times))
    assert decided.mean() == pytest.approx(0.7, abs=0.004)
    assert side * value >= 0


@given(value=st.floats(-0.9, 0.9), error=st.floats(0.5, 5), rows=st.integers(10, 10_000))
def test_no_value_within_its_interval_takes_more_rows_than_one_on_the_bound(value, error, rows):
    def needed(estimate):
        interval = (estimate - 1.96 * error, estimate + 1.96 * error)
        return rows_needed(value=estimate, interval=interval, bound=0.0, rows=rows, standard_error=error)

    on_the_bound = needed(0.0)
    assert rows <= needed(value) <= on_the_bound
    assert on_the_bound == pytest.approx(24.9 * rows, rel=0.002)
    assert needed(value) == needed(-value)


def test_without_a_standard_error_the_arm_that_crosses_the_bound_stands_for_it():
    known, unknown, none = (
        rows_needed(value=0.01, interval=(-0.0096, 0.5), bound=0.0, rows=100, standard_error=error)
        for error in (0.01, None, 0.0)
    )
    assert known == unknown == none


def test_what_is_not_of_the_rows_no_row_takes_away():
    """A training seed's part: the value lies beyond it, or within it."""
    common = {"interval": (-0.04, 0.08), "bound": 0.0, "rows": 1000, "standard_error": 0.02}
    free = rows_needed(value=0.02, **common)
    held = rows_needed(value=0.02, **common, fixed=(0.01, 0.0))
    assert held is not None
    assert held > 1.5 * free
    assert rows_needed(value=0.02, **common, fixed=(0.03, 0.0)) is None


@pytest.mark.parametrize(
    ("value", "interval"),
    [(math.nan, (0.0, 1.0)), (0.7, (-math.inf, 0.9)), (0.7, (0.7, 0.7)), (0.5, (0.4, math.inf))],
)
def test_nothing_is_said_where_nothing_is_known(value, interval):
    assert rows_needed(value=value, interval=interval, bound=0.5, rows=100) is None


def test_one_side_may_be_without_an_end():
    assert rows_needed(value=0.7, interval=(0.4, math.inf), bound=0.5, rows=100) is not None


# --- Units, in counts ---


def decided(needed, limit, below, above):
    """(needed + 1,) whether so many failures decide."""
    failures = np.arange(needed + 1)
    kept = stats.beta.ppf(above, failures + 1, needed - failures) <= limit
    broken = stats.beta.ppf(1 - below, failures, needed - failures + 1) > limit
    return np.where(failures < needed, kept, False) | (np.where(failures > 0, broken, False))


@pytest.mark.parametrize(
    ("failures", "units", "limit"), [(0, 20, 0.01), (0, 250, 0.01), (1, 100, 0.02), (5, 200, 0.02), (3, 40, 0.05)]
)
def test_a_new_trial_of_the_units_needed_decides_in_seven_of_ten_cases(failures, units, limit):
    needed = units_needed(failures, units, limit, below=0.99, above=0.95)
    assert needed >= units
    chances = stats.betabinom.pmf(np.arange(needed + 1), needed, failures + 0.5, units - failures + 0.5)
    assert chances[decided(needed, limit, 0.99, 0.95)].sum() >= 0.695
    assert len(str(needed).rstrip("0")) <= 2


def test_a_rate_on_the_limit_names_units_as_well():
    assert 2_000 <= units_needed(1, 100, 0.01, below=0.95, above=0.95) <= 3_000


def test_effective_numbers_count_as_units_do():
    assert units_needed(2.0, 100.0, 0.05, below=0.95, above=0.95) == units_needed(2, 100, 0.05, below=0.95, above=0.95)
    assert units_needed(1.7, 99.3, 0.05, below=0.95, above=0.95) >= 100


def test_without_a_failure_the_units_can_show_that_the_limit_is_kept():
    """Of one unit the prior alone would say that a rate near a millionth is out of the question."""
    assert units_needed(0, 1, 0.01, below=0.95, above=0.95) >= 299


def test_beyond_ten_thousand_times_the_units_nothing_is_named():
    assert units_needed(0, 1, 1e-6, below=0.95, above=0.95) is None
