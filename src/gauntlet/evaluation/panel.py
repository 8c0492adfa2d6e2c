"""Estimates every model × slice × metric in one pass, with their joint covariance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import sparse

from gauntlet.errors import ConfigurationError
from gauntlet.evaluation import covariance
from gauntlet.evaluation.auc import hanley_mcneil
from gauntlet.evaluation.concentration import concentrations, tails_of
from gauntlet.evaluation.covariance import Block
from gauntlet.evaluation.gather import Gathered, Question, blocks_of, gather, placed
from gauntlet.evaluation.metrics import Linear, Metric, Scale
from gauntlet.evaluation.moments import Moments
from gauntlet.evaluation.positions import Position, positions_of, slice_sums
from gauntlet.evaluation.sample import Floats, Ints, Sample
from gauntlet.evaluation.slices import Partition, Slice
from gauntlet.evaluation.tails import Tail, degrees_of_freedom

_PRIOR_UNITS = 5.0
"""Weight, in units of the smaller class, of the expected variance of an area against the one found. With 5 the
intervals cover 94-96 % from 20 positives up (tests/simulation); at 500 positives it is one percent."""
_PRIOR_CLUSTERS = 2.5
"""The same where the units are clusters. Half as much, because the expected variance takes each cluster's rows for one
row, and so errs on the wide side."""


@dataclass(frozen=True)
class Panel:
    """Estimates of J = models × slices × metrics statistics that share rows.

    Attributes:
        metrics: (M,) metrics.
        slices: (S,) slices; the first is all rows; complements come last when ``measure`` was asked for them.
        value: (A, S, M) estimates for A models; NaN where undefined (no rows, no positives, one class).
        covariance: (J, J) joint sampling covariance of ``value.ravel()``; zero rows where undefined. Cluster-robust
            when the rows are clustered, valid under weights (linearisation), with an m/(m - 1) correction a statistic.
        support: (A, S, M) effective number m of independent units the estimate is a mean over: rows, or clusters;
            positives only for a true-positive rate; the smaller class for an AUC. Kish's (Σw)²/Σw² over the units'
            weights, so exactly a count when units weigh the same.
        df: (A, S, M) degrees of freedom of the variance, at most m - 1: those of its influences
            (``tails.degrees_of_freedom``); infinite for shares of unweighted, unclustered rows, whose variance is a
            function of the share.
        difference_df: (S, M) the same of the difference of two models; of others, m - 1.
        tail: (A, S, M) the largest contributions to mean losses.
        rows: (S,) number of rows of each slice.
        units: (S,) number of sampling units (clusters, or rows) of each slice.
        clustered: rows share clusters.
    """

    metrics: tuple[Metric, ...]
    slices: tuple[Slice, ...]
    value: Floats
    covariance: Floats
    support: Floats
    df: Floats
    difference_df: Floats
    tail: Tail
    rows: Ints
    units: Ints
    clustered: bool

    @property
    def models(self) -> int:
        """Number of models."""
        return len(self.value)

    def metric_index(self, name: str) -> int:
        """Position of a metric by name.

        Raises:
            ConfigurationError: it was not measured.
        """
        known = [metric.name for metric in self.metrics]
        if name not in known:
            mend = f"Use one of: {', '.join(known)}"
            raise ConfigurationError("was not measured", field="metric", value=name, mend=mend)
        return known.index(name)

    def slice_index(self, slice_: Slice) -> int:
        """Position of a slice.

        Raises:
            ConfigurationError: it was not measured.
        """
        if slice_ not in self.slices:
            mend = "Measure it, with rest=True for complements"
            raise ConfigurationError("was not measured", field="slice", value=slice_.name, mend=mend)
        return self.slices.index(slice_)


def measure(
    models: Sequence[Sample], metrics: Sequence[Metric], partitions: Sequence[Partition] = (), *, rest: bool = False
) -> Panel:
    """Estimate every metric of every model in every slice.

    Args:
        models: one sample, or several of the same rows (challenger and champion).
        metrics: from ``metrics.resolve``.
        partitions: the slices; none means all rows only.
        rest: also measure each slice's complement, for gaps against the rest. Costs little but for rank metrics,
            where each complement needs its own pass over the rows.

    Raises:
        ConfigurationError: two partitions of one name.
        DataError: the samples are not of the same rows, or a partition is not of these rows.
    """
    return conclude(gather(models, metrics, partitions, rest=rest))


def _corrections(question: Question, value: Floats, support: Floats, largest: Floats, joint: Floats) -> Floats:
    """(A, S, M) factors on the variances for small samples.

    Sums get m / (m - 1). Areas of unclustered rows carry that already, class by class; but few positives with high
    scores also show too little spread more often than too much. So an area's variance is drawn towards the one that
    Hanley & McNeil (1982) derive from the area and the class sizes alone, with the weight of a few more positives.
    """
    prior = _PRIOR_CLUSTERS if question.clustered else _PRIOR_UNITS
    factor = np.where(support > 1, support / np.where(support > 1, support - 1, 1.0), 1.0)
    variance = np.diag(joint).reshape(value.shape)
    for m, metric in enumerate(question.metrics):
        if not metric.rank:
            continue
        if not question.clustered:
            factor[:, :, m] = 1.0
        if len(metric.support) == 2:
            variances = variance[:, :, m] * factor[:, :, m]
            expected = hanley_mcneil(value[:, :, m], support[:, :, m], largest[:, :, m])
            usable = (variances > 0) & (expected > 0)
            ratio = np.divide(expected, variances, out=np.ones_like(variances), where=usable)
            weight = prior / (support[:, :, m] + prior)
            factor[:, :, m] *= 1 - weight + weight * ratio
    return factor


def conclude(gathered: Gathered) -> Panel:
    """The panel of what was gathered (of one shard, or of many merged)."""
    question, sums_by_cell = gathered.question, gathered.moments
    blocks = blocks_of(question, sums_by_cell.cells)
    positions = positions_of(question)
    sums = slice_sums(sums_by_cell.sums, blocks, positions)
    basis = covariance.basis_gram(sums_by_cell, blocks)
    value, forms = _influence_forms(gathered, blocks, positions, sums)
    support, largest = _supports(sums_by_cell, question, blocks, positions, sums, basis)
    support = np.where(np.isnan(value), 0.0, support)
    joint = covariance.joint(sums_by_cell, blocks, forms, basis)
    concentration, of_difference = concentrations(gathered, blocks, positions, sums, value, forms, joint, support)
    scale = np.sqrt(_corrections(question, value, support, largest, joint)).reshape(-1)
    joint *= scale[:, None]
    joint *= scale[None, :]
    plain = not (question.weighted or question.clustered)
    share = np.array([metric.scale is Scale.PROPORTION and plain for metric in question.metrics])
    df, difference_df = (
        np.where(share & (size > 0), np.inf, degrees_of_freedom(known, size))
        for known, size in ((concentration, support), (of_difference, support.min(axis=0)))
    )
    rows, units = _sizes(sums_by_cell, blocks, positions)
    slices = tuple(position.slice for position in positions)
    tail = tails_of(gathered, positions, sums, value, support)
    return Panel(
        question.metrics, slices, value, joint, support, df, difference_df, tail, rows, units, question.clustered
    )


def _sizes(moments: Moments, blocks: Sequence[Block], positions: Sequence[Position]) -> tuple[Ints, Ints]:
    """(S,) rows, and (S,) units; a cluster that straddles cells counts once in each slice it touches."""
    shared = np.bincount(moments.pieces.cell, minlength=len(moments.rows))
    counts = np.stack([moments.rows, moments.units - shared], axis=1)
    rows, units = slice_sums(counts, blocks, positions).T
    cluster = moments.pieces.cluster
    for index, position in enumerate(positions if len(cluster) else ()):
        inside = blocks[position.block].codes[moments.pieces.cell] == position.group
        units[index] += len(np.unique(cluster[~inside if position.slice.rest else inside]))
    return rows, units


def _forms(positions: Sequence[Position], blocks: Sequence[Block], columns: Ints, slope: Floats) -> sparse.csr_matrix:
    """(S, T) coefficients of one statistic in every slice on the basis sums.

    Args:
        columns: (k,) columns of the moments.
        slope: (S, k) coefficients in each slice. A complement's are those of all rows less those of the slice.
    """
    start = covariance.offsets(blocks)
    everywhere = start[0] + blocks[0].locate(0, columns)
    rows, indices, values = [], [], []
    for index, position in enumerate(positions):
        here = start[position.block] + blocks[position.block].locate(position.group, columns)
        sign = -1.0 if position.slice.rest else 1.0
        parts = [(here, sign * slope[index])] + ([(everywhere, slope[index])] if position.slice.rest else [])
        for place, coefficients in parts:
            rows.append(np.full(len(columns), index))
            indices.append(place)
            values.append(coefficients)
    entries = (np.concatenate(values), (np.concatenate(rows), np.concatenate(indices)))
    return sparse.csr_matrix(entries, shape=(len(positions), int(start[-1])))


def _influence_forms(
    gathered: Gathered, blocks: Sequence[Block], positions: Sequence[Position], sums: Floats
) -> tuple[Floats, sparse.csr_matrix]:
    """(A, S, M) values, and (J, T) the linear form of each one's influence."""
    question = gathered.question
    where = {name: index for index, name in enumerate(question.columns)}
    value = np.empty((question.models, len(positions), len(question.metrics)))
    forms: list[sparse.csr_matrix] = []
    for a in range(question.models):
        for m, metric in enumerate(question.metrics):
            if metric.rank:
                value[a, :, m], form = _area_forms(gathered, blocks, positions, a, m)
                forms.append(form)
                continue
            at = np.array([where[placed(name, a)] for name in metric.columns], dtype=np.int64)
            value[a, :, m] = metric.value(sums[:, at])
            defined = ~np.isnan(value[a, :, m])
            slope = np.where(defined[:, None], metric.gradient(sums[:, at]), 0.0)
            forms.append(_forms(positions, blocks, at, slope))
    # Forms come by (model, metric), slice within; statistics are ordered by (model, slice, metric).
    order = np.arange(value.size).reshape(question.models, len(question.metrics), len(positions)).transpose(0, 2, 1)
    return value, sparse.vstack(forms, format="csr")[order.reshape(-1)]


