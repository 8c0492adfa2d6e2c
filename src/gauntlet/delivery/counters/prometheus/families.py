"""Maps metric families to the counters of every version and pod."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from gauntlet.delivery.counters.prometheus.exposition import Sample
from gauntlet.delivery.counters.source import Counters
from gauntlet.delivery.evidence.counts import whole_number
from gauntlet.delivery.evidence.histograms import checked
from gauntlet.errors import DataError

VersionAndPod = tuple[str, str]


@dataclass(frozen=True)
class Family:
    """The metric families that one kind of exporter keeps of requests.

    Attributes:
        version: the label whose value tells the versions apart.
        requests: counter of answered requests, one series a status code.
        code: its label with the status; 500 and above is the server's own fault.
        latency: buckets of seconds; empty where none are kept.
        scores: buckets of the scores answered; empty where none are kept.
        sliced: the same by slice, in the label ``slice``.
        in_flight: gauge of requests being answered; empty where none is kept.
        started: gauges of when the counters began, seconds since the epoch, the best first; a server may have either.
        pod: the label that names the pod; empty where all samples come from one.
        summed: labels that are summed over, such as the protocol.
        units: units of ``le`` in ``latency`` per second.
    """

    version: str
    requests: str
    code: str = "code"
    latency: str = ""
    scores: str = ""
    sliced: str = ""
    in_flight: str = ""
    started: tuple[str, ...] = ()
    pod: str = ""
    summed: tuple[str, ...] = ()
    units: float = 1.0


SERVER = Family(
    version="model_version",
    requests="gauntlet_requests_total",
    latency="gauntlet_request_seconds_bucket",
    scores="gauntlet_scores_bucket",
    sliced="gauntlet_slice_scores_bucket",
    in_flight="gauntlet_requests_in_flight",
    started=("gauntlet_start_time_seconds", "gauntlet_requests_created"),
    summed=("protocol",),
)
"""Gauntlet's model server (``serving.metrics``)."""

ROUTER = Family(
    version="version",
    requests="gauntlet_router_requests_total",
    latency="gauntlet_router_seconds_bucket",
    in_flight="gauntlet_router_in_flight",
    started=("gauntlet_router_start_time_seconds",),
)
"""The local router: answers as callers saw them, including timeouts (504) and broken connections (502)."""

KNATIVE = Family(
    version="revision_name",
    requests="kn_serving_invocation_duration_seconds_count",
    code="http_response_status_code",
    latency="kn_serving_invocation_duration_seconds_bucket",
    started=("process_start_time_seconds",),
    summed=("http_response_status_code",),
)
"""Knative's queue-proxy, 1.19 and later; the scrape adds ``revision_name`` (manifests/monitoring)."""

KNATIVE_1_18 = Family(
    version="revision_name",
    requests="revision_app_request_count",
    code="response_code",
    latency="revision_app_request_latencies_bucket",
    summed=("response_code",),
    units=1000.0,
)
"""Knative's queue-proxy up to 1.18, which counts milliseconds and does not tell when it was started."""

FAMILIES: Mapping[str, Family] = {
    "server": SERVER,
    "router": ROUTER,
    "knative": KNATIVE,
    "knative_1_18": KNATIVE_1_18,
}
"""Name, as in settings and of the folder of its queries → family."""


def counters(samples: Iterable[Sample], family: Family) -> dict[VersionAndPod, Counters]:
    """Collect the counters of every (version, pod) in the samples; other series are skipped.

    A version that has other series but none of ``family.requests`` is left out: it has not been counted yet.

    Raises:
        DataError: two series where one was meant (for instance because two scrape jobs watch one pod), a value that is
            no count, or a histogram that is not cumulative.
    """
    collected = _Collected(family)
    for sample in samples:
        collected.add(sample)
    return {where: collected.counters(where) for where in sorted(collected.requests)}


