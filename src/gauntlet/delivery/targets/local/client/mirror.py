"""Mirroring on a local service: started and stopped, and the router's counts of it."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Mapping

from gauntlet.delivery.counters.prometheus.exposition import Sample, parse_exposition
from gauntlet.delivery.rollout.state import Rollout
from gauntlet.delivery.shadow.gate import ShadowCounts
from gauntlet.delivery.targets.local import transitions
from gauntlet.delivery.targets.local.client.host_client import Client
from gauntlet.errors import DependencyError

_PREFIX = "gauntlet_mirror_"
Counts = Mapping[tuple[str, str], float]
"""(series without its prefix, the label that tells its members apart) → value."""


class LocalMirror:
    """Implements ``service.Mirror``.

    Args:
        client: the host.
        clock: seconds since the epoch.
    """

    def __init__(self, client: Client, clock: Callable[[], float] = time.time) -> None:
        self._client = client
        self._clock = clock
        self._began = 0.0
        self._before: Counts = {}
        self._incarnation = ""

    def start(self, rollout: Rollout, share: float) -> None:
        """Mirror requests; counts of an earlier shadow are subtracted."""
        self._incarnation = self._client.state().incarnation
        self._before = self._counts(rollout.candidate.version)
        self._began = self._clock()
        self._client.change(lambda now: transitions.shadow(now, rollout.candidate, share))

    def counts(self, rollout: Rollout) -> ShadowCounts:
        """The counts since the start.

        Raises:
            DependencyError: the host was restarted meanwhile, which reset its counters.
        """
        after = self._counts(rollout.candidate.version)
        if self._client.state().incarnation != self._incarnation:
            raise DependencyError(
                "was restarted, so the counts of the shadow are lost",
                field=str(self._client.folder),
                mend="Run the shadow again",
                retryable=True,
            )
        since = {key: value - self._before.get(key, 0.0) for key, value in after.items()}
        histograms = _histograms(since)
        return ShadowCounts(
            pairs=int(since.get(("pairs_total", ""), 0)),
            flips=int(since.get(("flips_total", ""), 0)),
            candidate_errors=int(since.get(("errors_total", "candidate"), 0)),
            stable_errors=int(since.get(("errors_total", "stable"), 0)),
            both_errors=int(since.get(("errors_total", "both"), 0)),
            dropped=int(since.get(("dropped_total", ""), 0)),
            differences=histograms["difference", ""],
            candidate_latency=histograms["seconds", "candidate"],
            stable_latency=histograms["seconds", "stable"],
            candidate_scores=histograms["scores", "candidate"],
            stable_scores=histograms["scores", "stable"],
            seconds=max(self._clock() - self._began, 0.0),
        )

    def stop(self, rollout: Rollout) -> None:
        """Stop mirroring; the candidate stays, without requests."""
        self._client.change(lambda now: transitions.without_mirror(now))

    def _counts(self, version: str) -> Counts:
        samples = parse_exposition(self._client.metrics(), prefix=_PREFIX)
        return {_key(sample): sample.value for sample in samples if sample.labels.get("version") == version}


def _key(sample: Sample) -> tuple[str, str]:
    labels = sample.labels
    member = "|".join(labels[name] for name in ("arm", "lost", "le") if name in labels)
    return sample.name.removeprefix(_PREFIX), member


def _histograms(counts: Counts) -> defaultdict[tuple[str, str], dict[float, float]]:
    """(name, arm) → bucket's upper bound → count."""
    histograms: defaultdict[tuple[str, str], dict[float, float]] = defaultdict(dict)
    for (series, member), value in counts.items():
        if series.endswith("_bucket"):
            arm, _, bound = member.rpartition("|")
            histograms[series.removesuffix("_bucket"), arm][float(bound)] = value
    return histograms
