"""What Prometheus is told: every request by status, with the model's version, which KServe's own metrics lack.

    gauntlet_requests_total{model_name, model_version, protocol, code}     answered requests
    gauntlet_request_errors_total{model_name, model_version, protocol, fault}
                                                                           those not answered: fault of caller or server
    gauntlet_request_seconds{model_name, model_version, protocol}          from the body's arrival to the response
    gauntlet_requests_in_flight{model_name, model_version}                 hung ones are in no histogram
    gauntlet_rows_total{model_name, model_version}                         rows answered
    gauntlet_model_info{model_name, model_version, digest}                 1

All labels are the server's own; nothing a caller sends becomes one. Counters exist from the start, at zero, so that the
first error is a rise and not the birth of a series.
"""

from __future__ import annotations

from prometheus_client import REGISTRY, CollectorRegistry, Counter, Gauge, Histogram

from gauntlet.serving.service import Reply

PROTOCOLS = ("v1", "v2")
CODES = (200, 400, 413, 500)
BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Upper bounds in seconds: from a direct one-row request to a client's usual time-out."""

_MODEL = ("model_name", "model_version")


class Metrics:
    """The series of one model.

    Args:
        name: the model's name.
        version: its version.
        digest: its content digest.
        registry: where they are registered.
    """

    def __init__(self, name: str, version: str, digest: str, registry: CollectorRegistry = REGISTRY) -> None:
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
        self.in_flight = in_flight.labels(**model)
        self._rows = rows.labels(**model)
        self._seconds = {one: seconds.labels(**model, protocol=one) for one in PROTOCOLS}
        self._requests = {
            (one, code): requests.labels(**model, protocol=one, code=str(code)) for one in PROTOCOLS for code in CODES
        }
        self._errors = {
            (one, fault): errors.labels(**model, protocol=one, fault=fault)
            for one in PROTOCOLS
            for fault in ("caller", "server")
        }

    def record(self, protocol: str, reply: Reply, seconds: float) -> None:
        """Count one answered request.

        Args:
            protocol: one of ``PROTOCOLS``.
            reply: what was sent; its status is one of ``CODES``.
            seconds: how long it took.
        """
        self._requests[protocol, reply.status].inc()
        self._seconds[protocol].observe(seconds)
        self._rows.inc(reply.rows)
        if reply.status != 200:
            self._errors[protocol, "caller" if reply.status < 500 else "server"].inc()
