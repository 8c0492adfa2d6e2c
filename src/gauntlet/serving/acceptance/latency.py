"""Latency at a given rate, and the highest sustained rate, each checked against limits.

Requests are sent at their intended start and latency counts from then (docs/load.md), so a stall counts for every
request intended during it. A run without its intended load cannot pass.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import ceil, inf

import numpy as np

from gauntlet.evaluation.power import units_needed
from gauntlet.serving.acceptance.policy import QUANTILES, LatencyLimits, SaturationPolicy
from gauntlet.serving.acceptance.quantiles import Quantile, block_design_effect, quantile, share
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
    """Latency run that is checked.

    Attributes:
        measured: every request.
        quantiles: p50, p95, p99 and p99.9 of latency, with intervals.
        attempts: number of runs; all but the last were invalid.
        confidence: confidence of each interval, Bonferroni-corrected over the limits.
    """

    measured: LoadResult
    quantiles: tuple[Quantile, ...]
    attempts: int
    confidence: float


def run_latency(drive: Drive, limits: LatencyLimits, *, confidence: float, seed: int) -> LatencyRun:
    """Run load at the configured rate, again where a run is invalid, and estimate quantiles.

    Args:
        drive: runs a load.
        limits: the rate, the duration, and the most attempts.
        confidence: simultaneous confidence (Bonferroni over the limits and the share of errors).
        seed: seed of the arrivals; each attempt has its own.
    """
    for attempt in range(1, limits.attempts + 1):
        measured = drive(limits.rate, limits.seconds, seed + attempt - 1)
        if not measured.faults():
            break
    each = 1 - (1 - confidence) / (1 + sum(getattr(limits, name) is not None for name in QUANTILES))
    latency = measured.latency
    quantiles = tuple(quantile(latency, q, confidence=each) for q in QUANTILES.values())
    return LatencyRun(measured, quantiles, attempt, each)


def judge_latency(run: LatencyRun, limits: LatencyLimits) -> tuple[Check, ...]:
    """Check each limit of latency, in milliseconds, and the share of failed requests."""
    checks = [
        _judge_quantile(run, estimate, bound, name)
        for (name, _), estimate in zip(QUANTILES.items(), run.quantiles, strict=True)
        if (bound := getattr(limits, name)) is not None
    ]
    return (*checks, _judge_errors(run, limits.error_share))


def _judge_quantile(run: LatencyRun, estimate: Quantile, bound: float, name: str) -> Check:
    title = label(estimate.q)
    low, high, value = estimate.low * 1e3, estimate.high * 1e3, estimate.value * 1e3
    status = decide((low, high), bound=bound, direction="max")
    relation = {Status.PASS: "within", Status.FAIL: "above", Status.INCONCLUSIVE: "not told apart from"}[status]
    reason = (
        f"{title} of latency is {value:,.1f} ms at {run.measured.rate:g} requests/s, {relation} the limit of "
        f"{bound:g} ms."
    )
    status, reason = _unless_invalid(run, status, reason)
    needed = None
    if status is Status.INCONCLUSIVE:
        slower = run.measured.latency * 1e3 > bound
        needed = _requests_needed(slower, 1 - estimate.q, estimate.effective, run.confidence) or estimate.needed
    return Check(
        f"latency {title} (ms)",
        status,
        reason,
        measured=value,
        interval=(low, high),
        bound=bound,
        direction="max",
        sample_size=estimate.requests,
        rows_needed=needed,
        code=LATENCY,
        subject=name,
    )


def _judge_errors(run: LatencyRun, bound: float) -> Check:
    failed = ~run.measured.succeeded
    rate, low, high = share(failed, confidence=run.confidence)
    status = decide((low, high), bound=bound, direction="max")
    kinds = ", ".join(f"{count} {kind}" for kind, count in run.measured.errors.items())
    reason = f"{int(failed.sum()):,} of {len(failed):,} requests failed{f' ({kinds})' if kinds else ''}."
    late = np.isin(run.measured.outcome, (Outcome.TIMED_OUT, Outcome.NEVER_SENT))
    without_late = share(failed & ~late, confidence=run.confidence)
    if decide(without_late[1:], bound=bound, direction="max") is not Status.FAIL:
        status, reason = _unless_invalid(run, status, reason)  # otherwise lateness is not the cause
    needed = None
    if status is Status.INCONCLUSIVE:
        effective = len(failed) / block_design_effect(failed)
        needed = _requests_needed(failed, bound, effective, run.confidence)
    return Check(
        "failed requests under load", status, reason, rate, (low, high), bound, "max", len(failed), needed,
        code="check_serving.errors",
    )  # fmt: skip


def _unless_invalid(run: LatencyRun, status: Status, reason: str) -> tuple[Status, str]:
    """Limit the status of an invalid run. Without its rate it cannot pass, and fails only if the generator was on time:
    then late or lost requests are the target's fault.

    A run at its rate with a late generator may pass or be inconclusive: latency counts from the intended start, so it
    is no less than what callers would have measured.
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


