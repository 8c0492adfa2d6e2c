"""Families of statistics that are decided together: levels, gaps and ratios of groups, differences of models."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gauntlet.evaluation.metrics import Metric
from gauntlet.evaluation.panel import Panel
from gauntlet.evaluation.sample import Floats, Ints
from gauntlet.evaluation.slices import Slice


@dataclass(frozen=True)
class Margin:
    """One side of a comparison, k statistics long: what an interval for it needs.

    Attributes:
        value, variance, df, effective: (k,) arrays as in ``Panel``.
        metrics: (k,) metric of each.
    """

    value: Floats
    variance: Floats
    df: Floats
    effective: Floats
    metrics: tuple[Metric, ...]


@dataclass(frozen=True)
class Family:
    """k statistics with their joint covariance.

    Attributes:
        kind: ``level``, ``gap`` (slice - reference), ``ratio`` (slice / reference) or ``difference`` (model - model).
        metrics: (k,) metric of each statistic.
        slices: (k,) slice of each statistic.
        value: (k,) estimates, in the metric's units (a ratio as a plain ratio).
        covariance: (k, k) of ``value``; for ratios, of their logarithm.
        df: (k,) degrees of freedom.
        support: (k,) independent units of the smaller side.
        rows: (k,) rows of the slice.
        first, second: the two sides; ``second`` is None for levels.
        correlation: (k,) sampling correlation of the two sides; None for levels.
    """

    kind: str
    metrics: tuple[Metric, ...]
    slices: tuple[Slice, ...]
    value: Floats
    covariance: Floats
    df: Floats
    support: Floats
    rows: Ints
    first: Margin
    second: Margin | None = None
    correlation: Floats | None = None

    def __len__(self) -> int:
        return len(self.value)

    @property
    def standard_error(self) -> Floats:
        """(k,) standard errors; for ratios of the logarithm."""
        raise NotImplementedError


def levels(
    panel: Panel, *, model: int = 0, metrics: Sequence[str] | None = None, slices: Sequence[Slice] | None = None
) -> Family:
    """The metrics themselves.

    Args:
        panel: from ``measure``.
        model: which model.
        metrics: names; default all.
        slices: which; default all but complements.
    """
    raise NotImplementedError


def gaps(
    panel: Panel,
    *,
    reference: str = "rest",
    references: dict[str, str] | None = None,
    model: int = 0,
    metrics: Sequence[str] | None = None,
    slices: Sequence[Slice] | None = None,
    ratio: bool = False,
) -> Family:
    """Slice against reference: metric(slice) - metric(reference), or their ratio.

    Args:
        panel: from ``measure``, with ``rest=True`` when the reference is the rest.
        reference: ``rest`` (the slice's complement) or ``all`` (every row, the slice included).
        references: partition name -> level that the other levels of that partition are held against; it wins over
            ``reference``. The reference level itself is left out of the family.
        model: which model.
        metrics: names; default all.
        slices: which; default every slice but all rows.
        ratio: ratios in place of differences; intervals are made on the log scale.

    Raises:
        ConfigurationError: an unknown reference level; the rest asked for but not measured.
    """
    raise NotImplementedError


def differences(
    panel: Panel,
    *,
    challenger: int = 0,
    champion: int = 1,
    metrics: Sequence[str] | None = None,
    slices: Sequence[Slice] | None = None,
) -> Family:
    """Paired differences on the same rows: metric(challenger) - metric(champion)."""
    raise NotImplementedError


def select(family: Family, keep: Sequence[int] | Ints) -> Family:
    """The statistics at these positions, with their part of the covariance."""
    raise NotImplementedError


def with_seed_variance(family: Family, spread: dict[str, tuple[float, int]], *, models: int = 1) -> Family:
    """Add training's own randomness to the sampling variance.

    A fresh training run with another seed would move the metric: Var = sampling + models * sd^2. The sd rests on few
    seeds, so the sum gets Satterthwaite degrees of freedom (``seeds.combine``). The same training run moves all slices
    of a metric together, so the seed variance enters their covariances too (fully correlated within a metric).

    Args:
        family: sampling statistics.
        spread: metric name -> (standard deviation over seeds, number of seeds); metrics without one stay as they are.
        models: how many of the compared models carry that randomness: 1 for a level or when the champion is fixed,
            2 for a difference of two training procedures.
    """
    raise NotImplementedError
