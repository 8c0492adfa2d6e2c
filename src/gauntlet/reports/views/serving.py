"""The page of the serving tests: the API, served against offline scores, latencies, the highest rate, memory."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from gauntlet.reports.format import number
from gauntlet.reports.plots import Series, TailMark, Trial
from gauntlet.serving.acceptance.conformance import Finding
from gauntlet.serving.acceptance.footprint import Footprint
from gauntlet.serving.acceptance.gate import Examination
from gauntlet.serving.acceptance.latency import LATENCY, LatencyRun, SaturationRun, label
from gauntlet.serving.acceptance.parity import Differing, Parity
from gauntlet.serving.acceptance.policy import QUANTILES, LatencyLimits
from gauntlet.serving.arrivals import Floats
from gauntlet.verdict import Verdict

_TAIL_POINTS = 240
_MOST_PROBLEMS = 20
_APART = (0.0, 1e-12, 1e-9, 1e-6, 1e-3)


@dataclass(frozen=True)
class QuantileRow:
    """A quantile of latency as the table shows it, in milliseconds."""

    name: str
    value: float
    interval: tuple[float, float]
    limit: float | None
    service: float
    requests_needed: int | None


@dataclass(frozen=True)
class LatencyView:
    """The run at the rate asked for.

    Attributes:
        rate: requests per second asked for.
        achieved: requests per second sent.
        seconds: how long.
        requests: how many.
        protocol: which protocol was asked.
        rows: rows of each request.
        errors: kind → how many failed that way.
        faults: why the run does not count; empty when it does.
        lines: quantiles of latency, and of service alone.
        marks: the judged quantiles.
        table: p50 to p99.9.
        confidence: of each interval.
    """

    rate: float
    achieved: float
    seconds: float
    requests: int
    protocol: str
    rows: int
    errors: dict[str, int]
    faults: tuple[str, ...]
    lines: tuple[Series, ...]
    marks: tuple[TailMark, ...]
    table: tuple[QuantileRow, ...]
    confidence: float


@dataclass(frozen=True)
class SaturationView:
    """The search for the highest rate.

    Attributes:
        kept: highest rate kept; ``None`` for none.
        broken: lowest rate above it that was not.
        runs: all of them; p99 in milliseconds.
        limit: of p99, milliseconds.
        asked: the rate that has to be kept.
        table: (rate, p99 in milliseconds, share of errors, what broke).
    """

    kept: float | None
    broken: float | None
    runs: tuple[Trial, ...]
    limit: float | None
    asked: float
    table: tuple[tuple[float, float, float, str], ...]


@dataclass(frozen=True)
class MemoryView:
    """What the server took during the run of load.

    Attributes:
        line: resident MB over seconds since the first look.
        peak: most MB seen.
        before: MB before the load.
        after: MB after it.
        cores: processors busy on average; ``None`` where unknown.
        cpu_ms: processor milliseconds a request; ``None`` where unknown.
        ready: seconds from start to ready; ``None`` where unknown.
    """

    line: Series | None
    peak: float | None
    before: float | None
    after: float | None
    cores: float | None
    cpu_ms: float | None
    ready: float | None


@dataclass(frozen=True)
class ParityView:
    """Served against offline scores, asked for in one way.

    Attributes:
        name: the way.
        rows: rows asked about.
        offline, served: the scores.
        sizes: (words, rows) of the differences by size.
        largest: the largest difference.
        worst: rows beyond the tolerance.
    """

    name: str
    rows: int
    offline: list[float]
    served: list[float]
    sizes: tuple[tuple[str, int], ...]
    largest: float
    worst: tuple[Differing, ...]


@dataclass(frozen=True)
class ServingView:
    """Everything the page shows.

    Attributes:
        address: the server.
        model: the model's name.
        digest: its digest.
        groups: (group, requests, wrong) of the API contract.
        problems: (case, status, what is wrong); the first of them.
        more_problems: how many are left out.
        tolerance: of parity.
        parities, latency, saturation, memory: what was measured.
    """

    address: str
    model: str
    digest: str
    groups: tuple[tuple[str, int, int], ...]
    problems: tuple[tuple[str, str, str], ...]
    more_problems: int
    tolerance: float
    parities: tuple[ParityView, ...]
    latency: LatencyView | None
    saturation: SaturationView | None
    memory: MemoryView | None


def serving_view(found: Examination) -> ServingView:
    """What the page shows of an examination."""
    policy = found.policy
    wrong = [one for one in found.findings if one.problem]
    return ServingView(
        address=found.address,
        model=found.model,
        digest=found.digest,
        groups=_groups(found.findings),
        problems=tuple((one.case.title, str(one.status or "–"), one.problem) for one in wrong[:_MOST_PROBLEMS]),
        more_problems=max(0, len(wrong) - _MOST_PROBLEMS),
        tolerance=policy.parity.tolerance if policy.parity else 0.0,
        parities=tuple(_parity(one) for one in found.parities),
        latency=_latency(found.latency, policy.latency, found.verdict, policy.protocols[0])
        if found.latency and policy.latency
        else None,
        saturation=_saturation(found.saturation, found) if found.saturation else None,
        memory=_memory(found.footprint) if found.footprint else None,
    )


def _groups(findings: tuple[Finding, ...]) -> tuple[tuple[str, int, int], ...]:
    names = dict.fromkeys(one.case.group for one in findings)
    groups = {name: [one for one in findings if one.case.group == name] for name in names}
    return tuple((name, len(every), sum(bool(one.problem) for one in every)) for name, every in groups.items())


def _latency(run: LatencyRun, limits: LatencyLimits, verdict: Verdict, protocol: str) -> LatencyView:
    measured = run.measured
    service = np.sort(measured.service[~np.isnan(measured.sent)]) * 1e3
    latency = np.sort(measured.latency) * 1e3
    statuses = {check.subject: check.status.value for check in verdict.checks if check.code == LATENCY}
    marks, table = [], []
    for name, one in zip(QUANTILES, run.quantiles, strict=True):
        limit: float | None = getattr(limits, name)
        ends = one.low * 1e3, one.high * 1e3
        status = statuses.get(name, "")
        marks.append(TailMark(one.q, one.value * 1e3, *ends, limit, status))
        rank = min(len(service) - 1, math.ceil((len(service) - 1) * one.q))
        needed = one.needed if math.isinf(one.high) else None
        alone = float(service[rank]) if len(service) else math.nan
        table.append(QuantileRow(label(one.q), one.value * 1e3, ends, limit, alone, needed))
    return LatencyView(
        rate=measured.rate,
        achieved=measured.achieved_rate,
        seconds=measured.seconds,
        requests=len(latency),
        protocol=protocol,
        rows=limits.rows_per_request,
        errors=measured.errors,
        faults=measured.faults(),
        lines=(_line("latency from the intended start", latency), _line("from the sending alone", service)),
        marks=tuple(marks),
        table=tuple(table),
        confidence=run.confidence,
    )


def _line(name: str, ordered: Floats) -> Series:
    """Quantiles at ranks that are even in nines, up to the largest value but one's share."""
    n = len(ordered)
    if n < 2:
        return Series(name, [], [])
    depths = np.linspace(0.0, math.log10(n), _TAIL_POINTS)
    ranks = np.unique(np.minimum(n - 1, np.floor(n * (1 - 10.0**-depths))).astype(int))
    return Series(name, [float(rank / n) for rank in ranks], ordered[ranks].tolist())


