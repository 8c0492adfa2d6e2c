"""How many requests a version was given: those it answered, and those it was working on when it was last seen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from gauntlet.delivery.counters.source import Counters, Pods


class LastSeen(NamedTuple):
    """A pod's counters of requests as they were last read."""

    requests: float
    in_flight: float


@dataclass(frozen=True)
class Exposure:
    """What one version was given since the first reading.

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
    """The exposure after one more reading.

    Args:
        before: as it was.
        pods: the version's pods now.
        gained: what those grew by that the last reading had too; see ``increments``.
        first: this is the first reading: what was counted before it is of no rollout, or of another.
    """
    seen = {pod: LastSeen(one.requests, one.in_flight) for pod, one in pods.items()}
    if first:
        return Exposure(0.0, seen)
    grown = sum(
        gained[pod].requests if pod in gained else _since(before.pods.get(pod), one.requests)
        for pod, one in pods.items()
    )
    return Exposure(before.answered + grown, {**before.pods, **seen})


def _since(last: LastSeen | None, requests: float) -> float:
    """What a pod answered since it was last seen; one that is new, or was started again, began in the rollout."""
    return requests if last is None or requests < last.requests else requests - last.requests
