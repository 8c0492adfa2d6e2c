"""Prometheus metrics: requests by status and model version, which KServe's own metrics lack.

    gauntlet_requests_total{model_name, model_version, protocol, code}     answered requests
    gauntlet_request_errors_total{model_name, model_version, protocol, fault}
                                                                           errors: fault of caller or server
    gauntlet_request_seconds{model_name, model_version, protocol}          from the body's arrival to the response
    gauntlet_requests_in_flight{model_name, model_version}                 hung requests are in no histogram
    gauntlet_rows_total{model_name, model_version}                         rows answered
    gauntlet_scores_bucket{model_name, model_version, le}                  rows with a score of at most le
    gauntlet_slice_scores_bucket{model_name, model_version, slice, le}     the same by group (``region=north``)
    gauntlet_turned_away_total{model_name, model_version, reason}          callers that were too slow, or held too much
                                                                           (connections.REASONS)
    gauntlet_ready_seconds{model_name, model_version}                      from the process's start to its first ready
    gauntlet_start_time_seconds{model_name, model_version}                 when these counters began, since the epoch
    gauntlet_model_info{model_name, model_version, digest}                 1

No label comes from a request. Counters exist from the start, at zero, so that the first error is an increase and not a
new series.
"""

from __future__ import annotations

import time
from collections import Counter as Counts
from collections.abc import Iterator, Mapping

from prometheus_client import REGISTRY, CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily

from gauntlet.serving.connections import REASONS
from gauntlet.serving.score_counts import ScoreCounts
from gauntlet.serving.service import Reply

PROTOCOLS = ("v1", "v2")
CODES = (200, 400, 413, 500, 503)
BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Upper bounds in seconds: from a direct one-row request to a client's usual time-out."""

_MODEL = ("model_name", "model_version")


class Metrics:
    """Metrics of one model.

    Args:
        name: the model's name.
        version: its version.
        digest: its content digest.
        scores: score counts, if scores are counted.
        registry: the Prometheus registry.
        turned_away: callers turned away, by reason.
    """

    def __init__(
        self,
        name: str,
        version: str,
        digest: str,
        scores: ScoreCounts | None = None,
        registry: CollectorRegistry = REGISTRY,
        turned_away: Counts[str] | None = None,
    ) -> None:
        model = {"model_name": name, "model_version": version}
        requests = Counter("gauntlet_requests", "Requests by status.", (*_MODEL, "protocol", "code"), registry=registry)
        errors = Counter(
            "gauntlet_request_errors", "Requests without an answer.", (*_MODEL, "protocol", "fault"), registry=registry
        )
        seconds = Histogram(
            "gauntlet_request_seconds",
            "Time from the body's arrival to the response.",
            (*_MODEL, "protocol"),
            buckets=BUCKETS,
            registry=registry,
        )
        in_flight = Gauge("gauntlet_requests_in_flight", "Requests being answered.", _MODEL, registry=registry)
        rows = Counter("gauntlet_rows", "Rows answered.", _MODEL, registry=registry)
        info = Gauge("gauntlet_model_info", "The model served.", (*_MODEL, "digest"), registry=registry)
        info.labels(**model, digest=digest).set(1)
        ready = Gauge(
            "gauntlet_ready_seconds", "From the process's start to its first ready.", _MODEL, registry=registry
        )
        started = Gauge("gauntlet_start_time_seconds", "When these counters began.", _MODEL, registry=registry)
        started.labels(**model).set(time.time())
        if scores:
            registry.register(_Scores(scores, (name, version)))
        self.turned_away: Counts[str] = Counts() if turned_away is None else turned_away
        registry.register(_TurnedAway(self.turned_away, (name, version)))
        self.in_flight = in_flight.labels(**model)
        self.ready_seconds = ready.labels(**model)
        self._rows = rows.labels(**model)
        self._seconds = {protocol: seconds.labels(**model, protocol=protocol) for protocol in PROTOCOLS}
        self._requests = {
            (protocol, code): requests.labels(**model, protocol=protocol, code=str(code))
            for protocol in PROTOCOLS
            for code in CODES
        }
        self._errors = {
            (protocol, fault): errors.labels(**model, protocol=protocol, fault=fault)
            for protocol in PROTOCOLS
            for fault in ("caller", "server")
        }

    def record(self, protocol: str, reply: Reply, seconds: float) -> None:
        """Count one answered request.

        Args:
            protocol: one of ``PROTOCOLS``.
            reply: the response; its status is one of ``CODES``.
            seconds: its duration.
        """
        self._requests[protocol, reply.status].inc()
        self._seconds[protocol].observe(seconds)
        self._rows.inc(reply.rows)
        if reply.status != 200:
            self._errors[protocol, "caller" if reply.status < 500 else "server"].inc()


class _TurnedAway:
    """Collector of the callers turned away."""

    def __init__(self, turned_away: Mapping[str, int], model: tuple[str, str]) -> None:
        self._turned_away = turned_away
        self._model = model

    def collect(self) -> Iterator[CounterMetricFamily]:
        """Yield the counter (interface of prometheus_client)."""
        family = CounterMetricFamily(
            "gauntlet_turned_away", "Callers that were too slow or held too much.", labels=(*_MODEL, "reason")
        )
        for reason in REASONS:
            family.add_metric((*self._model, reason), self._turned_away.get(reason, 0))
        yield family


class _Scores:
    """Collector of score counts as histograms.

    A histogram of the client library would search its bounds linearly for every row.
    """

    def __init__(self, counts: ScoreCounts, model: tuple[str, str]) -> None:
        self._counts = counts
        self._model = model
        self._bounds = [*map(repr, counts.edges), "+Inf"]

    def collect(self) -> Iterator[HistogramMetricFamily]:
        """Yield the histograms (interface of prometheus_client)."""
        scores = HistogramMetricFamily("gauntlet_scores", "Scores answered.", labels=_MODEL)
        scores.add_metric(self._model, self._buckets(self._counts.totals()), None)
        yield scores
        if by_slice := self._counts.by_slice():
            sliced = HistogramMetricFamily("gauntlet_slice_scores", "Scores answered.", labels=(*_MODEL, "slice"))
            for name, totals in by_slice.items():
                sliced.add_metric((*self._model, name), self._buckets(totals), None)
            yield sliced

    def _buckets(self, totals: list[int]) -> list[tuple[str, float]]:
        return [(bound, float(total)) for bound, total in zip(self._bounds, totals, strict=True)]