def _saturation(run: SaturationRun, found: Examination) -> SaturationView:
    policy, latency = found.policy.saturation, found.policy.latency
    assert policy is not None
    assert latency is not None
    pairs = list(zip(run.summaries, run.found.trials, strict=True))
    return SaturationView(
        kept=run.found.kept,
        broken=run.found.broken,
        runs=tuple(Trial(one.rate, one.latency[99] * 1e3, trial.kept) for one, trial in pairs),
        limit=None if run.limits.p99 is None else run.limits.p99 * 1e3,
        asked=policy.min_rate or latency.rate,
        table=tuple(
            (one.rate, one.latency[99] * 1e3, one.error_share, trial.broke[0] if trial.broke else "")
            for one, trial in sorted(pairs, key=lambda pair: pair[0].rate)
        ),
    )


def _memory(seen: Footprint) -> MemoryView:
    start = seen.looks[0].at if seen.looks else 0.0
    memory = [(look.at - start, look.memory / 1e6) for look in seen.looks if look.memory is not None]
    busy = [(look.at, look.cpu) for look in seen.looks if look.cpu is not None]
    spent = busy[-1][1] - busy[0][1] if len(busy) > 1 else None
    return MemoryView(
        line=Series("resident memory", [at for at, _ in memory], [mb for _, mb in memory]) if memory else None,
        peak=max((mb for _, mb in memory), default=None),
        before=memory[0][1] if memory else None,
        after=memory[-1][1] if memory else None,
        cores=None if spent is None else spent / (busy[-1][0] - busy[0][0]),
        cpu_ms=None if spent is None or not seen.requests else 1e3 * spent / seen.requests,
        ready=seen.looks[-1].ready if seen.looks else None,
    )


def _parity(parity: Parity) -> ParityView:
    edges = [-1.0, *_APART, math.inf]
    names = ["equal", *(f"up to {number(edge)}" for edge in _APART[1:]), f"above {number(_APART[-1])}"]
    counts, _ = np.histogram(np.searchsorted(np.asarray(edges), parity.differences), bins=np.arange(1, len(edges) + 1))
    return ParityView(
        name=parity.name,
        rows=parity.rows,
        offline=parity.offline.tolist(),
        served=parity.served.tolist(),
        sizes=tuple(zip(names, counts.tolist(), strict=True)),
        largest=parity.largest,
        worst=parity.worst,
    )
