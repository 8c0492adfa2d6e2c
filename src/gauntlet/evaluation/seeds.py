"""Variance that training itself brings: how far another seed would have moved the metric."""

from __future__ import annotations


def combine(variance: float, df: float, seed_deviation: float, seeds: int, *, models: int = 1) -> tuple[float, float]:
    """Total variance and its Satterthwaite degrees of freedom.

    Var = variance + models * sd^2, df = Var^2 / (variance^2 / df + (models * sd^2)^2 / (seeds - 1)).

    Args:
        variance: sampling variance of the estimate.
        df: its degrees of freedom.
        seed_deviation: standard deviation of the metric over seeds.
        seeds: number of seeds it rests on, at least 2.
        models: number of independently trained models in the statistic.

    Raises:
        ConfigurationError: fewer than two seeds, or a negative deviation.
    """
    raise NotImplementedError
