"""Resource footprint of the server under load: memory, CPU and start time, from its own /metrics.

| series | meaning |
|---|---|
| ``process_resident_memory_bytes`` | resident memory |
| ``process_cpu_seconds_total`` | CPU time since the start |
| ``process_start_time_seconds`` | identifies the process: one address may have several, or a new one |
| ``gauntlet_ready_seconds`` | from the start of the process until it was ready |

Memory is sampled: a peak between two readings may be missed. An absent series makes its check an error; a limit that is
false is not checked.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial

from gauntlet.serving.acceptance.client import Client
from gauntlet.serving.acceptance.policy import FootprintPolicy
from gauntlet.verdict import Check, Status, decide

_SERIES = re.compile(r"^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{[^}]*\})?\s+(\S+)", re.MULTILINE)
_DIGEST = re.compile(r'^gauntlet_model_info\{[^}]*\bdigest="([^"]*)"', re.MULTILINE)
_WARM_UP = 1 / 3
"""Share of the run that is warm-up: caches fill and arenas grow, which is no leak."""
_LEAST_READINGS = 8
"""Fewest readings after the warm-up for a slope."""


@dataclass(frozen=True)
class Reading:
    """One reading of /metrics; ``None`` where a series is absent, or occurs more than once.

    Attributes:
        at: seconds, on this machine's monotonic clock.
        memory: resident bytes.
        cpu: processor seconds.
        started: when the process began, seconds of Unix time.
        ready: seconds from its start until it was ready.
    """

    at: float
    memory: float | None
    cpu: float | None
    started: float | None
    ready: float | None


@dataclass
class Readings:
    """Readings before, during and after a run.

    Attributes:
        pages: (time, page of /metrics), unparsed: parsing during a run would delay its generator.
        failures: readings without a response.
    """

    pages: list[tuple[float, bytes]] = field(default_factory=list)
    failures: int = 0

    @property
    def parsed(self) -> tuple[Reading, ...]:
        """The parsed pages."""
        return tuple(parse_metrics(page.decode(errors="replace"), at) for at, page in self.pages)


@dataclass(frozen=True)
class Footprint:
    """Resource usage of a load run.

    Attributes:
        readings: in order; the first before the load, the last after it.
        requests: requests answered in between.
        failures: readings without a response.
    """

    readings: tuple[Reading, ...]
    requests: int
    failures: int = 0


def parse_metrics(text: str, at: float) -> Reading:
    """Parse the Prometheus text format.

    Args:
        text: the whole page.
        at: time of the reading.
    """
    values: dict[str, float | None] = {}
    for name, value in _SERIES.findall(text):
        if name in _WANTED:
            values[name] = None if name in values else float(value)
    return Reading(at, *(values.get(name) for name in _WANTED))


def served_digest(text: str) -> str | None:
    """Digest of the model that a server reports; ``None`` if it reports none or several."""
    digests = set(_DIGEST.findall(text))
    return digests.pop() if len(digests) == 1 else None


@contextmanager
def sampling_metrics(connect: Callable[[], Client], every: float) -> Iterator[Readings]:
    """Read /metrics before, periodically during, and after the block.

    Args:
        connect: opens a connection.
        every: seconds between two readings.
    """
    readings, stop = Readings(), threading.Event()

    def read(client: Client) -> None:
        reply = client.ask("GET", "/metrics")
        if reply.status == 200:
            readings.pages.append((time.monotonic(), reply.body))
        else:
            readings.failures += 1

    def keep_reading() -> None:
        with connect() as client:
            while not stop.wait(every):
                read(client)

    with connect() as client:
        read(client)
        thread = threading.Thread(target=keep_reading, name="footprint", daemon=True)
        thread.start()
        try:
            yield readings
        finally:
            stop.set()
            thread.join()
        read(client)


@dataclass(frozen=True)
class _Limit:
    """Limit: name of its check, bound (``None``: not checked), code of its check."""

    name: str
    bound: float | None
    code: str


def judge_footprint(footprint: Footprint, policy: FootprintPolicy, *, confidence: float) -> tuple[Check, ...]:
    """Check each limit that is set.

    Args:
        footprint: usage of the run.
        policy: the limits.
        confidence: confidence of the interval of growth.
    """
    trouble = _unreadable(footprint)
    limits: tuple[tuple[_Limit, Callable[[_Limit], Check]], ...] = (
        (_Limit("peak memory (MB)", policy.peak_mb, code="check_serving.peak_memory"), partial(_peak, footprint)),
        (
            _Limit(
                "memory growth (bytes/request)", policy.growth_bytes_per_request, code="check_serving.memory_growth"
            ),
            partial(_growth, footprint, confidence),
        ),
        (
            _Limit("processor time (ms/request)", policy.cpu_ms_per_request, code="check_serving.processor_time"),
            partial(_cpu, footprint),
        ),
        (_Limit("processors busy", policy.cores, code="check_serving.processors"), partial(_cores, footprint)),
        (
            _Limit("cold start (s)", policy.cold_start_seconds, code="check_serving.cold_start"),
            partial(_cold_start, footprint),
        ),
    )
    return tuple(
        _error(limit, trouble) if trouble else judge(limit) for limit, judge in limits if limit.bound is not None
    )


def _unreadable(footprint: Footprint) -> str:
    """Describe why the readings are unusable; empty if they are usable."""
    if len(footprint.readings) < 2:
        return f"The server's /metrics could not be read ({footprint.failures} attempts failed)."
    if len({reading.started for reading in footprint.readings}) > 1:
        return "The process changed during the run: it was started anew, or several answer behind the address."
    return ""


def _peak(footprint: Footprint, limit: _Limit) -> Check:
    known = [reading.memory for reading in footprint.readings if reading.memory is not None]
    if not known:
        return _absent(limit, "process_resident_memory_bytes")
    peak = max(known) / 1e6
    reason = f"At most {peak:,.0f} MB resident in {len(known)} readings; {known[0] / 1e6:,.0f} MB before the load."
    return _point(limit, peak, reason, len(known))


def _growth(footprint: Footprint, confidence: float, limit: _Limit) -> Check:
    """Check memory growth: Sen's slope over requests, with its distribution-free interval (Sen 1968), after warm-up."""
    from scipy.stats import theilslopes

    known = [(reading.at, reading.memory) for reading in footprint.readings[1:-1] if reading.memory is not None]
    if not known and not any(reading.memory is not None for reading in footprint.readings):
        return _absent(limit, "process_resident_memory_bytes")
    late = known[int(len(known) * _WARM_UP) :]
    span = footprint.readings[-1].at - footprint.readings[0].at
    if len(late) < _LEAST_READINGS or not footprint.requests or span <= 0:
        reason = f"{len(late)} readings after warming up are too few for a slope; run longer or read more often."
        return _check(limit, Status.INCONCLUSIVE, reason, sample_size=len(late))
    per_second = footprint.requests / span
    slope, _, low, high = (float(x) for x in theilslopes([y for _, y in late], [x for x, _ in late], confidence))
    growth, ends = slope / per_second, (low / per_second, high / per_second)
    assert limit.bound is not None
    status = decide(ends, bound=limit.bound, direction="max")
    reason = f"Resident memory changed by {growth:,.0f} bytes a request after warming up."
    return _check(limit, status, reason, growth, ends, sample_size=len(late))