class _Collected:
    """Counters collected from samples so far, by version and pod; each series once."""

    def __init__(self, family: Family) -> None:
        self.requests: dict[VersionAndPod, dict[str, float]] = {}
        self._in_flight: dict[VersionAndPod, float] = {}
        self._started: dict[tuple[str, VersionAndPod], set[float]] = {}
        self._buckets: dict[tuple[str, str, VersionAndPod], dict[float, float]] = {}
        self._family = family
        self._series: dict[tuple[str, ...], Mapping[str, str]] = {}

    def add(self, sample: Sample) -> None:
        family = self._family
        if sample.name == family.requests:
            where = self._where(sample, sample.labels.get(family.code, ""))
            codes = self.requests.setdefault(where, {})
            code = sample.labels.get(family.code, "")
            codes[code] = codes.get(code, 0.0) + _count(sample)
        elif sample.name and sample.name == family.in_flight:
            where = self._where(sample)
            self._in_flight[where] = self._in_flight.get(where, 0.0) + _count(sample)
        elif sample.name in family.started:
            where = sample.labels.get(family.version, ""), sample.labels.get(family.pod, "") if family.pod else ""
            self._started.setdefault((sample.name, where), set()).add(sample.value)
        elif sample.name in (family.latency, family.scores, family.sliced):
            part, boundary = sample.labels.get("slice", ""), _boundary(sample)
            boundary = boundary / family.units if sample.name == family.latency else boundary
            where = self._where(sample, repr(boundary), part)
            buckets = self._buckets.setdefault((sample.name, part, where), {})
            buckets[boundary] = buckets.get(boundary, 0.0) + _count(sample)

    def counters(self, where: VersionAndPod) -> Counters:
        family, codes = self._family, self.requests[where]
        return Counters(
            requests=sum(codes.values()),
            errors=sum(value for code, value in codes.items() if _is_fault(code)),
            latency=self._histogram(family.latency, "", where),
            scores=self._histogram(family.scores, "", where),
            sliced={
                part: self._histogram(name, part, where)
                for name, part, there in sorted(self._buckets)
                if name == family.sliced and there == where
            },
            in_flight=self._in_flight.get(where, 0.0),
            started=self._start(where),
        )

    def _start(self, where: VersionAndPod) -> float | None:
        """When the counters of a pod began; ``None`` where nothing tells, or several processes claim to be it."""
        for name in self._family.started:
            starts = self._started.get((name, where), set())
            if not starts:
                continue
            # A counter's series are created one by one, the first with the process; a process has one start.
            usable = all(math.isfinite(value) for value in starts) and (name.endswith("_created") or len(starts) == 1)
            return min(starts) if usable else None
        return None

    def _histogram(self, name: str, part: str, where: VersionAndPod) -> dict[float, float]:
        buckets = self._buckets.get((name, part, where), {})
        if buckets:
            checked(buckets, pod=" ".join(filter(None, (name, part, *where))))
        return buckets

    def _where(self, sample: Sample, *parts: str) -> VersionAndPod:
        """Version and pod of a sample; refuses a second series of the same kind there."""
        family, labels = self._family, sample.labels
        where = (labels.get(family.version, ""), labels.get(family.pod, "") if family.pod else "")
        key = (sample.name, *where, *parts, *(labels.get(name, "") for name in family.summed))
        if key in self._series:
            other = self._series[key]
            differing = sorted(name for name in {*labels, *other} if labels.get(name) != other.get(name))
            raise DataError(
                "has two series where one was meant",
                field=" ".join(filter(None, (sample.name, *where))),
                value=differing,
                mend="Let one scrape job watch a pod, or narrow what is selected",
            )
        self._series[key] = labels
        return where


def _is_fault(code: str) -> bool:
    """5xx, or no status at all: the connection broke."""
    return not (code.isdecimal() and 100 <= int(code) < 500)


def _count(sample: Sample) -> float:
    whole_number(sample.value, field=sample.name)
    return sample.value


def _boundary(sample: Sample) -> float:
    try:
        boundary = float(sample.labels.get("le", ""))
    except ValueError:
        boundary = math.nan
    if math.isnan(boundary):
        raise DataError(
            "is no bucket", field=sample.name, value=sample.labels.get("le"), mend="Select the series _bucket"
        )
    return boundary
