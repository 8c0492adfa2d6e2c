"""Raw counters of every pod of both versions, at one instant.

Raw, because the analysis chooses its own intervals: PromQL's ``rate`` and ``increase`` extrapolate, and a test of
counts needs counts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from gauntlet.delivery.evidence.histograms import Buckets
from gauntlet.delivery.rollout.state import Rollout


@dataclass(frozen=True)
class Counters:
    """One pod's counters since it started. Whole numbers.

    Attributes:
        requests: answered, whatever the answer.
        errors: of these, not answered by the server's own fault (5xx, or no answer at all).
        latency: cumulative histogram of seconds, by upper bound, infinity included; empty where none is kept.
        scores: cumulative histogram of the scores answered; empty where none is kept.
        sliced: slice (``region=north``) → its histogram of scores.
        in_flight: requests under way; one that hangs is in no other counter.
        started: when its process began to count, seconds since the epoch by its own clock; ``None`` where the source
            cannot tell. Two readings that differ in it are of two processes.
    """

    requests: float
    errors: float
    latency: Buckets = field(default_factory=dict)
    scores: Buckets = field(default_factory=dict)
    sliced: Mapping[str, Buckets] = field(default_factory=dict)
    in_flight: float = 0.0
    started: float | None = None


Pods = Mapping[str, Counters]
"""Pod → its counters."""


@dataclass(frozen=True)
class Reading:
    """The counters of both versions at one instant.

    Attributes:
        at: seconds since the epoch.
        candidate: its pods; empty while it has none.
        stable: the same of the stable version.
    """

    at: float
    candidate: Pods
    stable: Pods


class CounterSource(Protocol):
    """Reads counters, from Prometheus or from the servers themselves."""

    def read(self, rollout: Rollout) -> Reading:
        """Read the counters now.

        Raises:
            DependencyError: the source does not answer.
            DataError: its answer cannot be these counters, for instance two series where one was meant.
        """
