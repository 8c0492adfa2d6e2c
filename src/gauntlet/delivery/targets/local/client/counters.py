"""Counters of both versions from the router, with the score histograms of their servers."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

from gauntlet.delivery.counters.prometheus.exposition import parse_exposition
from gauntlet.delivery.counters.prometheus.families import ROUTER, SERVER, counters
from gauntlet.delivery.counters.source import Counters, Pods, Reading
from gauntlet.delivery.rollout.state import Rollout
from gauntlet.delivery.targets.local.client.host_client import Client, RevisionStatus, State
from gauntlet.errors import DependencyError

_PREFIX = "gauntlet_"


class LocalCounters:
    """Implements ``CounterSource``: a version has one pod of the router's counters, and one of its server's scores.

    They are two pods because they restart separately; each tells when it began to count. A restarted host is another
    router (its incarnation is in the pod's name): what it counts is of the next interval on.

    Args:
        client: the host.
        clock: seconds since the epoch.
    """

    def __init__(self, client: Client, clock: Callable[[], float] = time.time) -> None:
        self._client = client
        self._clock = clock

    def read(self, rollout: Rollout) -> Reading:
        """Read the counters now."""
        state = self._client.state()
        at = self._clock()
        routed = counters(parse_exposition(self._client.metrics(), prefix=_PREFIX), ROUTER)
        arms = {
            version: self._pods(state, version, routed.get((version, "")))
            for version in (rollout.candidate.version, rollout.stable.version)
        }
        return Reading(at, candidate=arms[rollout.candidate.version], stable=arms[rollout.stable.version])

    def _pods(self, state: State, version: str, routed: Counters | None) -> Pods:
        status = state.revisions.get(version)
        if routed is None:
            return {}
        # The router keeps the counters of a version that has left: they are part of its exposure.
        scores = {} if status is None else self._scores(version, status)
        return {f"router-{state.incarnation}": routed, **scores}

    def _scores(self, version: str, status: RevisionStatus) -> Pods:
        """Score histograms of the version's server; nothing while it is down, which the router's counters show."""
        if not status.ready or status.port is None:
            return {}
        try:
            page = self._client.server_metrics(status.port)
        except DependencyError:
            return {}
        served = counters(parse_exposition(page, prefix=_PREFIX), SERVER).get((version, ""))
        if served is None or not served.scores:
            return {}
        return {"server": replace(served, requests=0.0, errors=0.0, latency={}, in_flight=0.0)}
