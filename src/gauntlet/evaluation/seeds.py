"""Variance that training itself brings: how far another seed would have moved the metric."""

from __future__ import annotations

import numpy as np

from gauntlet.errors import ConfigurationError


def combine(variance: float, df: float, seed_deviation: float, seeds: int, *, models: int = 1) -> tuple[float, float]:
    """Total variance and its Satterthwaite degrees of freedom.

    Var = variance + models · sd², df = Var² / (variance² / df + (models · sd²)² / (seeds - 1)) (Satterthwaite 1946).

    Args:
        variance: sampling variance of the estimate.
        df: its degrees of freedom; may be infinite.
        seed_deviation: standard deviation of the metric over seeds.
        seeds: number of seeds it rests on, at least 2.
        models: number of independently trained models in the statistic.

    Raises:
        ConfigurationError: fewer than two seeds, or a negative deviation.

    >>> combine(1.0, np.inf, 1.0, 3)
    (2.0, 8.0)
    """
    if seeds < 2:
        mend = "Train with at least two seeds, or leave seed variance out"
        raise ConfigurationError("rests on too few seeds", field="seed_spread.seeds", value=seeds, mend=mend)
    if not 0 <= seed_deviation < np.inf:
        raise ConfigurationError(
            "must not be negative, and finite",
            field="seed_spread.standard_deviation",
            value=seed_deviation,
            mend="Measure it again",
        )
    seed_variance = models * seed_deviation**2
    total = variance + seed_variance
    squares = (variance**2 / df if df > 0 else np.inf) + seed_variance**2 / (seeds - 1)
    return total, float(total**2 / squares) if squares > 0 else df
