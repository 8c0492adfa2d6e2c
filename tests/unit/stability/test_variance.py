"""Spread over few runs: exact where it is exact, and honest about the rest."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gauntlet.evaluation.training_variance import Component
from gauntlet.stability.variance import added, chi_square_interval, runs_to_decide, spread

deviations = st.floats(1e-6, 1e3)
few = st.integers(1, 40)


def test_the_interval_of_a_deviation_is_that_of_the_tables() -> None:
    # Printed tables of chi-square with 9 degrees of freedom: 2.700 at 2.5 %, 19.023 at 97.5 %.
    assert chi_square_interval(1.0, 9, 0.95) == pytest.approx((math.sqrt(9 / 19.023), math.sqrt(9 / 2.700)), rel=1e-4)


def test_values_that_agree_have_no_spread_and_none_is_left_open() -> None:
    assert spread([0.8, 0.8, 0.8], 0.95) == Component(0.0, 2, (0.0, 0.0))


@given(deviation=deviations, df=few)
def test_an_interval_holds_the_deviation_and_scales_with_it(deviation: float, df: int) -> None:
    low, high = chi_square_interval(deviation, df, 0.95)
    assert low < deviation < high
    doubled = chi_square_interval(2 * deviation, df, 0.95)
    assert doubled == pytest.approx((2 * low, 2 * high))


@given(df=few)
def test_more_runs_make_it_narrower(df: int) -> None:
    wide, narrow = chi_square_interval(1.0, df, 0.95), chi_square_interval(1.0, df + 1, 0.95)
    assert narrow[1] - narrow[0] < wide[1] - wide[0]


@given(total=deviations, seed=deviations, first=st.integers(2, 40), second=st.integers(2, 40))
def test_what_a_draw_adds_lies_in_its_interval_and_is_never_negative(
    total: float, seed: float, first: int, second: int
) -> None:
    found = added(Component(total, first, (0, 0)), Component(seed, second, (0, 0)), 0.95)
    assert 0 <= found.interval[0] <= found.deviation + 1e-12
    assert found.deviation <= found.interval[1] * (1 + 1e-9) + 1e-12
    assert found.deviation == pytest.approx(math.sqrt(max(total**2 - seed**2, 0.0)), rel=1e-6, abs=1e-9)


def test_with_a_known_spread_of_seeds_the_difference_has_the_chi_square_interval() -> None:
    """The limit of no seed spread: what is left is the interval of one mean square."""
    found = added(Component(0.5, 9, (0, 0)), Component(0.0, 9, (0, 0)), 0.95)
    assert found.interval == pytest.approx(chi_square_interval(0.5, 9, 0.95))


@pytest.mark.parametrize("cap", [0.5, 0.9, 1.1, 2.0, 4.0])
def test_so_many_runs_decide_and_one_less_does_not(cap: float) -> None:
    """In seven of ten cases: true deviations as likely as these runs leave them, and new runs of each."""
    runs = 8
    needed = runs_to_decide(1.0, runs, cap, 0.95)
    assert needed is not None
    rng = np.random.default_rng(1)

    def decided(runs_then: int) -> float:
        df = runs_then - 1
        truth = np.sqrt((runs - 1) / rng.chisquare(runs - 1, 400_000))
        deviation = truth * np.sqrt(rng.chisquare(df, 400_000) / df)
        low, high = chi_square_interval(1.0, df, 0.95)
        return float(np.mean((deviation * high <= cap) | (deviation * low > cap)))

    assert decided(needed) >= 0.697
    assert needed == runs or decided(needed - 1) < 0.703


def test_a_deviation_on_the_cap_takes_many_runs_but_not_more_than_anybody_trains() -> None:
    found = [runs_to_decide(1.0, runs, 1.0, 0.95) for runs in (5, 20)]
    assert all(
        needed is not None and 10 * runs < needed < 30 * runs for needed, runs in zip(found, (5, 20), strict=True)
    )
    assert runs_to_decide(1.0, 100, 1.0, 0.95) is None


def test_spread_is_the_deviation_of_the_sample() -> None:
    values = np.random.default_rng(0).normal(size=7)
    assert spread(values, 0.95).deviation == pytest.approx(np.std(values, ddof=1))
