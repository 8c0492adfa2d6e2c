"""What the router counted of both versions, with the score histograms of their servers."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

from gauntlet.delivery.metering import Counters, Pods, Reading
from gauntlet.delivery.prometheus.exposition import parse_exposition
from gauntlet.delivery.prometheus.families import ROUTER, SERVER, counters
from gauntlet.delivery.rollout import Rollout
from gauntlet.delivery.targets.local.client import Client, RevisionStatus, State
from gauntlet.errors import DependencyError

_OURS = "gauntlet_"


class LocalMeter:
    """Implements ``metering.Meter``: one pod a version, named after the router's incarnation.

    A router that was started again counts from zero, as a pod of another name; a reset is then never mistaken for a
    quiet interval.

    Args:
        client: the host.
        clock: seconds since the epoch.
    """

    def __init__(self, client: Client, clock: Callable[[], float] = time.time) -> None:
        self._client = client
        self._clock = clock

    def read(self, rollout: Rollout) -> Reading:
        """The counters now."""
        state = self._client.state()
        at = self._clock()
        told = counters(parse_exposition(self._client.metrics(), prefix=_OURS), ROUTER)
        arms = {
            version: self._pods(state, version, told.get((version, "")))
            for version in (rollout.candidate.version, rollout.stable.version)
        }
        return Reading(at, candidate=arms[rollout.candidate.version], stable=arms[rollout.stable.version])

    def _pods(self, state: State, version: str, routed: Counters | None) -> Pods:
        status = state.revisions.get(version)
        if routed is None or status is None:
            return {}
        return {f"router-{state.incarnation}": self._with_scores(routed, version, status)}

    def _with_scores(self, routed: Counters, version: str, status: RevisionStatus) -> Counters:
        """What the server itself keeps; nothing while it is down, which the router's counters show."""
        if not status.ready or status.port is None:
            return routed
        try:
            page = self._client.server_metrics(status.port)
        except DependencyError:
            return routed
        own = counters(parse_exposition(page, prefix=_OURS), SERVER).get((version, ""))
        return routed if own is None else replace(routed, scores=own.scores, sliced=own.sliced)
