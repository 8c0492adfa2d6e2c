"""Many statistics, one error rate: max-|T| critical values and Holm's step-down."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.linalg.blas import strmm
from scipy.special import ndtri
from scipy.stats import norm, t

from gauntlet.evaluation.sample import Floats

_SEED = 20_240_117
"""Verdicts on the same numbers must be the same, so draws are, unless a generator is given."""
_LARGEST_QUANTILE = 1e6
"""Keeps the quantiles of one degree of freedom finite in the far tail; no interval is that wide."""
_JITTER = 1e-6
"""Added to the diagonal so that perfectly correlated statistics (a slice and its mirror) still have a Cholesky root."""


def critical_value(
    correlation: Floats,
    *,
    confidence: float = 0.95,
    sides: int = 2,
    rng: np.random.Generator | None = None,
    draws: int = 20_000,
) -> float:
    """The c with P(max |Zⱼ| ≤ c) = confidence for standard normal Z with this correlation.

    Monte Carlo: at 20,000 draws c has a standard error of about 0.01. Small-sample corrections are the caller's: a
    statistic with few degrees of freedom takes the t quantile of the same tail probability (``intervals``).

    Args:
        correlation: (k, k), k ≥ 1.
        confidence: family-wise confidence, in (0, 1).
        sides: 2 for max |Z|, 1 for max Z.
        rng: source of the draws; None uses a fixed seed.
        draws: number of draws.

    Returns:
        At least the quantile of a single statistic; at most Šidák's (1967) bound for independent ones, which holds for
        every correlation when two-sided (one-sided: Bonferroni's).
    """
    count = len(correlation)
    alpha = 1 - confidence
    lowest = float(ndtri(1 - alpha / sides))
    highest = float(ndtri((1 + confidence ** (1 / count)) / 2 if sides == 2 else 1 - alpha / count))
    if count == 1:
        return lowest
    generator = np.random.default_rng(_SEED) if rng is None else rng
    root = np.linalg.cholesky((correlation + _JITTER * np.eye(count)) / (1 + _JITTER)).astype(np.float32, order="F")
    largest = np.empty(draws, dtype=np.float32)
    step = max(1, 4_000_000 // count)  # 16 MB of draws at a time
    for start in range(0, draws, step):
        normal = generator.standard_normal((min(step, draws - start), count), dtype=np.float32)
        # Multiplies in place, by the triangle only: half the work of a product with the whole root.
        joint = strmm(1.0, root, normal.T, lower=1, overwrite_b=1)
        largest[start : start + step] = (np.abs(joint) if sides == 2 else joint).max(axis=0)
    return float(np.clip(np.quantile(largest, confidence), lowest, highest))


def student_quantile(critical: Floats, df: Floats) -> Floats:
    """The t quantile whose two-sided tail equals that of ``critical`` under the normal distribution.

    Args:
        critical: (k,) critical values of |z|.
        df: (k,) degrees of freedom; infinite or 0 give ``critical`` back.
    """
    finite = np.isfinite(df) & (df > 0)
    quantile = t.isf(norm.sf(critical), np.where(finite, df, 1.0))
    return np.asarray(np.where(finite, np.minimum(quantile, _LARGEST_QUANTILE), critical))


def holm(p_values: ArrayLike, alpha: float = 0.05) -> tuple[NDArray[np.bool_], Floats]:
    """Holm's (1979) step-down: which hypotheses are rejected with family-wise error alpha, and adjusted p-values.

    Valid for any dependence. NaN p-values are never rejected but count as hypotheses.

    >>> holm([0.01, 0.04, 0.03])[1].tolist()
    [0.03, 0.06, 0.06]
    """
    p = np.asarray(p_values, dtype=np.float64)
    order = np.argsort(np.where(np.isnan(p), np.inf, p), kind="stable")
    steps = np.where(np.isnan(p), 1.0, p)[order] * np.arange(len(p), 0, -1)
    adjusted = np.empty(len(p))
    adjusted[order] = np.minimum(np.maximum.accumulate(steps), 1.0)
    return (adjusted <= alpha) & ~np.isnan(p), np.where(np.isnan(p), np.nan, adjusted)
