"""Every model x slice x metric in one pass, with one joint covariance for all of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gauntlet.evaluation.metrics import Metric
from gauntlet.evaluation.sample import Floats, Ints, Sample
from gauntlet.evaluation.slices import Partition, Slice


@dataclass(frozen=True)
class Panel:
    """Estimates of J = models x slices x metrics statistics that share rows.

    Attributes:
        metrics: (M,) metrics.
        slices: (S,) slices; the first is all rows; complements come last when ``measure`` was asked for them.
        value: (A, S, M) estimates for A models; NaN where undefined (no rows, no positives, one class).
        covariance: (J, J) joint sampling covariance of ``value.ravel()``; zero rows where undefined. Cluster-robust
            when the rows are clustered, valid under weights (linearisation), with the n/(n-1) correction per statistic.
        df: (A, S, M) degrees of freedom of each variance estimate.
        support: (A, S, M) number of independent units (rows, or clusters) each estimate is a mean over: positives for
            a true-positive rate, and the smaller class for an AUC.
        effective: (A, S, M) Kish effective number of those units under their weights.
        rows: (S,) number of rows of each slice.
        units: (S,) number of sampling units (clusters, or rows) of each slice.
        clustered: rows share clusters.
    """

    metrics: tuple[Metric, ...]
    slices: tuple[Slice, ...]
    value: Floats
    covariance: Floats
    df: Floats
    support: Floats
    effective: Floats
    rows: Ints
    units: Ints
    clustered: bool

    @property
    def models(self) -> int:
        """Number of models."""
        return len(self.value)

    def metric_index(self, name: str) -> int:
        """Position of a metric by name."""
        return next(i for i, metric in enumerate(self.metrics) if metric.name == name)

    def slice_index(self, slice_: Slice) -> int:
        """Position of a slice."""
        return self.slices.index(slice_)


def measure(
    models: Sequence[Sample],
    metrics: Sequence[Metric],
    partitions: Sequence[Partition] = (),
    *,
    rest: bool = False,
) -> Panel:
    """Estimate every metric of every model in every slice.

    Args:
        models: one sample, or several of the same rows (challenger and champion).
        metrics: from ``metrics.resolve``.
        partitions: the slices; none means all rows only.
        rest: also measure each slice's complement within its partition, for gaps against the rest.

    Raises:
        DataError: the samples are not of the same rows, or a partition has another length.
    """
    raise NotImplementedError