def _requests_needed(hits: np.ndarray, limit: float, effective: float, confidence: float) -> int | None:
    """How many requests, as bursty as these, most likely tell whether hits are at most a share ``limit`` of them.

    A quantile is within its bound where at most 1 - q of the latencies are above it, and its interval by ranks lies
    there where the exact interval of that share does.
    """
    if not len(hits):
        return None
    sure = (1 + confidence) / 2
    needed = units_needed(float(hits.mean()) * effective, effective, limit, below=sure, above=sure)
    return None if needed is None else ceil(needed * len(hits) / effective)


# -- saturation ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class SaturationRun:
    """Completed saturation search.

    Attributes:
        found: the bracket and all trials.
        summaries: summary of each trial, in the order of ``found.trials``.
        limits: limits of each trial.
        search: its range.
    """

    found: Saturation
    summaries: tuple[Summary, ...]
    limits: Limits
    search: Search


def run_saturation(drive: Drive, policy: SaturationPolicy, latency: LatencyLimits, *, seed: int) -> SaturationRun:
    """Search for the highest sustained rate, starting with that of ``latency``, in bounded time.

    Args:
        drive: runs a load.
        policy: range and duration.
        latency: limits of the latency run; its p99 and share of errors apply here too.
        seed: seed of the arrivals; each trial has its own.
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
        # A late generator only adds to p99, so a rate within limits is sustained nevertheless.
        summaries.append(summarise(measured, most_lag=inf))
        return summaries[-1]

    return SaturationRun(saturation(measure, limits, search), tuple(summaries), limits, search)


def judge_saturation(run: SaturationRun, policy: SaturationPolicy, latency: LatencyLimits) -> Check:
    """Check that the highest sustained rate is at least the required one.

    The interval is the bracket of the search, from the highest sustained rate to the lowest that was not; it is open
    above if no rate failed, if the generator failed, or if time ran out before the second attempt.
    """
    highest, bound = run.found, policy.min_rate or latency.rate
    low = highest.kept or 0.0
    generator, tried = _generator_broke(run), sum(summary.rate == highest.broken for summary in run.summaries)
    high = inf if highest.broken is None or generator or tried < run.search.attempts else highest.broken
    status = decide((low, high), bound=bound, direction="min")
    why = f" {highest.broke[0].split('. ')[0].rstrip('.')}." if highest.broke else ""
    kept = f"{low:,.0f} requests/s were kept" if highest.kept else "No rate was kept"
    if highest.broken is None:
        reason = f"{kept}; nothing higher was tried."
    else:
        reason = f"{kept}; {highest.broken:,.0f} requests/s were not.{why}"
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
        sample_size=sum(summary.requests for summary in run.summaries),
        code=SATURATION,
    )


def label(q: float) -> str:
    """Name of a quantile: ``p99.9``."""
    return f"p{100 * q:g}"


def _generator_broke(run: SaturationRun) -> bool:
    """Whether the generator was late in all runs at the lowest rate not sustained, so that they do not count."""
    there: Sequence[Summary] = [summary for summary in run.summaries if summary.rate == run.found.broken]
    return bool(there) and all(summary.lag_p99 > MOST_LAG_SECONDS for summary in there)
