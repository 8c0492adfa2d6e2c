"""What mirroring shows of a candidate, as a router would count it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import accumulate

from gauntlet.delivery.evidence.histograms import Buckets
from gauntlet.delivery.shadow.gate import ShadowCounts

LE = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25)
"""Boundaries of latency, in seconds."""
LATENCY = (0.2, 0.56, 0.16, 0.05, 0.02, 0.01)
"""Share of the answers in each bucket."""
SCORES = tuple(i / 10 for i in range(1, 10))
_U_SHAPED = (0.3, 0.14, 0.08, 0.05, 0.04, 0.04, 0.05, 0.07, 0.1, 0.13)
DIFFERENCES = (0.001, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2)
_DIFFERENCES = (0.3, 0.34, 0.2, 0.1, 0.04, 0.015, 0.004, 0.001)


def buckets(boundaries: Sequence[float], shares: Sequence[float], total: int) -> Buckets:
    """A cumulative histogram of whole counts whose last finite share may be followed by one beyond."""
    cumulative = [round(total * share) for share in accumulate(shares)]
    counts = dict(zip((*boundaries, math.inf), [*cumulative, total], strict=False))
    return {le: float(count) for le, count in counts.items()} | {math.inf: float(total)}


def shadow(*, scale: float = 1.0, latency: Sequence[float] = LATENCY) -> ShadowCounts:
    """A candidate that is as good as stable and decides 1.5 % otherwise, over 20,000 pairs."""
    pairs = round(20_000 * scale)
    slow = buckets(LE, latency, pairs)
    return ShadowCounts(
        pairs=pairs,
        flips=round(300 * scale),
        candidate_errors=round(30 * scale),
        stable_errors=round(20 * scale),
        dropped=0,
        differences=buckets(DIFFERENCES, _DIFFERENCES, pairs),
        candidate_latency=slow,
        stable_latency=slow,
        candidate_scores=buckets(SCORES, (*_U_SHAPED[:4], 0.03, 0.05, *_U_SHAPED[6:]), pairs),
        stable_scores=buckets(SCORES, _U_SHAPED, pairs),
        seconds=1_800.0,
    )
