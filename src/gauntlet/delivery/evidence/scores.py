"""Comparison of score distributions on requests that were not mirrored: tests at the deciles of stable's scores.

At every decile of stable, fixed before the canary, two tests: is the canary's share of scores above it larger, or its
share at or below it, by more than δ.
δ is a tolerance of the Kolmogorov-Smirnov distance: |F_c - F_s| ≤ δ at every edge.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np
from numpy.typing import ArrayLike

from gauntlet.delivery.evidence.counts import Counts
from gauntlet.delivery.evidence.histograms import Buckets
from gauntlet.errors import DataError

TOLERANCE = 0.05
"""Default δ of the tests: distributions within five points of each other everywhere count as alike."""


def edges(baseline: ArrayLike, *, bins: int = 10) -> tuple[float, ...]:
    """Compute the inner quantiles of stable's scores, ascending, equal ones once; at most ``bins`` - 1.

    An edge that nothing lies above is left out: a constant score has no edge.

    Args:
        baseline: (n,) finite scores of stable before the canary, at least ``bins``.
        bins: equally full bins, at least 2.

    Raises:
        DataError: too few scores, scores that are not finite, or all the same.
    """
    scores = _finite(baseline, field="baseline")
    if scores.size < bins:
        raise DataError(
            f"has fewer scores than the {bins} bins", field="baseline", value=scores.size, mend="Watch stable first"
        )
    cuts = np.unique(np.quantile(scores, np.arange(1, bins) / bins, method="lower"))
    cuts = cuts[cuts < scores.max()]
    if not cuts.size:
        raise DataError(
            "nearly all scores are the same", field="baseline", value=float(scores[0]), mend="Test classes, not scores"
        )
    return tuple(float(cut) for cut in cuts)


def histogram_edges(baseline: Buckets, *, bins: int = 10) -> tuple[float, ...]:
    """Select the histogram's boundaries nearest above stable's inner quantiles, ascending, equal ones once.

    A boundary that nothing lies above, or at most nothing, is left out.

    Args:
        baseline: scores by bucket of stable before the canary.
        bins: about equally full bins, at least 2.

    Raises:
        DataError: fewer scores than bins, or all between two neighbouring boundaries.
    """
    total = baseline.get(math.inf, 0.0)
    if total < bins:
        raise DataError(
            f"has fewer scores than the {bins} bins", field="baseline", value=total, mend="Watch stable first"
        )
    inner = [boundary for boundary in sorted(baseline) if 0 < baseline[boundary] < total]
    cuts = {
        next((boundary for boundary in inner if baseline[boundary] * bins >= total * part), None)
        for part in range(1, bins)
    }
    chosen = tuple(sorted(cut for cut in cuts if cut is not None)) or tuple(inner[-1:])
    if not chosen:
        raise DataError(
            "all scores lie between two boundaries", field="baseline", value=total, mend="Set finer score_edges"
        )
    return chosen


def counts(
    canary: tuple[Iterable[int], int], stable: tuple[Iterable[int], int], at: Iterable[float]
) -> dict[str, Counts]:
    """Counts by edge and side (``above 0.3``, ``up to 0.3``) of one interval, for ``combination.update_panel``.

    Args:
        canary: (scores above each edge, scores).
        stable: the same of stable.
        at: the edges.
    """
    (above_canary, n_c), (above_stable, n_s) = canary, stable
    by_test: dict[str, Counts] = {}
    for edge, x, y in zip(at, above_canary, above_stable, strict=True):
        above, below = names(edge)
        by_test[above] = Counts(x, n_c, y, n_s)
        by_test[below] = Counts(n_c - x, n_c, n_s - y, n_s)
    return by_test


def names(edge: float) -> tuple[str, str]:
    """Names of the two tests at an edge in a panel. All digits: edges may lie close together."""
    return f"above {edge!r}", f"up to {edge!r}"


def _finite(scores: ArrayLike, *, field: str) -> np.ndarray:
    values = np.asarray(scores, dtype=np.float64).ravel()
    if not np.isfinite(values).all():
        raise DataError(
            "must be finite",
            field=field,
            value=float(values[~np.isfinite(values)][0]),
            mend="Count answers without a score as errors",
        )
    return values
