"""Latency histograms: scraped cumulative buckets to counts of slow requests at boundaries fixed before the canary.

A request counts as slow at boundary ``le`` if its latency is above it. What hangs reaches no histogram: watch the
canary's share of requests and of those in flight as well.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from itertools import pairwise

from gauntlet.delivery.evidence.counts import Counts, whole_number
from gauntlet.errors import ConfigurationError, DataError

Buckets = Mapping[float, float]
"""Boundary ``le`` in seconds, infinity included → requests of at most that latency."""

LEAST_TAIL = 0.001
MOST_TAIL = 0.25
"""Shares of slow baseline requests between which a boundary is informative: neither empty nor the bulk."""


def checked(buckets: Buckets, *, pod: str) -> Buckets:
    """Check that the buckets are a cumulative histogram, and return them.

    Raises:
        DataError: no bucket at infinity, a count that is none, or counts that fall as the boundary grows.
    """
    if math.inf not in buckets:
        raise DataError("has no bucket at +Inf", field=pod, value=sorted(buckets), mend="Query every bucket")
    previous = 0.0
    for boundary in sorted(buckets):
        whole_number(buckets[boundary], field=f"{pod} le={boundary:g}")
        if buckets[boundary] < previous:
            raise DataError(
                f"is below the bucket before it ({previous:g})",
                field=f"{pod} le={boundary:g}",
                value=buckets[boundary],
                mend="Read all buckets of a pod in one scrape, as raw cumulative counters",
            )
        previous = buckets[boundary]
    return buckets


def fell(before: Buckets, after: Buckets) -> bool:
    """Whether a bucket lost requests, as none does while its process lives: the process was restarted.

    Cumulative counts may all have grown, and slow requests be fewer all the same.
    """
    shared = sorted(set(before) & set(after))
    then, now = ([0.0, *(buckets[boundary] for boundary in shared)] for buckets in (before, after))
    return any(new[1] - new[0] < old[1] - old[0] for old, new in zip(pairwise(then), pairwise(now), strict=True))


def gained(before: Buckets, after: Buckets, *, restarted: bool, pod: str) -> dict[float, float]:
    """Compute the increments of one pod's buckets; after a restart, all they hold.

    Nothing where there were none before: they may reach back beyond the interval.

    Raises:
        DataError: a histogram is not cumulative, or its boundaries changed.
    """
    if not before or not after:
        return {}
    new = checked(after, pod=pod)
    if set(checked(before, pod=pod)) != set(new):
        raise _own_boundaries(new, pod)
    return {boundary: new[boundary] - (0.0 if restarted else before[boundary]) for boundary in new}


def together(total: Buckets, more: Buckets, *, pod: str) -> dict[float, float]:
    """Add two histograms; an empty one adds nothing.

    Raises:
        DataError: their boundaries differ.
    """
    if total and more and set(total) != set(more):
        raise _own_boundaries(more, pod)
    return {boundary: total.get(boundary, 0.0) + more.get(boundary, 0.0) for boundary in total or more}


def _own_boundaries(buckets: Buckets, pod: str) -> DataError:
    return DataError(
        "has boundaries of its own", field=pod, value=sorted(buckets), mend="Give all revisions the same buckets"
    )


def slow(buckets: Buckets, boundary: float) -> tuple[float, float]:
    """(slow requests, requests) at a boundary; (0, 0) for no pods.

    Raises:
        DataError: the histogram has no such boundary.
    """
    if not buckets:
        return 0.0, 0.0
    if boundary not in buckets:
        raise DataError(
            "is not a bucket of the histogram", field="boundary", value=boundary, mend=f"Use one of {sorted(buckets)}"
        )
    total = buckets[math.inf]
    return total - buckets[boundary], total


def eligible(baseline: Buckets, *, objective: float | None = None) -> tuple[float, ...]:
    """Select the boundaries to test at, fixed before the canary: those whose baseline tail lies in [0.1 %, 25 %].

    Args:
        baseline: requests by bucket of stable before the canary (``increase``).
        objective: the latency promised to users, in seconds; then that boundary alone.

    Raises:
        DataError: the baseline has no requests, or no boundary is eligible.
        ConfigurationError: the objective is not a boundary of the histogram.
    """
    finite = sorted(boundary for boundary in baseline if math.isfinite(boundary))
    if objective is not None:
        if objective not in finite:
            raise ConfigurationError(
                "is not a bucket of the histogram", field="objective", value=objective, mend=f"Use one of {finite}"
            )
        return (objective,)
    chosen = tuple(
        boundary
        for boundary in finite
        for above, total in [slow(baseline, boundary)]
        if total > 0 and LEAST_TAIL <= above / total <= MOST_TAIL
    )
    if not chosen:
        raise DataError(
            "no boundary has between 0.1 % and 25 % of the baseline above it",
            field="latency histogram",
            value=dict(baseline),
            mend="Set buckets around the latencies that occur, name an objective, or watch stable for longer first",
        )
    return chosen


def counts(canary: Buckets, stable: Buckets, boundaries: Iterable[float]) -> dict[str, Counts]:
    """Counts by name of boundary (``le=0.25``) of one interval, for ``combination.update_panel``.

    Args:
        canary: requests by bucket of the canary (``increase``); empty if it had no pods.
        stable: of stable.
        boundaries: what ``eligible`` chose.
    """
    return {
        boundary_name(boundary): Counts(*slow(canary, boundary), *slow(stable, boundary)) for boundary in boundaries
    }


def boundary_name(boundary: float) -> str:
    """Name of a boundary's test in a panel: ``le=0.25``."""
    return f"le={boundary:g}"
