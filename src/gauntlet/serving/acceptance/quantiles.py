"""Quantiles of latencies with intervals that assume no distribution and allow for bursts. No network, no clock.

The interval of a quantile is read off the ordered values (order statistics): the number of values below the true
q-quantile is binomial(n, q), so the values of two ranks enclose it with known probability, whatever the distribution
(David & Nagaraja, *Order Statistics*, 7.1).

Latencies of neighbouring requests are alike: one pause slows many. The ranks therefore come from an effective number of
requests, n divided by the design effect of the indicator "slower than the quantile" over blocks of time, as Korn and
Graubard (1998) do for clustered samples and Woodruff (1952) for their quantiles. The design effect is at least one.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from gauntlet.serving.arrivals import Floats
from gauntlet.serving.load_result import percentile
from gauntlet.stats.proportions import clopper_pearson

BLOCKS = 30
"""Blocks of time a run is cut into: long enough to hold a pause, many enough to estimate a variance."""


@dataclass(frozen=True)
class Quantile:
    """A quantile and how well it is known.

    Attributes:
        q: in (0, 1).
        value: the observed value of rank ⌈(n − 1) · q⌉.
        low: lower end of the interval; 0 where the values cannot tell.
        high: upper end; infinite where they cannot.
        requests: n.
        effective: n over the design effect.
        needed: about how many requests an upper end takes, at this design effect.
    """

    q: float
    value: float
    low: float
    high: float
    requests: int
    effective: float
    needed: int


def quantile(values: Floats, q: float, *, confidence: float, blocks: int = BLOCKS) -> Quantile:
    """Estimate a quantile with its interval.

    Args:
        values: (n,) in the order in which they were meant to begin, each at least 0.
        q: in (0, 1).
        confidence: of the interval, two-sided.
        blocks: of consecutive values, for the design effect.

    >>> found = quantile(np.arange(1.0, 1001.0), 0.5, confidence=0.95, blocks=1)
    >>> found.value, found.low, found.high
    (501.0, 469.0, 532.0)
    """
    from scipy.stats import binom

    n = len(values)
    tail = (1 - confidence) / 2
    if not n:
        return Quantile(q, math.nan, 0.0, math.inf, 0, 0.0, least_requests(q, confidence))
    ordered = np.sort(values)
    value = percentile(values, 100 * q)
    effect = block_design_effect(values > value, blocks)
    effective = n / effect
    # Ranks of the effective sample, as shares, carried over to the real one: outwards, never inwards.
    size = max(1, math.floor(effective))
    below, above = int(binom.ppf(tail, size, q)), int(binom.ppf(1 - tail, size, q)) + 1
    low = ordered[max(1, math.floor(below / size * n)) - 1] if below >= 1 else 0.0
    high = ordered[min(n, math.ceil(above / size * n)) - 1] if above <= size else math.inf
    needed = math.ceil(least_requests(q, confidence) * effect)
    return Quantile(q, value, float(low), float(high), n, effective, needed)


def least_requests(q: float, confidence: float) -> int:
    """Fewest independent values for an upper end of the interval: the n with qⁿ ≤ (1 − confidence) / 2.

    >>> least_requests(0.99, 0.95), least_requests(0.999, 0.95)
    (368, 3688)
    """
    return math.ceil(math.log((1 - confidence) / 2) / math.log(q))


def block_design_effect(hits: np.ndarray, blocks: int = BLOCKS) -> float:
    """Design effect: variance of a share over that of independent values; at least 1.

    Variance of the share over consecutive blocks, times the size of a block, over p(1 − p).

    Args:
        hits: (n,) booleans in the order of time.
        blocks: how many; fewer than two, or as many as values, give 1.
    """
    share = float(hits.mean()) if len(hits) else 0.0
    if blocks < 2 or len(hits) < 2 * blocks or not 0 < share < 1:
        return 1.0
    size = len(hits) // blocks
    shares = hits[: size * blocks].reshape(blocks, size).mean(axis=1)
    return max(1.0, float(shares.var(ddof=1)) * size / (share * (1 - share)))


def share(hits: np.ndarray, *, confidence: float, blocks: int = BLOCKS) -> tuple[float, float, float]:
    """A share with its Clopper–Pearson interval on the effective number of values: (share, low, high).

    Args:
        hits: (n,) booleans in the order of time, at least one.
        confidence: two-sided.
        blocks: for the design effect.
    """
    n = len(hits) / block_design_effect(hits, blocks)
    estimate = float(hits.mean())
    return estimate, *clopper_pearson(estimate * n, n, 1 - confidence)
