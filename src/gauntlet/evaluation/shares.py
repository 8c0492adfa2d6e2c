"""Intervals of one share of rows, for arrays of them: by the score, exact, and by the binomial tails in between.

Wilson's score interval takes the tails for normal. At 95 % and ten or more rows of either kind that is close; where
many intervals hold together, each at a tail of a thousandth, few rows of a kind lie beyond it ten or fifty times as
often as it says.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats
from scipy.special import betainc, betaincinv, betaln, ndtr

from gauntlet.evaluation.sample import Floats

_LEAST_PART = 0.5
_FULL_PART_RATE = 10.0
_MOST_STEPS = 8
_NEAR = 1e-10
"""Newton's steps end here. The logarithm of the tail is concave in log p, so that steps from below never pass the
limit; five are enough from a tenth of a row to millions of rows."""
_SMALLEST = 1e-300
_SMALLEST_TAIL = 1e-60
"""Beyond a |z| of 16 limits stay where they are: SciPy does not always find beta quantiles below 1e-80."""


def binomial_limits(share: ArrayLike, n: ArrayLike, critical: ArrayLike) -> tuple[Floats, Floats]:
    """Limits p at which P(more hits) + c · P(as many hits) = one tail of ``critical``, and the same for misses.

    c = 1 is the exact interval (Clopper & Pearson 1934), which errs in at most the tail at each end; c = ½ is the mid-p
    interval (Lancaster 1961; Berry & Armitage 1995), which errs in the tail on average over rates and in up to twice
    the tail at some. A single interval wants the average, a family of intervals none that errs twice as often. So c
    rises with the confidence: ½ up to 95 %, then 1 − 10 α at two tails of α together (¾ at 97.5 %, 0.95 at 99.5 %).

    Args:
        share: observed shares, in [0, 1], or NaN.
        n: sample sizes; fractional where rows are weighted or clustered (effective sizes); 0 gives [0, 1].
        critical: critical values of |z|.

    Returns:
        Low and high, which hold the share; NaN where there is none.

    No hit among 20 rows, one of two hundred intervals and alone:

    >>> low, high = binomial_limits([0, 0], [20, 20], [3.6, 1.959964])
    >>> low.round(3).tolist(), high.round(3).tolist()
    ([0.0, 0.0], [0.354, 0.139])
    """
    p, size, c = np.broadcast_arrays(*(np.asarray(part, dtype=np.float64) for part in (share, n, critical)))
    nothing = np.isnan(p)
    low, high = np.where(nothing, np.nan, 0.0), np.where(nothing, np.nan, 1.0)
    tail = np.maximum(ndtr(-c), _SMALLEST_TAIL)
    part = np.clip(1 - _FULL_PART_RATE * 2 * tail, _LEAST_PART, 1.0)
    hits, misses = p * size, (1 - p) * size
    at = (size > 0) & (hits > 0)
    low[at] = np.minimum(_lower(hits[at], misses[at], tail[at], part[at]), p[at])
    at = (size > 0) & (misses > 0)
    high[at] = np.maximum(1 - _lower(misses[at], hits[at], tail[at], part[at]), p[at])
    return low, high


def _lower(hits: Floats, misses: Floats, tail: Floats, part: Floats) -> Floats:
    """The p with P(X > hits) + part · P(X = hits) = tail, for positive hits.

    P(X ≥ hits) = I_p(hits, misses + 1), continued to fractional counts. Newton's method in log p, from the exact limit.
    """
    a, b = hits, misses + 1
    limit = np.maximum(betaincinv(a, b, tail), _SMALLEST)
    scale = betaln(a, b)
    with np.errstate(divide="ignore", invalid="ignore"):
        for _ in range(_MOST_STEPS):
            density = np.exp(a * np.log(limit) + misses * np.log1p(-limit) - scale)
            beyond = betainc(a, b, limit) - (1 - part) * density / a
            slope = density * (part + (1 - part) * limit / (1 - limit) * misses / a)
            step = np.log(tail / beyond) * beyond / slope
            step = np.where(np.isfinite(step), step, 0.0)
            limit = np.clip(limit * np.exp(step), _SMALLEST, 1.0)
            if (np.abs(step) < _NEAR).all():
                break
    return np.asarray(limit)


def wilson(share: ArrayLike, n: ArrayLike, critical: ArrayLike) -> tuple[Floats, Floats]:
    """Score interval of a proportion (Wilson 1927).

    Args:
        share: observed shares, in [0, 1].
        n: (effective) sample sizes; 0 gives [0, 1].
        critical: critical value of |z| (or |t|).
    """
    p, size, c = (np.asarray(part, dtype=np.float64) for part in (share, n, critical))
    squared = c**2
    known = size > 0
    total = np.where(known, size, 0.0) + squared
    total = np.where(total > 0, total, 1.0)
    centre = (p * size + squared / 2) / total
    half = c / total * np.sqrt(np.maximum(size * p * (1 - p), 0.0) + squared / 4)
    low = np.where(known, np.where(p <= 0, 0.0, np.maximum(centre - half, 0.0)), 0.0)
    high = np.where(known, np.where(p >= 1, 1.0, np.minimum(centre + half, 1.0)), 1.0)
    return low, high


def clopper_pearson(share: ArrayLike, n: ArrayLike, confidence: float = 0.95) -> tuple[Floats, Floats]:
    """Exact interval of a proportion (Clopper & Pearson 1934) by beta quantiles: covers at least what it says.

    Args:
        share: observed shares, in [0, 1].
        n: sample sizes; may be fractional (effective size of weighted or clustered rows, Korn & Graubard 1998).
        confidence: in (0, 1).
    """
    p, size = np.asarray(share, dtype=np.float64), np.asarray(n, dtype=np.float64)
    alpha = 1 - confidence
    hits, misses = p * size, (1 - p) * size
    # 1e-300 stands where a parameter would be 0: beta refuses that, and np.where then takes the other value.
    low = np.where(hits > 0, stats.beta.ppf(alpha / 2, np.maximum(hits, 1e-300), misses + 1), 0.0)
    high = np.where(misses > 0, stats.beta.isf(alpha / 2, hits + 1, np.maximum(misses, 1e-300)), 1.0)
    return low, high
