"""What the server takes under load: memory, processor and the time it needed to start, as its own /metrics say.

| series | what it is |
|---|---|
| ``process_resident_memory_bytes`` | resident memory now |
| ``process_cpu_seconds_total`` | processor time since the start |
| ``process_start_time_seconds`` | which process it is: behind one address there may be several, or a new one |
| ``gauntlet_ready_seconds`` | from the start of the process until it was ready |

Memory is seen when it is looked at: a shorter peak than the time between two looks may be missed. A series that is not
there makes its check an error; a limit that is false is not asked for.
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
"""Of the run: caches fill and arenas grow, which is no leak."""
_LEAST_LOOKS = 8
"""Looks after warming up, below which no slope is estimated."""


@dataclass(frozen=True)
class Look:
    """One reading of /metrics; ``None`` where a series is absent, or is there more than once.

    Attributes:
        at: seconds, on this machine's monotonic clock.
        memory: resident bytes.
        cpu: processor seconds.
        started: when the process began, seconds of Unix time.
        ready: seconds it took to be ready.
    """

    at: float
    memory: float | None
    cpu: float | None
    started: float | None
    ready: float | None


@dataclass
class Looks:
    """Readings of a run: before it, during it every so often, after it.

    Attributes:
        pages: (when, the page of /metrics) as they came; reading them during a run would make its generator late.
        failures: looks that were not answered.
    """

    pages: list[tuple[float, bytes]] = field(default_factory=list)
    failures: int = 0

    @property
    def taken(self) -> tuple[Look, ...]:
        """The pages, read."""
        return tuple(read_look(page.decode(errors="replace"), at) for at, page in self.pages)


@dataclass(frozen=True)
class Footprint:
    """What a run of load took.

    Attributes:
        looks: in order; the first before the load, the last after it.
        requests: answered in between.
        failures: looks at /metrics that were not answered.
    """

    looks: tuple[Look, ...]
    requests: int
    failures: int = 0


def read_look(text: str, at: float) -> Look:
    """Read the text form of Prometheus.

    Args:
        text: the whole page.
        at: when it was read.
    """
    found: dict[str, float | None] = {}
    for name, value in _SERIES.findall(text):
        if name in _WANTED:
            found[name] = None if name in found else float(value)
    return Look(at, *(found.get(name) for name in _WANTED))


def served_digest(text: str) -> str | None:
    """The digest of the model that a server says it serves; ``None`` where it does not say, or says several."""
    found = set(_DIGEST.findall(text))
    return found.pop() if len(found) == 1 else None


@contextmanager
def watching(connect: Callable[[], Client], every: float) -> Iterator[Looks]:
    """Look at /metrics before a block, every so often during it, and after it.

    Args:
        connect: opens a connection.
        every: seconds between two looks.
    """
    looks, done = Looks(), threading.Event()

    def look(client: Client) -> None:
        reply = client.ask("GET", "/metrics")
        if reply.status == 200:
            looks.pages.append((time.monotonic(), reply.body))
        else:
            looks.failures += 1

    def keep_looking() -> None:
        with connect() as client:
            while not done.wait(every):
                look(client)

    with connect() as client:
        look(client)
        thread = threading.Thread(target=keep_looking, name="footprint", daemon=True)
        thread.start()
        try:
            yield looks
        finally:
            done.set()
            thread.join()
        look(client)


@dataclass(frozen=True)
class _Asked:
    """A limit: the check's name, the bound (``None``: not asked for), the check's code."""

    name: str
    bound: float | None
    code: str


def judge_footprint(seen: Footprint, policy: FootprintPolicy, *, confidence: float) -> tuple[Check, ...]:
    """A check for each limit that is asked for.

    Args:
        seen: what the run took.
        policy: the limits.
        confidence: of the interval of growth.
    """
    trouble = _trouble(seen)
    asked: tuple[tuple[_Asked, Callable[[_Asked], Check]], ...] = (
        (_Asked("peak memory (MB)", policy.peak_mb, code="check_serving.peak_memory"), partial(_peak, seen)),
        (
            _Asked(
                "memory growth (bytes/request)", policy.growth_bytes_per_request, code="check_serving.memory_growth"
            ),
            partial(_growth, seen, confidence),
        ),
        (
            _Asked("processor time (ms/request)", policy.cpu_ms_per_request, code="check_serving.processor_time"),
            partial(_cpu, seen),
        ),
        (_Asked("processors busy", policy.cores, code="check_serving.processors"), partial(_cores, seen)),
        (
            _Asked("cold start (s)", policy.cold_start_seconds, code="check_serving.cold_start"),
            partial(_cold_start, seen),
        ),
    )
    return tuple(
        _error(limit, trouble) if trouble else judge(limit) for limit, judge in asked if limit.bound is not None
    )


def _trouble(seen: Footprint) -> str:
    """Why the looks say nothing; empty when they do."""
    if len(seen.looks) < 2:
        return f"The server's /metrics could not be read ({seen.failures} attempts failed)."
    if len({look.started for look in seen.looks}) > 1:
        return "The process changed during the run: it was started anew, or several answer behind the address."
    return ""


def _peak(seen: Footprint, limit: _Asked) -> Check:
    known = [look.memory for look in seen.looks if look.memory is not None]
    if not known:
        return _absent(limit, "process_resident_memory_bytes")
    peak = max(known) / 1e6
    reason = f"At most {peak:,.0f} MB resident in {len(known)} looks; {known[0] / 1e6:,.0f} MB before the load."
    return _point(limit, peak, reason, len(known))


def _growth(seen: Footprint, confidence: float, limit: _Asked) -> Check:
    """Sen's slope of memory over requests, with its distribution-free interval (Sen 1968), after warming up."""
    from scipy.stats import theilslopes

    known = [(look.at, look.memory) for look in seen.looks[1:-1] if look.memory is not None]
    if not known and not any(look.memory is not None for look in seen.looks):
        return _absent(limit, "process_resident_memory_bytes")
    late = known[int(len(known) * _WARM_UP) :]
    span = seen.looks[-1].at - seen.looks[0].at
    if len(late) < _LEAST_LOOKS or not seen.requests or span <= 0:
        reason = f"{len(late)} looks after warming up are too few for a slope; run longer or look more often."
        return _check(limit, Status.INCONCLUSIVE, reason, sample_size=len(late))
    per_second = seen.requests / span
    slope, _, low, high = (float(x) for x in theilslopes([y for _, y in late], [x for x, _ in late], confidence))
    found, ends = slope / per_second, (low / per_second, high / per_second)
    assert limit.bound is not None
    status = decide(ends, bound=limit.bound, direction="max")
    reason = f"Resident memory changed by {found:,.0f} bytes a request after warming up."
    return _check(limit, status, reason, found, ends, sample_size=len(late))


