"""Page of a shadow deployment: flips, failures and latency of the candidate on mirrored requests."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

from gauntlet.delivery.evidence.flips import log_certificate
from gauntlet.delivery.evidence.histograms import Buckets
from gauntlet.delivery.shadow.gate import FLIPS, ShadowCounts, ShadowPolicy
from gauntlet.reports.format import count, number, percent
from gauntlet.reports.page import render
from gauntlet.verdict import Check, Verdict

_QUANTILES = (0.5, 0.9, 0.95, 0.99, 0.999)
_LEAST_BEYOND = 10
"""Fewest responses beyond a quantile that is shown."""


@dataclass(frozen=True)
class Histogram:
    """Input of ``plots.histogram_pair``.

    Attributes:
        edges: bin edges, ascending; the last may be infinite.
        candidate: counts in each bin.
        stable: the same of stable; ``None`` where there is one distribution only.
    """

    edges: tuple[float, ...]
    candidate: tuple[float, ...]
    stable: tuple[float, ...] | None = None


@dataclass(frozen=True)
class ShadowView:
    """Content of the page.

    Attributes:
        counts: the counts.
        agreement: share of the pairs decided alike; ``None`` without pairs.
        flips: the check of the flip rate; ``None`` if the policy does not ask for it.
        certificate: evidence that flips are rarer than the policy allows; ``None`` where that is not asked.
        needed: evidence that suffices, 1/α.
        limit: the flip rate allowed.
        phi: requests that count as one.
        failures: rows of (what happened, requests, share of the mirrored).
        quantiles: rows of (quantile, candidate, stable): the buckets it lies in.
        latency: both distributions, in milliseconds; ``None`` if not kept.
        scores: the same of scores.
        differences: the distribution of |candidate's score - stable's|.
    """

    counts: ShadowCounts
    agreement: float | None
    flips: Check | None
    certificate: float | None
    needed: float
    limit: float | None
    phi: float
    failures: tuple[tuple[str, str, str], ...]
    quantiles: tuple[tuple[str, str, str], ...]
    latency: Histogram | None
    scores: Histogram | None
    differences: Histogram | None


def shadow_page(counts: ShadowCounts, policy: ShadowPolicy, verdict: Verdict, *, title: str = "Shadow") -> str:
    """Render the report of a shadow deployment.

    Args:
        counts: everything since mirroring began.
        policy: the settings.
        verdict: from ``judge_shadow``.
        title: names the candidate and the service.
    """
    return render("shadow.html.j2", title=title, view=shadow_view(counts, policy, verdict), verdict=verdict)


def shadow_view(counts: ShadowCounts, policy: ShadowPolicy, verdict: Verdict) -> ShadowView:
    """Make the view; arguments as in ``shadow_page``."""
    limit = policy.max_flip_rate
    certificate = None
    if limit is not None and counts.pairs:
        certificate = math.exp(min(700.0, log_certificate(counts.flips, counts.pairs, limit=limit, phi=policy.phi)))
    return ShadowView(
        counts=counts,
        agreement=1 - counts.flips / counts.pairs if counts.pairs else None,
        flips=next((check for check in verdict.checks if check.code == FLIPS), None),
        certificate=certificate,
        needed=1 / policy.alpha,
        limit=limit,
        phi=policy.phi,
        failures=_failures(counts),
        quantiles=_quantiles(counts),
        latency=_histogram(counts.candidate_latency, counts.stable_latency, scale=1000),
        scores=_histogram(counts.candidate_scores, counts.stable_scores, start=_least_score(counts.stable_scores)),
        differences=_histogram(counts.differences),
    )


def _failures(counts: ShadowCounts) -> tuple[tuple[str, str, str], ...]:
    rows = (
        ("Both answered", counts.pairs),
        ("Only stable answered: the candidate failed", counts.candidate_errors),
        ("Only the candidate answered: stable failed", counts.stable_errors),
        ("Neither answered", counts.both_errors),
    )
    return tuple((name, count(n), percent(n / counts.mirrored, 2) if counts.mirrored else "–") for name, n in rows)


def _quantiles(counts: ShadowCounts) -> tuple[tuple[str, str, str], ...]:
    total = counts.stable_latency.get(math.inf, 0.0)
    drawn = [share for share in _QUANTILES if (1 - share) * total >= _LEAST_BEYOND]
    return tuple(
        (f"p{number(100 * share, 4)}", _bucket(counts.candidate_latency, share), _bucket(counts.stable_latency, share))
        for share in drawn
    )


def _bucket(buckets: Buckets, share: float) -> str:
    """Bucket that holds a quantile, in milliseconds, the resolution of a histogram."""
    ordered = sorted(buckets)
    place = next(i for i, boundary in enumerate(ordered) if buckets[boundary] >= share * buckets[math.inf])
    low = 1000 * ordered[place - 1] if place else 0.0
    if math.isinf(ordered[place]):
        return f"over {number(low)} ms"
    return f"{number(low)} to {number(1000 * ordered[place])} ms"


def _least_score(scores: Buckets) -> float:
    """0 where the boundaries are those of probabilities; a regression's scores may lie anywhere."""
    return 0.0 if all(0 <= boundary <= 1 for boundary in scores if math.isfinite(boundary)) else -math.inf


def _histogram(
    candidate: Buckets, stable: Buckets | None = None, *, start: float = 0.0, scale: float = 1.0
) -> Histogram | None:
    """Bins from cumulative buckets, from ``start`` on and without those beyond the last value."""
    if not candidate or not candidate[math.inf] or (stable is not None and not stable[math.inf]):
        return None
    arms = [candidate] if stable is None else [candidate, stable]
    ordered = sorted(candidate)
    last = max(next(i for i, le in enumerate(ordered) if arm[le] >= arm[math.inf]) for arm in arms)
    kept = ordered[: last + 1]
    counts = [tuple(b - a for a, b in pairwise([0.0, *(arm[le] for le in kept)])) for arm in arms]
    edges = (scale * start, *(scale * le for le in kept))
    return Histogram(edges, counts[0], counts[1] if stable is not None else None)