def _area_forms(
    gathered: Gathered, blocks: Sequence[Block], positions: Sequence[Position], model: int, metric: int
) -> tuple[Floats, sparse.csr_matrix]:
    """(S,) areas of one model, and (S, T) forms: the one column of influences in the slice's own block."""
    start = covariance.offsets(blocks)
    keys = gathered.question.areas
    places = []
    areas = np.empty(len(positions))
    for index, position in enumerate(positions):
        block, group = (position.complement, 0) if position.slice.rest else (position.block, position.group)
        areas[index] = gathered.areas[model, metric, block][group]
        column = len(gathered.question.columns) + keys.index((model, metric, block))
        places.append(int(start[block] + blocks[block].locate(group, np.array([column]))[0]))
    entries = (np.ones(len(positions)), (np.arange(len(positions)), np.array(places)))
    return areas, sparse.csr_matrix(entries, shape=(len(positions), int(start[-1])))


def _supports(
    moments: Moments,
    question: Question,
    blocks: Sequence[Block],
    positions: Sequence[Position],
    sums: Floats,
    basis: Floats,
) -> tuple[Floats, Floats]:
    """(A, S, M) effective number of units behind each estimate, in the smallest and the largest of its groups.

    For a group with unit weights v it is (Σv)²/Σv². A class that does not occur in a slice counts only where the
    metric needs it, which then is undefined anyway.
    """
    where = {name: index for index, name in enumerate(question.columns)}
    cached: dict[tuple[tuple[str, float], ...], Floats] = {}

    def effective(group: Linear, model: int) -> Floats:
        key = tuple((placed(name, model), coefficient) for name, coefficient in group.items())
        if key not in cached:
            at = np.array([where[name] for name, _ in key], dtype=np.int64)
            slope = np.array([coefficient for _, coefficient in key])
            form = _forms(positions, blocks, at, np.tile(slope, (len(positions), 1)))
            total = sums[:, at] @ slope
            squares = covariance.variances(moments, blocks, form, basis)
            usable = (total > 0) & (squares > 0)
            cached[key] = np.where(usable, total**2 / np.where(usable, squares, 1.0), 0.0)
        return cached[key]

    shape = (question.models, len(positions), len(question.metrics))
    smallest, largest = np.empty(shape), np.empty(shape)
    for a in range(question.models):
        for m, metric in enumerate(question.metrics):
            sizes = np.stack([effective(group, a) for group in metric.support])
            occurring = np.where(sizes > 0, sizes, np.inf).min(axis=0)
            smallest[a, :, m] = np.where(np.isfinite(occurring), occurring, 0.0)
            largest[a, :, m] = sizes.max(axis=0)
    return smallest, largest