def _cpu(seen: Footprint, limit: _Asked) -> Check:
    spent = _spent(seen)
    if spent is None:
        return _absent(limit, "process_cpu_seconds_total")
    if not seen.requests:
        return _error(limit, "No request was answered.")
    found = 1e3 * spent[0] / seen.requests
    return _point(limit, found, f"{found:.2f} ms of processor time a request.", seen.requests)


def _cores(seen: Footprint, limit: _Asked) -> Check:
    spent = _spent(seen)
    if spent is None or spent[1] <= 0:
        return _absent(limit, "process_cpu_seconds_total")
    found = spent[0] / spent[1]
    return _point(limit, found, f"{found:.2f} processors were busy on average.", len(seen.looks))


def _cold_start(seen: Footprint, limit: _Asked) -> Check:
    ready = seen.looks[-1].ready
    if ready is None:
        return _absent(limit, "gauntlet_ready_seconds")
    return _point(limit, ready, f"Ready {ready:.1f} s after the process began.", 1)


def _spent(seen: Footprint) -> tuple[float, float] | None:
    """Processor seconds and seconds between the first and the last look that tell."""
    known = [(look.at, look.cpu) for look in seen.looks if look.cpu is not None]
    return (known[-1][1] - known[0][1], known[-1][0] - known[0][0]) if len(known) > 1 else None


def _point(limit: _Asked, found: float, reason: str, looks: int) -> Check:
    assert limit.bound is not None
    status = Status.PASS if found <= limit.bound else Status.FAIL
    return _check(limit, status, reason, found, sample_size=looks)


def _absent(limit: _Asked, series: str) -> Check:
    reason = f"The server's /metrics have no single series {series}; set the limit to false to leave this out."
    return _error(limit, reason)


def _error(limit: _Asked, reason: str) -> Check:
    return _check(limit, Status.ERROR, reason)


def _check(
    limit: _Asked,
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
"""In the order of ``Look``'s fields."""
