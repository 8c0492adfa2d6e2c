"""Confidence intervals and p-values of a family, each on the scale where it covers what it says."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from gauntlet.evaluation.families import Family
from gauntlet.evaluation.sample import Floats


def intervals(
    family: Family, *, confidence: float = 0.95, simultaneous: bool = False, rng: np.random.Generator | None = None
) -> Floats:
    """(k, 2) two-sided confidence intervals.

    One statistic at a time: t quantiles at each statistic's df. Simultaneous: all intervals cover together with the
    confidence asked for (max-|T| over the joint correlation, ``simultaneous.critical_value``).
    NaN where the estimate is undefined.

    Args:
        family: the statistics.
        confidence: in (0, 1). A one-sided test at level alpha reads one end of a 1 - 2 alpha interval.
        simultaneous: whether the family is decided together.
        rng: needed for simultaneous intervals of correlated statistics; None uses a fixed seed, so that a verdict is
            reproducible.
    """
    raise NotImplementedError


def p_values(family: Family, bound: ArrayLike, *, direction: str) -> Floats:
    """(k,) one-sided p-values of "the statistic breaks the bound".

    Args:
        family: the statistics.
        bound: (k,) or scalar limit.
        direction: ``"min"``: tests H0 value <= bound against value > bound (non-inferiority shown when small);
            ``"max"``: H0 value >= bound against value < bound.
    """
    raise NotImplementedError


def wilson(share: ArrayLike, n: ArrayLike, critical: ArrayLike) -> tuple[Floats, Floats]:
    """Score interval of a proportion (Wilson 1927): shares, (effective) sample sizes, critical value of |z| or |t|."""
    raise NotImplementedError


def clopper_pearson(share: ArrayLike, n: ArrayLike, confidence: float) -> tuple[Floats, Floats]:
    """Exact interval of a proportion (Clopper & Pearson 1934) through the beta quantiles; ``n`` may be fractional
    (effective sample size, Korn & Graubard 1998)."""
    raise NotImplementedError
