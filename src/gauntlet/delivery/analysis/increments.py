"""Increments of counters between two readings, and the requests each version was given in all (exposure)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from gauntlet.delivery.counters.source import Counters, Pods
from gauntlet.delivery.evidence.counts import whole_number
from gauntlet.delivery.evidence.histograms import fell, gained, together


def increments(before: Pods, after: Pods) -> dict[str, Counters]:
    """Compute the increments of every pod's counters; ``in_flight`` is that of now.

    Where a counter fell, its process was restarted: what is counted now is taken as the increase (a lower bound).
    Requests, errors and latency are one process's; scores may be another's, behind a router. What was not seen before,
    a pod or a histogram, gives nothing yet: it may reach back beyond the interval. Pods that are gone give nothing.

    Raises:
        DataError: a counter that is none, or a histogram whose boundaries changed.
    """
    return {pod: _increase(before[pod], after[pod], pod) for pod in sorted(set(before) & set(after))}


def total(pods: Mapping[str, Counters]) -> Counters:
    """Sum the counters of all pods.

    Raises:
        DataError: their histograms have different boundaries.
    """
    whole = Counters(0.0, 0.0)
    for pod, counters in sorted(pods.items()):
        slices = sorted(set(whole.sliced) | set(counters.sliced))
        whole = Counters(
            whole.requests + counters.requests,
            whole.errors + counters.errors,
            together(whole.latency, counters.latency, pod=pod),
            together(whole.scores, counters.scores, pod=pod),
            {name: together(whole.sliced.get(name, {}), counters.sliced.get(name, {}), pod=pod) for name in slices},
            whole.in_flight + counters.in_flight,
        )
    return whole


def _increase(before: Counters, after: Counters, pod: str) -> Counters:
    whole_number(after.requests, field=f"{pod} requests")
    whole_number(after.errors, field=f"{pod} errors")
    restarted = after.requests < before.requests or after.errors < before.errors or fell(before.latency, after.latency)
    rescored = fell(before.scores, after.scores) or any(
        fell(before.sliced.get(name, {}), buckets) for name, buckets in after.sliced.items()
    )
    since = Counters(0.0, 0.0) if restarted else before
    return Counters(
        after.requests - since.requests,
        after.errors - since.errors,
        gained(before.latency, after.latency, restarted=restarted, pod=f"{pod} latency"),
        gained(before.scores, after.scores, restarted=rescored, pod=f"{pod} scores"),
        {
            name: gained(before.sliced.get(name, {}), buckets, restarted=rescored, pod=f"{pod} {name}")
            for name, buckets in after.sliced.items()
        },
        after.in_flight,
    )


class LastSeen(NamedTuple):
    """A pod's counters of requests as they were last read."""

    requests: float
    in_flight: float


@dataclass(frozen=True)
class Exposure:
    """The requests that one version was given since the first reading.

    Attributes:
        answered: requests its pods were seen to have answered.
        pods: pod → what was last read of it. Pods that are gone stay: one that a scrape missed comes back with counts
            that were counted already, and what a pod was working on when it went was given to it all the same.
    """

    answered: float = 0.0
    pods: Mapping[str, LastSeen] = field(default_factory=dict)

    @property
    def given(self) -> float:
        """Requests answered, or under way when last seen."""
        return self.answered + sum(pod.in_flight for pod in self.pods.values())


def exposed(before: Exposure, pods: Pods, gained: Mapping[str, Counters], *, first: bool) -> Exposure:
    """Update the exposure with one more reading.

    Args:
        before: as it was.
        pods: the version's pods now.
        gained: what those grew by that the last reading had too; see ``increments``.
        first: this is the first reading: what was counted before it is of no rollout, or of another.
    """
    latest = {pod: LastSeen(counters.requests, counters.in_flight) for pod, counters in pods.items()}
    if first:
        return Exposure(0.0, latest)
    grown = sum(
        gained[pod].requests if pod in gained else _since(before.pods.get(pod), counters.requests)
        for pod, counters in pods.items()
    )
    return Exposure(before.answered + grown, {**before.pods, **latest})


def _since(last: LastSeen | None, requests: float) -> float:
    """Requests a pod answered since it was last read; a new or restarted pod counts from zero."""
    return requests if last is None or requests < last.requests else requests - last.requests
