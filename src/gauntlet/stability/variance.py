"""Variance components over a few runs: standard deviations with intervals.

Runs are taken as draws from a normal distribution. The seeds' variance S₁² has k − 1 degrees of freedom and the exact
chi-square interval. Runs with another seed *and* another draw of the training rows have S₂²; what the draw adds is
σ² = E S₂² − E S₁², a difference of two independent mean squares. It has no exact interval; here it is the modified
large-sample one of Ting, Burdick, Graybill, Jeyaratnam & Lu (1990), cut at zero.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from scipy import stats

from gauntlet.evaluation.power import ASSURANCE
from gauntlet.evaluation.sample import Floats
from gauntlet.evaluation.training_variance import Component

_MOST_RUNS = 1_000
"""Largest number of runs that is worth suggesting."""


def spread(values: Sequence[float] | Floats, confidence: float) -> Component:
    """Estimate the standard deviation over runs, with its chi-square interval.

    Args:
        values: one per run, at least two.
        confidence: of the interval, in (0, 1).

    >>> seeds = spread([1.0, 2.0, 3.0], 0.95)
    >>> seeds.deviation, seeds.df, [round(end, 3) for end in seeds.interval]
    (1.0, 2, [0.521, 6.285])
    """
    # The mean of equal values can have rounding errors, which are no spread.
    deviation = float(np.std(values, ddof=1)) if np.ptp(values) > 0 else 0.0
    df = len(values) - 1
    return Component(deviation, df, chi_square_interval(deviation, df, confidence))


def chi_square_interval(deviation: float, df: int, confidence: float) -> tuple[float, float]:
    """s·√(df / χ²) at both tails: exact for normal values. A deviation of 0 has the interval (0, 0)."""
    tail = (1 - confidence) / 2
    low, high = df / stats.chi2.isf(tail, df), df / stats.chi2.ppf(tail, df)
    return deviation * math.sqrt(low), deviation * math.sqrt(high)


def added(total: Component, seed: Component, confidence: float) -> Component:
    """Estimate the spread that resampling adds to that of seeds: √max(S₂² − S₁², 0) with its interval.

    Args:
        total: spread over runs with another seed and resampled rows each.
        seed: spread over runs with another seed each.
        confidence: of the interval.
    """
    tail = (1 - confidence) / 2
    first, second = total.deviation**2, seed.deviation**2
    estimate = first - second
    below = _margin(first, total.df, second, seed.df, tail)
    above = _margin(second, seed.df, first, total.df, tail)
    ends = (_root(estimate - below), _root(estimate + above))
    return Component(_root(estimate), 0, ends)


def _margin(plus: float, plus_df: int, minus: float, minus_df: int, tail: float) -> float:
    """Distance from the estimate of E[plus] − E[minus] to its lower limit.

    G = 1 − 1/F(tail; n₁, ∞), H = 1/F(1 − tail; n₂, ∞) − 1, and the joint term from F(tail; n₁, n₂). The upper limit is
    the lower one of the reversed difference.
    """
    g = 1 - plus_df / stats.chi2.isf(tail, plus_df)
    h = minus_df / stats.chi2.ppf(tail, minus_df) - 1
    f = stats.f.isf(tail, plus_df, minus_df)
    joint = ((f - 1) ** 2 - (g * f) ** 2 - h**2) / f
    return math.sqrt(max((g * plus) ** 2 + (h * minus) ** 2 + joint * plus * minus, 0.0))


def runs_to_decide(deviation: float, runs: int, cap: float, confidence: float) -> int | None:
    """How many new runs decide in seven of ten cases, as far as these can know.

    As ``rows_needed``: with ν degrees of freedom behind the deviation s, the one of m + 1 new runs is s · √F(m, ν)
    (Jeffreys' prior of a normal variance), and decides where its chi-square interval clears the cap on either side.

    Args:
        deviation: s, above 0.
        runs: at least two.
        cap: the limit of the deviation, above 0.
        confidence: of the interval.

    Returns:
        At least ``runs``; ``None`` beyond 1,000.
    """
    df = np.arange(runs - 1, _MOST_RUNS)
    tail = (1 - confidence) / 2
    ratio = (cap / deviation) ** 2 / df
    kept = stats.f.cdf(ratio * stats.chi2.ppf(tail, df), df, runs - 1)
    broken = stats.f.sf(ratio * stats.chi2.isf(tail, df), df, runs - 1)
    assured = kept + broken >= ASSURANCE
    return int(df[assured.argmax()]) + 1 if assured.any() else None


def _root(variance: float) -> float:
    return math.sqrt(max(variance, 0.0))
