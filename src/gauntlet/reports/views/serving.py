"""Page of the serving gate: API contract, parity, latency, saturation, memory."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from gauntlet.reports.format import number
from gauntlet.reports.plots import Series, TailMark, Trial
from gauntlet.serving.acceptance.conformance import CaseResult
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
    """Row of the table of quantiles, in milliseconds."""

    name: str
    value: float
    interval: tuple[float, float]
    limit: float | None
    service: float
    requests_needed: int | None


@dataclass(frozen=True)
class LatencyView:
    """Latency run at the configured rate.

    Attributes:
        rate: configured requests per second.
        achieved: requests per second sent.
        seconds: its duration.
        requests: their number.
        protocol: the protocol.
        rows: rows of each request.
        errors: kind → count.
        faults: why the run is invalid; empty otherwise.
        lines: quantiles of latency, and of service alone.
        marks: the checked quantiles.
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
    """Saturation search.

    Attributes:
        kept: highest sustained rate; ``None`` for none.
        broken: lowest rate above it that was not.
        runs: all of them; p99 in milliseconds.
        limit: of p99, milliseconds.
        asked: the required rate.
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
    """Resource usage during the latency run.

    Attributes:
        line: resident MB over seconds since the first reading.
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
    """Parity of served and offline scores, for one request form.

    Attributes:
        name: the request form.
        rows: rows requested.
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
    """Content of the page.

    Attributes:
        address: the server.
        model: the model's name.
        digest: its digest.
        groups: (group, requests, wrong) of the API contract.
        problems: the first (case, status, fault).
        more_problems: number of others.
        tolerance: of parity.
        parities, latency, saturation, memory: the measurements.
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


def serving_view(examination: Examination) -> ServingView:
    """Make the view of an examination."""
    policy = examination.policy
    wrong = [finding for finding in examination.findings if finding.problem]
    return ServingView(
        address=examination.address,
        model=examination.model,
        digest=examination.digest,
        groups=_groups(examination.findings),
        problems=tuple(
            (finding.case.title, str(finding.status or "–"), finding.problem) for finding in wrong[:_MOST_PROBLEMS]
        ),
        more_problems=max(0, len(wrong) - _MOST_PROBLEMS),
        tolerance=policy.parity.tolerance if policy.parity else 0.0,
        parities=tuple(_parity(parity) for parity in examination.parities),
        latency=_latency(examination.latency, policy.latency, examination.verdict, policy.protocols[0])
        if examination.latency and policy.latency
        else None,
        saturation=_saturation(examination.saturation, examination) if examination.saturation else None,
        memory=_memory(examination.footprint) if examination.footprint else None,
    )


def _groups(findings: tuple[CaseResult, ...]) -> tuple[tuple[str, int, int], ...]:
    names = dict.fromkeys(finding.case.group for finding in findings)
    groups = {name: [finding for finding in findings if finding.case.group == name] for name in names}
    return tuple((name, len(every), sum(bool(finding.problem) for finding in every)) for name, every in groups.items())


def _latency(run: LatencyRun, limits: LatencyLimits, verdict: Verdict, protocol: str) -> LatencyView:
    measured = run.measured
    service = np.sort(measured.service[~np.isnan(measured.sent)]) * 1e3
    latency = np.sort(measured.latency) * 1e3
    statuses = {check.subject: check.status.value for check in verdict.checks if check.code == LATENCY}
    marks, table = [], []
    for name, estimate in zip(QUANTILES, run.quantiles, strict=True):
        limit: float | None = getattr(limits, name)
        ends = estimate.low * 1e3, estimate.high * 1e3
        status = statuses.get(name, "")
        marks.append(TailMark(estimate.q, estimate.value * 1e3, *ends, limit, status))
        rank = min(len(service) - 1, math.ceil((len(service) - 1) * estimate.q))
        needed = estimate.needed if math.isinf(estimate.high) else None
        alone = float(service[rank]) if len(service) else math.nan
        table.append(QuantileRow(label(estimate.q), estimate.value * 1e3, ends, limit, alone, needed))
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


def _saturation(run: SaturationRun, examination: Examination) -> SaturationView:
    policy, latency = examination.policy.saturation, examination.policy.latency
    assert policy is not None
    assert latency is not None
    pairs = list(zip(run.summaries, run.found.trials, strict=True))
    return SaturationView(
        kept=run.found.kept,
        broken=run.found.broken,
        runs=tuple(Trial(summary.rate, summary.latency[99] * 1e3, trial.kept) for summary, trial in pairs),
        limit=None if run.limits.p99 is None else run.limits.p99 * 1e3,
        asked=policy.min_rate or latency.rate,
        table=tuple(
            (summary.rate, summary.latency[99] * 1e3, summary.error_share, trial.broke[0] if trial.broke else "")
            for summary, trial in sorted(pairs, key=lambda pair: pair[0].rate)
        ),
    )


def _memory(footprint: Footprint) -> MemoryView:
    start = footprint.readings[0].at if footprint.readings else 0.0
    memory = [
        (reading.at - start, reading.memory / 1e6) for reading in footprint.readings if reading.memory is not None
    ]
    busy = [(reading.at, reading.cpu) for reading in footprint.readings if reading.cpu is not None]
    spent = busy[-1][1] - busy[0][1] if len(busy) > 1 else None
    return MemoryView(
        line=Series("resident memory", [at for at, _ in memory], [mb for _, mb in memory]) if memory else None,
        peak=max((mb for _, mb in memory), default=None),
        before=memory[0][1] if memory else None,
        after=memory[-1][1] if memory else None,
        cores=None if spent is None else spent / (busy[-1][0] - busy[0][0]),
        cpu_ms=None if spent is None or not footprint.requests else 1e3 * spent / footprint.requests,
        ready=footprint.readings[-1].ready if footprint.readings else None,
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
