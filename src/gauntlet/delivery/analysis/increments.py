"""Increments of counters between two readings, and the requests each version was given in all (exposure)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from gauntlet.delivery.counters.source import Counters, Pods
from gauntlet.delivery.evidence.counts import whole_number
from gauntlet.delivery.evidence.histograms import fell, gained, together

SAME_START = 1.5
"""Seconds by which the start of one process may seem to move: Go's exporters add it to the boot time of the machine,
which the kernel gives in whole seconds and works out anew when its clock is set."""
MOST_LAG = 300.0
"""Seconds by which a process that is new since the last reading may seem to have begun before it: what that reading
showed was scraped earlier, or clocks differ. A start before that means that a clock was set, not that a process is
new."""


def increments(
    before: Pods, after: Pods, *, since: float = -math.inf, paces: Mapping[str, float] | None = None
) -> dict[str, Counters]:
    """Compute the increments of every pod's counters; ``in_flight`` is that of now.

    All counters of a pod are one process's. Where it is another than at the last reading, all that they hold is their
    increase: what the process before it answered since then is lost, whatever it was. A pod is left out where nothing
    tells whether it was restarted (``_restarted``), as one that was not seen before (its counters may reach back beyond
    the interval), and one that is gone. None of this depends on what was answered, so it biases no rate.

    Args:
        before: the counters at the last reading.
        after: those of now.
        since: when the last reading was taken, seconds since the epoch.
        paces: pod → most requests that it was ever seen to answer in as long an interval; 0 where that is not known.

    Raises:
        DataError: a counter that is none, or a histogram whose boundaries changed.
    """
    grown: dict[str, Counters] = {}
    for pod in sorted(set(before) & set(after)):
        whole_number(after[pod].requests, field=f"{pod} requests")
        whole_number(after[pod].errors, field=f"{pod} errors")
        restarted = _restarted(before[pod], after[pod], since, (paces or {}).get(pod, 0.0))
        increase = _increase(before[pod], after[pod], pod, restarted=bool(restarted))
        if restarted is not None:
            grown[pod] = increase
    return grown


def _restarted(before: Counters, after: Counters, since: float, pace: float) -> bool | None:
    """Whether a pod's process is another than at the last reading; ``None`` where that cannot be told.

    Where both readings say when it was started, that decides, unless it is a clock that may have moved. Otherwise the
    number of requests does, and hits have no say: a restart that is recognised, or missed, by its hits leaves a
    selected rate. Fewer requests than before mean a restart. More may all be a new process's, unless they are more than
    twice what the pod ever answered in an interval.
    """
    start_known = False
    if before.started is not None and after.started is not None:
        moved = after.started - before.started
        if moved > SAME_START and after.started >= since - MOST_LAG:
            return True
        start_known = moved == 0
    requests_before, requests = _answers(before), _answers(after)
    if requests < requests_before:
        return True
    if _any_fell(before, after):
        return None
    # From zero the increase is the same either way.
    same = start_known or not requests_before or (pace > 0 and requests > 2 * max(requests - requests_before, pace))
    return False if same else None


def _answers(counters: Counters) -> float:
    """Requests a process answered, or scores where only those are counted."""
    return counters.requests or counters.scores.get(math.inf, 0.0)


def _any_fell(before: Counters, after: Counters) -> bool:
    return (
        after.errors < before.errors
        or fell(before.latency, after.latency)
        or fell(before.scores, after.scores)
        or any(fell(before.sliced.get(name, {}), buckets) for name, buckets in after.sliced.items())
    )


def _increase(before: Counters, after: Counters, pod: str, *, restarted: bool) -> Counters:
    since = Counters(0.0, 0.0) if restarted else before
    return Counters(
        after.requests - since.requests,
        after.errors - since.errors,
        gained(before.latency, after.latency, restarted=restarted, pod=f"{pod} latency"),
        gained(before.scores, after.scores, restarted=restarted, pod=f"{pod} scores"),
        {
            name: gained(before.sliced.get(name, {}), buckets, restarted=restarted, pod=f"{pod} {name}")
            for name, buckets in after.sliced.items()
        },
        after.in_flight,
    )


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


class LastSeen(NamedTuple):
    """A pod's counters of requests as they were last read.

    Attributes:
        requests: answered since it was started.
        in_flight: under way.
        pace: most requests a second that it was seen to answer between two readings; 0 where that is not known yet, or
            not needed, as it tells when it was started.
    """

    requests: float
    in_flight: float
    pace: float = 0.0


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

    def most(self, seconds: float) -> dict[str, float]:
        """Pod → most requests that it ever answered in so long, by its pace."""
        return {pod: last.pace * seconds for pod, last in self.pods.items()}


def exposed(
    before: Exposure, pods: Pods, gained: Mapping[str, Counters], *, first: bool, seconds: float = 0.0
) -> Exposure:
    """Update the exposure with one more reading.

    Args:
        before: as it was.
        pods: the version's pods now.
        gained: what those grew by that the last reading had too; see ``increments``.
        first: this is the first reading: what was counted before it is of no rollout, or of another.
        seconds: since the last reading.
    """
    grown = {
        pod: gained[pod].requests if pod in gained else _since(before.pods.get(pod), counters.requests)
        for pod, counters in pods.items()
    }
    latest: dict[str, LastSeen] = {}
    for pod, counters in pods.items():
        pace = before.pods[pod].pace if pod in before.pods else 0.0
        if counters.started is None and seconds > 0 and not first:  # the first reading may hold years' worth
            pace = max(pace, grown[pod] / seconds)
        latest[pod] = LastSeen(counters.requests, counters.in_flight, pace)
    if first:
        return Exposure(0.0, latest)
    return Exposure(before.answered + sum(grown.values()), {**before.pods, **latest})


def uncounted(before: Pods, after: Pods, gained: Mapping[str, Counters]) -> float:
    """Requests of pods that both readings have, and that are left out: at least so many were answered since the first.

    Args:
        before: the counters at the last reading.
        after: those of now.
        gained: what ``increments`` made of them.
    """
    return sum(
        _since(LastSeen(before[pod].requests, 0.0), after[pod].requests)
        for pod in set(before) & set(after) - set(gained)
    )


def _since(last: LastSeen | None, requests: float) -> float:
    """Requests a pod answered since it was last read; a new or restarted pod counts from zero."""
    return requests if last is None or requests < last.requests else requests - last.requests
