"""Families of statistics with joint covariance: levels, gaps and ratios of slices, differences of models."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from gauntlet.errors import ConfigurationError
from gauntlet.evaluation.metrics import Metric
from gauntlet.evaluation.panel import Panel
from gauntlet.evaluation.sample import Floats, Ints
from gauntlet.evaluation.seeds import combine
from gauntlet.evaluation.slices import ALL, Slice
from gauntlet.evaluation.tails import Tail

Kind = Literal["level", "gap", "ratio", "difference"]


@dataclass(frozen=True)
class Side:
    """One side of each comparison, as in ``Panel``: (k,) arrays.

    Attributes:
        value, variance, df, support, tail: estimates and what is known of them.
    """

    value: Floats
    variance: Floats
    df: Floats
    support: Floats
    tail: Tail


@dataclass(frozen=True)
class Family:
    """k statistics with their joint covariance.

    Attributes:
        kind: ``level``, ``gap`` (slice - reference), ``ratio`` (slice / reference) or ``difference`` (model - model).
        metrics: (k,) metric of each statistic.
        slices: (k,) slice of each statistic.
        value: (k,) estimates, in the metric's units (a ratio as a plain ratio); NaN where undefined.
        covariance: (k, k) of ``value``; for ratios, of their logarithm.
        df: (k,) degrees of freedom.
        support: (k,) effective number of independent units of the smaller side.
        rows: (k,) rows of the slice.
        first, second: the two sides; ``second`` is None for levels.
        correlation: (k,) sampling correlation of the two sides; 0 for levels.
        seed_variance: (k,) the part of the variance that comes from training, not from the rows.
        clustered: rows share clusters.
    """

    kind: Kind
    metrics: tuple[Metric, ...]
    slices: tuple[Slice, ...]
    value: Floats
    covariance: Floats
    df: Floats
    support: Floats
    rows: Ints
    first: Side
    second: Side | None
    correlation: Floats
    seed_variance: Floats
    clustered: bool

    def __len__(self) -> int:
        return len(self.value)

    @property
    def standard_error(self) -> Floats:
        """(k,) standard errors; for ratios of the logarithm."""
        return np.sqrt(np.maximum(np.diag(self.covariance), 0.0))


def levels(
    panel: Panel, *, model: int = 0, metrics: Sequence[str] | None = None, slices: Sequence[Slice] | None = None
) -> Family:
    """The metrics themselves.

    Args:
        panel: from ``measure``.
        model: which model.
        metrics: names; default all.
        slices: which; default all but complements.

    Raises:
        ConfigurationError: a metric or slice that was not measured.
    """
    chosen = slices if slices is not None else [slice_ for slice_ in panel.slices if not slice_.rest]
    return _family("level", panel, [(slice_, model, slice_, None) for slice_ in chosen], metrics)


def gaps(
    panel: Panel,
    *,
    reference: Literal["rest", "all"] = "rest",
    references: Mapping[str, str] | None = None,
    model: int = 0,
    metrics: Sequence[str] | None = None,
    slices: Sequence[Slice] | None = None,
    ratio: bool = False,
) -> Family:
    """Slice against reference: metric(slice) - metric(reference), or their ratio.

    Args:
        panel: from ``measure``, with ``rest=True`` when the reference is the rest.
        reference: ``rest`` (the slice's complement) or ``all`` (every row, the slice included).
        references: partition name → level that the other levels of that partition are held against; it wins over
            ``reference``. The reference level itself is left out of the family.
        model: which model.
        metrics: names; default all.
        slices: which; default every slice but all rows.
        ratio: ratios in place of differences; intervals are made on the log scale. Only metrics that cannot be
            negative have one; undefined where the reference is 0.

    Raises:
        ConfigurationError: a metric, slice, reference level or complement that was not measured; a ratio of a metric
            that can be negative.
    """
    named = references or {}
    chosen = slices if slices is not None else [s for s in panel.slices if s != ALL and not s.rest]
    pairs = []
    for slice_ in chosen:
        if slice_.partition in named:
            against = Slice(slice_.partition, named[slice_.partition])
        else:
            against = ALL if reference == "all" else replace(slice_, rest=True)
        if against != slice_:
            pairs.append((slice_, model, against, model))
    family = _family("ratio" if ratio else "gap", panel, [(s, a, s, (r, b)) for s, a, r, b in pairs], metrics)
    for metric in family.metrics if ratio else ():
        if metric.low < 0:
            mend = "Compare it by difference"
            raise ConfigurationError("can be negative and has no ratio", field="metric", value=metric.name, mend=mend)
    return family


def differences(
    panel: Panel,
    *,
    challenger: int = 0,
    champion: int = 1,
    metrics: Sequence[str] | None = None,
    slices: Sequence[Slice] | None = None,
) -> Family:
    """Paired differences on the same rows: metric(challenger) - metric(champion).

    Args:
        panel: of both models.
        challenger, champion: their positions in it.
        metrics: names; default all.
        slices: which; default all but complements.

    Raises:
        ConfigurationError: a metric or slice that was not measured.
    """
    chosen = slices if slices is not None else [slice_ for slice_ in panel.slices if not slice_.rest]
    pairs = [(slice_, challenger, slice_, (slice_, champion)) for slice_ in chosen]
    return _family("difference", panel, pairs, metrics)


_Pair = tuple[Slice, int, Slice, tuple[Slice, int] | None]
"""Slice a statistic is named after, model, slice of its first side, (slice, model) of its second."""


def _family(kind: Kind, panel: Panel, pairs: Sequence[_Pair], metrics: Sequence[str] | None) -> Family:
    chosen = [panel.metric_index(name) for name in metrics] if metrics is not None else range(len(panel.metrics))
    at = np.arange(panel.value.size).reshape(panel.value.shape)
    first, second, names, rows, kinds = [], [], [], [], []
    for name, model, slice_, other in pairs:
        index = panel.slice_index(slice_)
        against = None if other is None else (other[1], panel.slice_index(other[0]))
        for metric in chosen:
            first.append(at[model, index, metric])
            second.append(-1 if against is None else at[against[0], against[1], metric])
            names.append(name)
            rows.append(panel.rows[index])
            kinds.append(panel.metrics[metric])
    i, j = np.array(first, dtype=np.int64), np.array(second, dtype=np.int64)
    near = _side(panel, i)
    joint = panel.covariance
    nothing = np.zeros(len(i))
    level = Family(kind, tuple(kinds), tuple(names), near.value, joint[np.ix_(i, i)], near.df, near.support,
                   np.array(rows, dtype=np.int64), near, None, nothing, nothing, panel.clustered)  # fmt: skip
    if kind == "level":
        return level
    far = _side(panel, j)
    weight_near, weight_far = np.ones(len(i)), np.ones(len(i))
    if kind == "ratio":
        weight_near = np.divide(1.0, near.value, out=np.zeros(len(i)), where=near.value > 0)
        weight_far = np.divide(1.0, far.value, out=np.zeros(len(i)), where=far.value > 0)
        value = np.divide(near.value, far.value, out=np.full(len(i), np.nan), where=far.value > 0)
    else:
        value = near.value - far.value
    cross = joint[np.ix_(i, j)] * weight_near[:, None] * weight_far
    covariance = joint[np.ix_(i, i)] * weight_near[:, None] * weight_near - cross - cross.T
    covariance += joint[np.ix_(j, j)] * weight_far[:, None] * weight_far
    spread = np.sqrt(near.variance * far.variance)
    correlation = np.divide(joint[i, j], spread, out=nothing.copy(), where=spread > 0)
    a, b = near.variance * weight_near**2, far.variance * weight_far**2
    # Two models share their rows: their degrees of freedom do not add up as those of two groups do.
    df = _difference_df(panel, i, j) if kind == "difference" else _welch(a, near.df, b, far.df)
    return replace(
        level,
        value=value,
        covariance=covariance,
        df=df,
        support=np.minimum(near.support, far.support),
        second=far,
        correlation=np.clip(correlation, -1, 1),
    )


def _side(panel: Panel, index: Ints) -> Side:
    variance = np.maximum(np.diag(panel.covariance)[index], 0.0)
    value, df, support = (array.ravel()[index] for array in (panel.value, panel.df, panel.support))
    return Side(value, variance, df, support, panel.tail.take(index))


def _difference_df(panel: Panel, near: Ints, far: Ints) -> Floats:
    """Degrees of freedom of differences: of two models those of the units on which they differ, of more the smaller."""
    if panel.models == 2:
        return panel.difference_df.ravel()[near % panel.difference_df.size]
    return np.minimum(panel.df.ravel()[near], panel.df.ravel()[far])


def _welch(a: Floats, df_a: Floats, b: Floats, df_b: Floats) -> Floats:
    """Welch-Satterthwaite degrees of freedom of a + b; those of the smaller side where both are 0."""
    squares = np.divide(a**2, df_a, out=np.zeros_like(a), where=df_a > 0)
    squares += np.divide(b**2, df_b, out=np.zeros_like(b), where=df_b > 0)
    known = (df_a > 0) & (df_b > 0)
    both = np.divide((a + b) ** 2, squares, out=np.full_like(a, np.inf), where=squares > 0)
    return np.where(known, np.where(a + b > 0, both, np.minimum(df_a, df_b)), 0.0)


def select(family: Family, keep: Sequence[int] | Ints) -> Family:
    """The statistics at these positions, with their part of the covariance."""
    at = np.asarray(keep, dtype=np.int64)

    def part(side: Side) -> Side:
        return Side(side.value[at], side.variance[at], side.df[at], side.support[at], side.tail.take(at))

    return replace(
        family,
        metrics=tuple(family.metrics[i] for i in at),
        slices=tuple(family.slices[i] for i in at),
        value=family.value[at],
        covariance=family.covariance[np.ix_(at, at)],
        df=family.df[at],
        support=family.support[at],
        rows=family.rows[at],
        first=part(family.first),
        second=None if family.second is None else part(family.second),
        correlation=family.correlation[at],
        seed_variance=family.seed_variance[at],
    )


def with_seed_variance(family: Family, spread: Mapping[str, tuple[float, int]], *, models: int = 1) -> Family:
    """Add training's own randomness to the sampling variance of levels or differences.

    A fresh training run with another seed would move the metric: Var = sampling + models · sd². The sd rests on few
    seeds, so the sum gets Satterthwaite degrees of freedom (``seeds.combine``). One training run moves all slices of a
    metric together, so the seed variance enters their covariances too (as fully correlated within a metric).

    Args:
        family: sampling statistics.
        spread: metric name → (standard deviation over seeds, number of seeds); metrics without one stay as they are.
        models: how many of the compared models carry that randomness: 1 for a level or when the champion is fixed,
            2 for a difference of two training procedures.

    Raises:
        ConfigurationError: fewer than two seeds, a negative deviation, or a family of gaps or ratios, where training
            moves both sides and the spread of their difference is not known.
    """
    if family.kind not in ("level", "difference"):
        mend = "Add it to levels or differences"
        raise ConfigurationError("has no known seed variance", field="family", value=family.kind, mend=mend)
    covariance, df, added = family.covariance.copy(), family.df.copy(), family.seed_variance.copy()
    for name, (deviation, seeds) in spread.items():
        of_metric = np.array([i for i, metric in enumerate(family.metrics) if metric.name == name], dtype=np.int64)
        for i in of_metric:
            _, df[i] = combine(float(covariance[i, i]), float(df[i]), deviation, seeds, models=models)
        covariance[np.ix_(of_metric, of_metric)] += models * deviation**2
        added[of_metric] += models * deviation**2
    return replace(family, covariance=covariance, df=df, seed_variance=added)
