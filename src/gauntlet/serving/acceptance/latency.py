"""Latency at a given rate and the highest rate kept, each held against limits.

Requests go out when they are due and latency counts from then (docs/load.md), so a stall is felt by everybody who would
have come during it. A run that did not have the load it was meant to have proves no pass.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import inf, log

import numpy as np

from gauntlet.serving.acceptance.policy import QUANTILES, LatencyLimits, SaturationPolicy
from gauntlet.serving.acceptance.quantiles import Quantile, quantile, share
from gauntlet.serving.load_result import (
    LEAST_ACHIEVED,
    MOST_LAG_SECONDS,
    LoadResult,
    Outcome,
    Summary,
    percentile,
    summarise,
)
from gauntlet.serving.saturation import Limits, Saturation, Search, saturation
from gauntlet.verdict import Check, Status, decide

LATENCY = "check_serving.latency"
SATURATION = "check_serving.saturation"

Drive = Callable[[float, float, int], LoadResult]
"""(requests per second, seconds, seed) → a run."""


@dataclass(frozen=True)
class LatencyRun:
    """The run that is judged.

    Attributes:
        measured: every request.
        quantiles: p50, p95, p99 and p99.9 of latency, with intervals.
        attempts: runs made; all but the last were invalid.
        confidence: of each interval, so that all limits hold together.
    """

    measured: LoadResult
    quantiles: tuple[Quantile, ...]
    attempts: int
    confidence: float


def run_latency(drive: Drive, limits: LatencyLimits, *, confidence: float, seed: int) -> LatencyRun:
    """Put the server under the rate asked for, again where a run is invalid, and estimate quantiles.

    Args:
        drive: runs a load.
        limits: the rate, how long, and how often to try.
        confidence: of everything that is judged together (Bonferroni over the limits and the share of errors).
        seed: of the arrivals; each attempt has its own.
    """
    for attempt in range(1, limits.attempts + 1):
        measured = drive(limits.rate, limits.seconds, seed + attempt - 1)
        if not measured.faults():
            break
    each = 1 - (1 - confidence) / (1 + sum(getattr(limits, name) is not None for name in QUANTILES))
    latency = measured.latency
    found = tuple(quantile(latency, q, confidence=each) for q in QUANTILES.values())
    return LatencyRun(measured, found, attempt, each)


def judge_latency(run: LatencyRun, limits: LatencyLimits) -> tuple[Check, ...]:
    """A check for each limit of latency, in milliseconds, and one for the share of failed requests."""
    checks = [
        _judge_quantile(run, found, bound, name)
        for (name, _), found in zip(QUANTILES.items(), run.quantiles, strict=True)
        if (bound := getattr(limits, name)) is not None
    ]
    return (*checks, _judge_errors(run, limits.error_share))


def _judge_quantile(run: LatencyRun, found: Quantile, bound: float, name: str) -> Check:
    title = label(found.q)
    low, high, value = found.low * 1e3, found.high * 1e3, found.value * 1e3
    status = decide((low, high), bound=bound, direction="max")
    relation = {Status.PASS: "within", Status.FAIL: "above", Status.INCONCLUSIVE: "not told apart from"}[status]
    reason = (
        f"{title} of latency is {value:,.1f} ms at {run.measured.rate:g} requests/s, {relation} the limit of "
        f"{bound:g} ms."
    )
    status, reason = _unless_invalid(run, status, reason)
    return Check(
        f"latency {title} (ms)",
        status,
        reason,
        measured=value,
        interval=(low, high),
        bound=bound,
        direction="max",
        sample_size=found.requests,
        rows_needed=_needed(found, bound) if status is Status.INCONCLUSIVE else None,
        code=LATENCY,
        subject=name,
    )


def _judge_errors(run: LatencyRun, bound: float) -> Check:
    failed = ~run.measured.succeeded
    found, low, high = share(failed, confidence=run.confidence)
    status = decide((low, high), bound=bound, direction="max")
    kinds = ", ".join(f"{count} {kind}" for kind, count in run.measured.errors.items())
    reason = f"{int(failed.sum()):,} of {len(failed):,} requests failed{f' ({kinds})' if kinds else ''}."
    late = np.isin(run.measured.outcome, (Outcome.TIMED_OUT, Outcome.NEVER_SENT))
    without_late = share(failed & ~late, confidence=run.confidence)
    if decide(without_late[1:], bound=bound, direction="max") is not Status.FAIL:
        status, reason = _unless_invalid(run, status, reason)  # else nobody's lateness is the cause
    # Clopper–Pearson without an error: the upper end is about −ln(α/2) / n.
    needed = int(-log((1 - run.confidence) / 2) / bound) + 1 if status is Status.INCONCLUSIVE else None
    return Check(
        "failed requests under load", status, reason, found, (low, high), bound, "max", len(failed),
        needed if needed and needed > len(failed) else None, code="check_serving.errors",
    )  # fmt: skip


def _unless_invalid(run: LatencyRun, status: Status, reason: str) -> tuple[Status, str]:
    """A run that did not keep its rate passes nothing. It fails something only where the generator itself was on time:
    then whatever was late or lost was the target's doing.

    A run that kept its rate, and in which only the generator was late, may pass or leave it open: latency counts from
    the intended start, so what it measured is no less than what callers would have seen.
    """
    faults = run.measured.faults()
    if not faults:
        return status, reason
    lag = percentile(run.measured.lag, 99)
    kept = run.measured.achieved_rate >= LEAST_ACHIEVED * run.measured.rate
    if status in (Status.PASS, Status.INCONCLUSIVE) and kept:
        return status, f"{reason} The generator was {lag * 1e3:,.1f} ms late at p99, which is part of it."
    if status is Status.FAIL and lag <= MOST_LAG_SECONDS:
        return status, f"{reason} {faults[0]}"
    return Status.ERROR, f"No valid run in {run.attempts}. {' '.join(faults)}"


def _needed(found: Quantile, bound: float) -> int:
    """About how many requests would tell: those an upper end takes, or as many as shrink the interval to the bound."""
    if found.requests < found.needed:
        return found.needed
    end = found.high if found.value * 1e3 <= bound else found.low
    apart, reach = abs(bound / 1e3 - found.value), abs(end - found.value)
    return int(found.requests * min(100.0, max(1.1, (reach / apart) ** 2))) if apart else 100 * found.requests


# -- saturation ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class SaturationRun:
    """A search that is over.

    Attributes:
        found: the bracket and all trials.
        summaries: the key figures of each trial, in the order of ``found.trials``.
        limits: what each trial had to hold.
        search: where it looked.
    """

    found: Saturation
    summaries: tuple[Summary, ...]
    limits: Limits
    search: Search


def run_saturation(drive: Drive, policy: SaturationPolicy, latency: LatencyLimits, *, seed: int) -> SaturationRun:
    """Search the highest rate kept, beginning with the rate of ``latency``, for a bounded time.

    Args:
        drive: runs a load.
        policy: where to look, and how long.
        latency: the limits of the run before; its p99 and share of errors hold here too.
        seed: of the arrivals; each trial has its own.
    """
    p99 = policy.p99_ms or latency.p99_ms
    limits = Limits(p99=None if p99 is None else p99 / 1e3, error_share=latency.error_share)
    search = Search(
        start=latency.rate,
        lowest=min(1.0, latency.rate),
        highest=policy.highest,
        precision=policy.precision,
        most_trials=max(1, int(policy.budget_seconds / policy.trial_seconds)),
    )
    summaries: list[Summary] = []

    def measure(rate: float) -> Summary:
        measured = drive(rate, max(policy.trial_seconds, 1 / rate), seed + len(summaries))
        # A late generator only adds to p99: a rate that is kept in spite of it is kept.
        summaries.append(summarise(measured, most_lag=inf))
        return summaries[-1]

    return SaturationRun(saturation(measure, limits, search), tuple(summaries), limits, search)


def judge_saturation(run: SaturationRun, policy: SaturationPolicy, latency: LatencyLimits) -> Check:
    """One check: the highest rate kept is at least what is asked.

    The interval is the bracket of the search, from the highest rate kept to the lowest that was not; it is open above
    where nothing broke, where what broke was the generator, or where the time was up before the second attempt.
    """
    found, bound = run.found, policy.min_rate or latency.rate
    low = found.kept or 0.0
    generator, tried = _generator_broke(run), sum(one.rate == found.broken for one in run.summaries)
    high = inf if found.broken is None or generator or tried < run.search.attempts else found.broken
    status = decide((low, high), bound=bound, direction="min")
    why = f" {found.broke[0].split('. ')[0].rstrip('.')}." if found.broke else ""
    kept = f"{low:,.0f} requests/s were kept" if found.kept else "No rate was kept"
    if found.broken is None:
        reason = f"{kept}; nothing higher was tried."
    else:
        reason = f"{kept}; {found.broken:,.0f} requests/s were not.{why}"
    if status is Status.INCONCLUSIVE and generator:
        status = Status.ERROR
        reason = f"{reason} The generator itself was the limit."
    return Check(
        "highest rate kept (requests/s)",
        status,
        reason,
        measured=low,
        interval=(low, high),
        bound=bound,
        direction="min",
        sample_size=sum(one.requests for one in run.summaries),
        code=SATURATION,
    )


def label(q: float) -> str:
    """A quantile as people call it: ``p99.9``."""
    return f"p{100 * q:g}"


def _generator_broke(run: SaturationRun) -> bool:
    """The lowest rate not kept was not kept because of the generator: no run there says anything of the target."""
    there: Sequence[Summary] = [one for one in run.summaries if one.rate == run.found.broken]
    return bool(there) and all(one.lag_p99 > MOST_LAG_SECONDS for one in there)