def _cpu(footprint: Footprint, limit: _Limit) -> Check:
    spent = _spent(footprint)
    if spent is None:
        return _absent(limit, "process_cpu_seconds_total")
    if not footprint.requests:
        return _error(limit, "No request was answered.")
    per_request = 1e3 * spent[0] / footprint.requests
    return _point(limit, per_request, f"{per_request:.2f} ms of processor time a request.", footprint.requests)


def _cores(footprint: Footprint, limit: _Limit) -> Check:
    spent = _spent(footprint)
    if spent is None or spent[1] <= 0:
        return _absent(limit, "process_cpu_seconds_total")
    cores = spent[0] / spent[1]
    return _point(limit, cores, f"{cores:.2f} processors were busy on average.", len(footprint.readings))


def _cold_start(footprint: Footprint, limit: _Limit) -> Check:
    ready = footprint.readings[-1].ready
    if ready is None:
        return _absent(limit, "gauntlet_ready_seconds")
    return _point(limit, ready, f"Ready {ready:.1f} s after the process began.", 1)


def _spent(footprint: Footprint) -> tuple[float, float] | None:
    """CPU seconds, and seconds, between the first and the last reading with CPU time."""
    known = [(reading.at, reading.cpu) for reading in footprint.readings if reading.cpu is not None]
    return (known[-1][1] - known[0][1], known[-1][0] - known[0][0]) if len(known) > 1 else None


def _point(limit: _Limit, measured: float, reason: str, readings: int) -> Check:
    assert limit.bound is not None
    status = Status.PASS if measured <= limit.bound else Status.FAIL
    return _check(limit, status, reason, measured, sample_size=readings)


def _absent(limit: _Limit, series: str) -> Check:
    reason = f"The server's /metrics have no single series {series}; set the limit to false to leave this out."
    return _error(limit, reason)


def _error(limit: _Limit, reason: str) -> Check:
    return _check(limit, Status.ERROR, reason)


def _check(
    limit: _Limit,
    status: Status,
    reason: str,
    measured: float | None = None,
    interval: tuple[float, float] | None = None,
    *,
    sample_size: int | None = None,
) -> Check:
    return Check(
        limit.name, status, reason, measured, interval, limit.bound, "max", sample_size=sample_size, code=limit.code
    )


_WANTED = (
    "process_resident_memory_bytes",
    "process_cpu_seconds_total",
    "process_start_time_seconds",
    "gauntlet_ready_seconds",
)
"""In the order of ``Reading``'s fields."""
