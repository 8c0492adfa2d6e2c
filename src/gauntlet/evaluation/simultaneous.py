"""Many statistics, one error rate: max-|T| critical values and Holm's step-down."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gauntlet.evaluation.sample import Floats


def critical_value(
    correlation: Floats,
    *,
    confidence: float = 0.95,
    df: float = np.inf,
    sides: int = 2,
    rng: np.random.Generator | None = None,
    draws: int = 20_000,
) -> float:
    """The c with P(max_j |T_j| <= c) = confidence for T multivariate t with this correlation.

    Args:
        correlation: (k, k).
        confidence: family-wise confidence, in (0, 1).
        df: common degrees of freedom; ``inf`` for normal.
        sides: 2 for max |T|, 1 for max T.
        rng: source of the Monte-Carlo draws; None uses a fixed seed.
        draws: number of draws.

    Returns:
        Never below the quantile of a single statistic nor above the Šidák (two-sided) or Bonferroni value.
    """
    raise NotImplementedError


def holm(p_values: ArrayLike, alpha: float = 0.05) -> tuple[NDArray[np.bool_], Floats]:
    """Holm's (1979) step-down: which hypotheses are rejected with family-wise error alpha, and adjusted p-values.

    NaN p-values are never rejected but count as hypotheses.
    """
    raise NotImplementedError
