"""Prometheus series of the router and the mirror.

    gauntlet_router_requests_total{version, code}      responses, by the version they were routed to
    gauntlet_router_errors_total{version}              of these, 5xx; 502 broken, 503 no server, 504 timeout
    gauntlet_router_seconds{version}                   histogram: from the whole request to the whole answer
    gauntlet_router_in_flight{version}                 requests being answered
    gauntlet_router_weight{version}                    percent of requests in force
    gauntlet_router_start_time_seconds{version}        when these series began, seconds since the epoch
    gauntlet_mirror_requests_total{version}            requests copied, whose end is known
    gauntlet_mirror_pairs_total{version}               of these, answered by both versions (refused alike: not counted)
    gauntlet_mirror_flips_total{version}               of these, decided otherwise in at least one row
    gauntlet_mirror_incomparable_total{version}        of these, answers of different form; they count as flips
    gauntlet_mirror_errors_total{version, lost}        of the copied, not answered by candidate, stable, or both
    gauntlet_mirror_dropped_total{version}             requests not copied, because too many waited
    gauntlet_mirror_difference{version}                histogram of absolute differences of scores, by row
    gauntlet_mirror_scores{version, arm}               histogram of the scores of both, by row
    gauntlet_mirror_seconds{version, arm}              histogram of the latencies of both, by pair

Every series of a version exists, at zero, from the moment the version does.
"""

from __future__ import annotations

import time
from collections.abc import Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics, generate_latest

from gauntlet.serving.metrics import BUCKETS, CODES

ROUTER_CODES = (*CODES, 502, 503, 504)
ARMS = ("candidate", "stable")
LOST = (*ARMS, "both")
DIFFERENCES = (0.0, 1e-9, 1e-6, 1e-4, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0)
"""Upper bounds of absolute differences: bit-equal, rounding, and up to opposite answers."""
SCORES = tuple(round(0.05 * step, 2) for step in range(1, 21))
"""Upper bounds of scores."""


class Requests:
    """The series of one version at the router."""

    def __init__(self, version: str, family: Family) -> None:
        self._codes = {code: family.requests.labels(version, str(code)) for code in ROUTER_CODES}
        self._family = family
        self._version = version
        self._errors = family.errors.labels(version)
        self._seconds = family.seconds.labels(version)
        self.in_flight = family.in_flight.labels(version)
        self.weight = family.weight.labels(version)
        family.started.labels(version).set(time.time())

    def record(self, status: int, seconds: float) -> None:
        """Count one answer."""
        code = self._codes.get(status)
        if code is None:
            code = self._codes[status] = self._family.requests.labels(self._version, str(status))
        code.inc()
        self._seconds.observe(seconds)
        if status >= 500:
            self._errors.inc()


class Pairs:
    """The series of one mirrored version."""

    def __init__(self, version: str, family: Family) -> None:
        self._version = version
        self._family = family
        self.pairs = family.pairs.labels(version)
        self.flips = family.flips.labels(version)
        self.requests = family.copied.labels(version)
        self.incomparable = family.incomparable.labels(version)
        self.dropped = family.dropped.labels(version)
        self.difference = family.difference.labels(version)
        self.errors = {lost: family.mirror_errors.labels(version, lost) for lost in LOST}
        self.scores = {arm: family.scores.labels(version, arm) for arm in ARMS}
        self.seconds = {arm: family.mirror_seconds.labels(version, arm) for arm in ARMS}

    def counts(self) -> dict[str, float]:
        """The counters of this version, by name."""
        value = self._family.registry.get_sample_value
        plain = ("requests", "pairs", "flips", "incomparable", "dropped")
        counts = {name: value(f"gauntlet_mirror_{name}_total", {"version": self._version}) for name in plain}
        for lost in LOST:
            counts[f"lost_by_{lost}"] = value("gauntlet_mirror_errors_total", {"version": self._version, "lost": lost})
        return {name: count or 0.0 for name, count in counts.items()}


class Family:
    """All series of one host; those of a version that has left stay until the host stops."""

    def __init__(self) -> None:
        disable_created_metrics()
        self.registry = CollectorRegistry()
        self.requests = self._counter("router_requests", "Answers by version and status.", "version", "code")
        self.errors = self._counter("router_errors", "Answers of 5xx.", "version")
        self.seconds = self._histogram("router_seconds", "Whole request to whole answer.", BUCKETS, "version")
        self.in_flight = Gauge(
            "gauntlet_router_in_flight", "Requests being answered.", ["version"], registry=self.registry
        )
        self.weight = Gauge("gauntlet_router_weight", "Percent of requests.", ["version"], registry=self.registry)
        self.started = Gauge(
            "gauntlet_router_start_time_seconds", "When its series began.", ["version"], registry=self.registry
        )
        self.pairs = self._counter("mirror_pairs", "Copies that both answered.", "version")
        self.flips = self._counter("mirror_flips", "Pairs decided otherwise.", "version")
        self.copied = self._counter("mirror_requests", "Requests copied.", "version")
        self.mirror_errors = self._counter("mirror_errors", "Copies not answered.", "version", "lost")
        self.incomparable = self._counter("mirror_incomparable", "Answers of different form.", "version")
        self.dropped = self._counter("mirror_dropped", "Requests not copied for want of room.", "version")
        self.difference = self._histogram("mirror_difference", "Difference of scores.", DIFFERENCES, "version")
        self.scores = self._histogram("mirror_scores", "Scores.", SCORES, "version", "arm")
        self.mirror_seconds = self._histogram("mirror_seconds", "Latency.", BUCKETS, "version", "arm")
        self._of: dict[str, Requests] = {}
        self._pairs: dict[str, Pairs] = {}

    def of(self, version: str) -> Requests:
        """The router's series of a version."""
        if version not in self._of:
            self._of[version] = Requests(version, self)
        return self._of[version]

    def pairs_of(self, version: str) -> Pairs:
        """The mirror's series of a version."""
        if version not in self._pairs:
            self._pairs[version] = Pairs(version, self)
        return self._pairs[version]

    def weigh(self, weights: Mapping[str, int]) -> None:
        """Set the gauges of the weights in force."""
        for version in {*self._of, *weights}:
            self.of(version).weight.set(weights.get(version, 0))

    def page(self) -> bytes:
        """The ``/metrics`` page."""
        return bytes(generate_latest(self.registry))

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(f"gauntlet_{name}", text, labels, registry=self.registry)

    def _histogram(self, name: str, text: str, buckets: tuple[float, ...], *labels: str) -> Histogram:
        return Histogram(f"gauntlet_{name}", text, labels, buckets=buckets, registry=self.registry)
