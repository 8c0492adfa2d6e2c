"""Shadow gate: decides from mirrored requests whether a candidate may receive live traffic. Pure.

Counts in, verdict out. It may be evaluated at any number of interim analyses: every bound holds at all of them together
(docs/canary.md, 6). A pass needs every check; any one check fails the gate, so the checks share α for failing.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from statistics import NormalDist
from typing import Annotated

from pydantic import Field

from gauntlet.delivery.evidence.counts import whole_number
from gauntlet.delivery.evidence.flips import lower_bound, upper_bound
from gauntlet.delivery.evidence.histograms import MOST_TAIL, Buckets, checked, slow
from gauntlet.delivery.evidence.pairs import Pairs, excess_bounds
from gauntlet.errors import ConfigurationError, DataError
from gauntlet.settings import Settings
from gauntlet.verdict import Check, Status, Verdict, decide

GATE = "shadow"
FLIPS = "shadow.flips"
_ERRORS = "shadow.errors"
_LATENCY = "shadow.latency"
_TIMES = (2, 4, 8, 16, 32, 64)
"""Multiples of the pairs so far that ``rows_needed`` considers; beyond them it is ``None``."""
_CASES = tuple(NormalDist().inv_cdf((2 * i + 1) / 20) for i in (4, 5, 3, 6, 2, 7, 1, 8, 0, 9))
"""Ten equally likely deviates; those in the middle, which decide least often, first."""
_UNDECIDED = 3
"""How many of them may stay undecided."""

_Bounds = Callable[[int, float], tuple[float, float]]
"""Of so many times the pairs, at an estimate changed by so much."""
Share = Annotated[float, Field(gt=0, lt=1)]


class ShadowPolicy(Settings):
    """Limits for a candidate on mirrored requests."""

    max_flip_rate: Share | None = Field(
        default=0.05, description="Share of requests decided otherwise than by stable, at most; false: not judged."
    )
    error_margin: Share = Field(
        default=0.005, description="How much more often than stable it may fail, as a difference of shares."
    )
    latency_ratio: Annotated[float, Field(gt=0)] | None = Field(
        default=1.1, description="Slow answers, as a multiple of stable's, at most; false: latency is not judged."
    )
    latency_margin: Share = Field(default=0.01, description="Share of slow answers allowed on top of that.")
    latency_objective: Annotated[float, Field(gt=0)] | None = Field(
        default=None,
        description="Slow means above this many seconds, a bucket's boundary; false: at every boundary that at most a "
        "quarter of stable's answers exceed.",
    )
    min_pairs: int = Field(default=500, ge=1, description="Pairs answered by both without which nothing passes.")
    max_dropped: Share = Field(
        default=0.2, description="Share of copies that were never sent beyond which nothing passes: bursts are missing."
    )
    alpha: Annotated[float, Field(gt=0, le=0.3)] = Field(
        default=0.05, description="Chance of ever passing what is beyond a limit, and of ever failing what is within."
    )
    phi: Annotated[float, Field(ge=1)] = Field(
        default=1.0, description="Requests that say as much as one independent one: sessions and retries come together."
    )


@dataclass(frozen=True)
class ShadowCounts:
    """Counts of mirrored requests since mirroring began. Whole numbers, but ``seconds``.

    A mirrored request is a pair (both answered), a failure of one, or a failure of both.

    Attributes:
        pairs: requests that both answered.
        flips: pairs that the candidate decided otherwise than stable.
        candidate_errors: requests that stable answered and the candidate did not (5xx, time-out, no answer).
        stable_errors: requests that the candidate answered and stable did not.
        both_errors: requests that neither answered.
        dropped: copies that were not sent, because the queue was full.
        differences: cumulative histogram of |candidate's score - stable's|, by upper bound, infinity included; of
            scores, of which an answer may hold several. Empty where answers have none.
        candidate_latency: cumulative histogram of the candidate's seconds over the pairs; empty if not kept.
        stable_latency: the same of stable, at the same boundaries.
        candidate_scores: cumulative histogram of the candidate's scores over the pairs; empty if there are none.
        stable_scores: the same of stable, at the same boundaries.
        seconds: since mirroring began.

    Raises:
        DataError: a count is none, there are more flips than pairs, a histogram is not cumulative, or two histograms
            that belong together differ in their boundaries or, for latencies, in their totals.
    """

    pairs: int
    flips: int
    candidate_errors: int
    stable_errors: int
    both_errors: int = 0
    dropped: int = 0
    differences: Buckets = field(default_factory=dict)
    candidate_latency: Buckets = field(default_factory=dict)
    stable_latency: Buckets = field(default_factory=dict)
    candidate_scores: Buckets = field(default_factory=dict)
    stable_scores: Buckets = field(default_factory=dict)
    seconds: float = 0.0

    def __post_init__(self) -> None:
        for count in fields(self):
            value = getattr(self, count.name)
            if isinstance(value, Mapping):
                if value:
                    checked(value, pod=count.name)
            elif count.name != "seconds":
                whole_number(value, field=count.name)
        if not 0 <= self.seconds < math.inf:
            raise DataError("is no duration", field="seconds", value=self.seconds, mend="Give seconds")
        if self.flips > self.pairs:
            mend = "Count each mirrored request once"
            raise DataError(f"exceed the {self.pairs} pairs", field="flips", value=self.flips, mend=mend)
        for name in ("latency", "scores"):
            candidate, stable = getattr(self, f"candidate_{name}"), getattr(self, f"stable_{name}")
            if set(candidate) != set(stable):
                mend = "Give both arms the same buckets"
                raise DataError("differs from stable's in its boundaries", field=f"candidate_{name}", mend=mend)
        if self.candidate_latency and self.candidate_latency[math.inf] != self.stable_latency[math.inf]:
            mend = "Count the latencies of both arms when a pair is complete"
            raise DataError("counts other pairs than stable's", field="candidate_latency", mend=mend)

    @property
    def mirrored(self) -> int:
        """Copies whose end is known."""
        return self.pairs + self.candidate_errors + self.stable_errors + self.both_errors

    @property
    def dropped_share(self) -> float:
        """Share of the copies that were never sent; 0 before the first copy."""
        return self.dropped / (self.dropped + self.mirrored) if self.dropped else 0.0


def judge_shadow(counts: ShadowCounts, policy: ShadowPolicy) -> Verdict:
    """Give the verdict on the mirrored requests: pass, fail, or inconclusive so far.

    Args:
        counts: everything since mirroring began; the same shadow may be judged again and again.
        policy: the limits.

    Returns:
        Checks ``flips``, ``errors``, ``latency`` (as far as the policy asks for them) and ``copies``. Intervals: the
        low end holds at all analyses and for all checks together with probability 1 - α, the high end of each check
        with 1 - α. Nothing mirrored is inconclusive.

    Raises:
        ConfigurationError: the latency objective is not a boundary of the histogram.
    """
    comparisons = [_errors]
    if policy.max_flip_rate is not None:
        comparisons.insert(0, _flips)
    if policy.latency_ratio is not None:
        comparisons.append(_latency)
    share = policy.alpha / len(comparisons)
    checks = [_with_enough(compare(counts, policy, share), counts, policy) for compare in comparisons]
    checks.append(_copies(counts, policy))
    facts = {
        "pairs": counts.pairs,
        "flips": counts.flips,
        "candidate_errors": counts.candidate_errors,
        "stable_errors": counts.stable_errors,
        "dropped": counts.dropped,
        "seconds": float(counts.seconds),
        "alpha": policy.alpha,
        "phi": policy.phi,
    }
    return Verdict(GATE, tuple(checks), _summary(checks, counts), facts)


def _flips(counts: ShadowCounts, policy: ShadowPolicy, share: float) -> Check:
    assert policy.max_flip_rate is not None
    limit = policy.max_flip_rate

    def bounds(times: int, change: float) -> tuple[float, float]:
        pairs = times * counts.pairs
        flips = min(max(round(times * counts.flips + change * pairs), 0), pairs)
        low = lower_bound(flips, pairs, alpha=share, phi=policy.phi)
        return low, upper_bound(flips, pairs, alpha=policy.alpha, phi=policy.phi)

    if not counts.pairs:
        nothing = "No request was answered by both."
        return Check("flips", Status.INCONCLUSIVE, nothing, bound=limit, direction="max", code=FLIPS)
    rate = counts.flips / counts.pairs
    low, high = bounds(1, 0.0)
    # Half a case more of either kind, as in Jeffreys' prior: no flip so far does not mean that there is none.
    likely = (counts.flips + 0.5) / (counts.pairs + 1)
    error = math.sqrt(policy.phi * likely * (1 - likely) / counts.pairs)
    reason = (
        f"{counts.flips:,} of {counts.pairs:,} pairs were decided otherwise, {rate:.2%} "
        f"(between {low:.2%} and {high:.2%}); at most {limit:.2%} are allowed."
    )
    return _check("flips", rate, bounds, error, limit, counts.pairs, reason, code=FLIPS)


def _errors(counts: ShadowCounts, policy: ShadowPolicy, share: float) -> Check:
    failed = Pairs(
        counts.candidate_errors + counts.both_errors,
        counts.stable_errors + counts.both_errors,
        counts.mirrored,
        counts.both_errors,
    )
    if not failed.pairs:
        nothing = "Nothing was mirrored yet."
        return Check("errors", Status.INCONCLUSIVE, nothing, bound=policy.error_margin, direction="max", code=_ERRORS)
    reason = (
        f"{failed.canary / failed.pairs:.2%} of {counts.mirrored:,} mirrored requests failed at the candidate, "
        f"{failed.stable / failed.pairs:.2%} at stable; at most {policy.error_margin:.2%} more are allowed."
    )
    alphas = (share, policy.alpha)
    return _excess("errors", failed, 1.0, policy.error_margin, alphas, policy.phi, reason, code=_ERRORS)


def _latency(counts: ShadowCounts, policy: ShadowPolicy, share: float) -> Check:
    """The worst boundary. Which boundaries are tested depends on the data, so all of them share α for failing."""
    assert policy.latency_ratio is not None
    finite = sorted(boundary for boundary in counts.stable_latency if math.isfinite(boundary))
    if not finite or not counts.stable_latency[math.inf]:
        nothing = "No latencies were kept."
        return Check(
            "latency", Status.INCONCLUSIVE, nothing, bound=policy.latency_margin, direction="max", code=_LATENCY
        )
    if policy.latency_objective is not None and policy.latency_objective not in finite:
        mend = f"Use one of {finite}"
        where, what = "latency_objective", "is not a boundary of the histogram"
        raise ConfigurationError(what, field=where, value=policy.latency_objective, mend=mend)
    boundaries = finite if policy.latency_objective is None else [policy.latency_objective]
    tails = {le: Pairs(slow(counts.candidate_latency, le)[0], *slow(counts.stable_latency, le)) for le in boundaries}
    if policy.latency_objective is None:
        tails = {le: pairs for le, pairs in tails.items() if pairs.stable <= MOST_TAIL * pairs.pairs}
    if not tails:
        reason = f"More than {MOST_TAIL:.0%} of stable's answers took longer than {finite[-1]:g} s, the last boundary."
        return Check(
            "latency", Status.INCONCLUSIVE, reason, bound=policy.latency_margin, direction="max", code=_LATENCY
        )
    checks = [
        _excess(
            "latency",
            pairs,
            policy.latency_ratio,
            policy.latency_margin,
            (share / len(boundaries), policy.alpha),
            policy.phi,
            f"{pairs.canary / pairs.pairs:.2%} of the candidate's answers took longer than {boundary:g} s, "
            f"{pairs.stable / pairs.pairs:.2%} of stable's; at most {policy.latency_ratio:g} times as many and "
            f"{policy.latency_margin:.2%} are allowed.",
            code=_LATENCY,
        )
        for boundary, pairs in tails.items()
    ]
    return max(checks, key=_badness)


def _copies(counts: ShadowCounts, policy: ShadowPolicy) -> Check:
    """Check the share of copies that were never sent: an exact count, which can only make the rest inconclusive."""
    kept = counts.dropped_share <= policy.max_dropped
    copies = counts.dropped + counts.mirrored
    reason = f"{counts.dropped:,} of {copies:,} copies were never sent; at most {policy.max_dropped:.0%} may be."
    status = Status.PASS if kept and counts.mirrored else Status.INCONCLUSIVE
    return Check(
        "copies",
        status,
        reason,
        counts.dropped_share,
        None,
        policy.max_dropped,
        "max",
        copies,
        code="shadow.copies",
    )


def _excess(
    name: str,
    hits: Pairs,
    rho: float,
    margin: float,
    alpha: tuple[float, float],
    phi: float,
    reason: str,
    *,
    code: str,
) -> Check:
    def bounds(times: int, change: float) -> tuple[float, float]:
        stable, pairs = times * hits.stable, times * hits.pairs
        canary = min(max(round(times * hits.canary + change * pairs), 0), pairs)
        both = None if hits.both is None else max(min(times * hits.both, canary), canary + stable - pairs)
        return excess_bounds(Pairs(canary, stable, pairs, both), rho=rho, alpha=alpha, phi=phi)

    measured = (hits.canary - rho * hits.stable) / hits.pairs
    ours, theirs = (hits.canary + 0.5) / (hits.pairs + 1), (hits.stable + 0.5) / (hits.pairs + 1)
    both = ours * theirs if hits.both is None else hits.both / hits.pairs
    variance = max(ours + rho * rho * theirs - 2 * rho * both - (ours - rho * theirs) ** 2, 0.0)
    error = math.sqrt(phi * variance / hits.pairs)
    return _check(name, measured, bounds, error, margin, int(hits.pairs), reason, code=code)


def _check(
    name: str,
    measured: float,
    bounds: _Bounds,
    error: float,
    limit: float,
    size: int,
    reason: str,
    *,
    code: str,
) -> Check:
    """Hold the bounds against a limit."""
    interval = bounds(1, 0.0)
    status = decide(interval, bound=limit, direction="max")
    needed = _pairs_needed(bounds, error, limit, size) if status is Status.INCONCLUSIVE else None
    return Check(name, status, reason, measured, interval, limit, "max", size, needed, code=code)


def _pairs_needed(bounds: _Bounds, error: float, limit: float, size: int) -> int | None:
    """Pairs, these included, that decide in seven of ten cases: from all of them the estimate will be about normal
    around this one, with the variance error² · (1 - size / pairs).
    """
    for times in _TIMES:
        spread, undecided = error * math.sqrt(1 - 1 / times), 0
        for case in _CASES:
            undecided += decide(bounds(times, case * spread), bound=limit, direction="max") is Status.INCONCLUSIVE
            if undecided > _UNDECIDED:
                break
        else:
            return times * size
    return None


def _with_enough(check: Check, counts: ShadowCounts, policy: ShadowPolicy) -> Check:
    if check.status is not Status.PASS or counts.pairs >= policy.min_pairs:
        return check
    reason = f"{check.reason} {counts.pairs:,} of the {policy.min_pairs:,} pairs that are asked for."
    return replace(check, status=Status.INCONCLUSIVE, reason=reason, rows_needed=policy.min_pairs)


def _badness(check: Check) -> tuple[int, float, float]:
    low, high = check.interval or (0.0, 0.0)
    return check.status.severity, low if check.status is Status.FAIL else high, low


def _summary(checks: list[Check], counts: ShadowCounts) -> str:
    for status in (Status.ERROR, Status.FAIL, Status.INCONCLUSIVE):
        reasons = [check.reason for check in checks if check.status is status]
        if reasons:
            return " ".join(reasons) if counts.mirrored or status is not Status.INCONCLUSIVE else reasons[0]
    return f"On {counts.pairs:,} mirrored requests the candidate stays within every limit."
