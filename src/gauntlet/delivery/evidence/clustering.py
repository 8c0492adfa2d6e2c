"""Clustering of requests: the design effect φ, estimated from the stable version before the canary.

Sessions, retries and shared nodes make hits come together. φ compares how the hits of stable's pods scatter around
their common rate in each interval with how independent requests would; rates that drift, and outages that all pods
share, do not enter.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from gauntlet.errors import DataError

ASSUMED = 5.0
"""φ where it cannot be estimated."""
LEAST_COMPARISONS = 30
"""Least number of comparisons: pods beyond the first, summed over intervals that had hits and misses."""
LEAST_HITS = 20
"""Least number of hits, and of misses, in those intervals."""


@dataclass(frozen=True)
class Clustering:
    """A design effect, and how it was determined.

    Attributes:
        phi: φ ≥ 1.
        assumed: whether it is ``ASSUMED`` for want of data.
        reason: in one sentence, what it was estimated from, or what was missing.
    """

    phi: float
    assumed: bool
    reason: str


@dataclass(frozen=True)
class Scatter:
    """Sums that φ is estimated from; ``scattered`` adds one interval.

    Attributes:
        squares: Σ(y_ip - n_ip p_i)².
        expected: Σ n_ip p_i(1 - p_i)(1 - n_ip/n_i).
        hits: in intervals that had hits and misses.
        misses: in the same.
        comparisons: pods beyond the first, summed over these intervals.
    """

    squares: float = 0.0
    expected: float = 0.0
    hits: float = 0.0
    misses: float = 0.0
    comparisons: int = 0


def scattered(scatter: Scatter, hits: ArrayLike, requests: ArrayLike, *, interval: int = 0) -> Scatter:
    """Add one interval to the scatter.

    Args:
        scatter: that of the intervals before.
        hits: (pods,) hits. Pods may come and go from one interval to the next.
        requests: (pods,) requests.
        interval: its number, for messages.

    Raises:
        DataError: shapes differ, or a count is impossible.
    """
    y, n = _interval(hits, requests, interval)
    rate = y.sum() / n.sum() if n.sum() else 0.0
    if len(n) < 2 or not 0 < rate < 1:
        return scatter
    return Scatter(
        scatter.squares + float(((y - n * rate) ** 2).sum()),
        scatter.expected + float((n * rate * (1 - rate) * (1 - n / n.sum())).sum()),
        scatter.hits + float(y.sum()),
        scatter.misses + float((n - y).sum()),
        scatter.comparisons + len(n) - 1,
    )


def estimate(hits: Sequence[ArrayLike], requests: Sequence[ArrayLike]) -> Clustering:
    """Estimate φ = max(1, Σ(y_ip - n_ip p_i)² / Σ n_ip p_i(1 - p_i)(1 - n_ip/n_i)), over intervals i and stable pods p.

    p_i is the rate of all pods in the interval. For independent requests of one rate both sums have nearly the same
    mean. It does not see what hits all requests of one pod for long, cold starts (discard the warm-up) or retries
    (count first attempts).

    Args:
        hits: for every interval, (pods,) hits. Pods may come and go.
        requests: for every interval, (pods,) requests.

    Returns:
        As ``design_effect``.

    Raises:
        DataError: shapes differ, or a count is impossible.
    """
    if len(hits) != len(requests):
        raise DataError(
            "must have as many intervals as requests",
            field="hits",
            value=len(hits),
            mend="Give both for every interval",
        )
    scatter = Scatter()
    for index, (pod_hits, pod_requests) in enumerate(zip(hits, requests, strict=True)):
        scatter = scattered(scatter, pod_hits, pod_requests, interval=index)
    return design_effect(scatter)


def design_effect(scatter: Scatter) -> Clustering:
    """Estimate φ; 5, "assumed", with fewer than 30 comparisons of pods or 20 hits or misses."""
    comparisons, hits = scatter.comparisons, scatter.hits
    if comparisons < LEAST_COMPARISONS or min(hits, scatter.misses) < LEAST_HITS:
        return Clustering(
            ASSUMED,
            assumed=True,
            reason=f"assumed: {comparisons} comparisons of stable pods with {hits:g} hits; "
            f"an estimate needs {LEAST_COMPARISONS} and {LEAST_HITS}",
        )
    phi = max(1.0, scatter.squares / scatter.expected)
    return Clustering(
        phi, assumed=False, reason=f"estimated from {comparisons} comparisons of stable pods with {hits:g} hits"
    )


def _interval(hits: ArrayLike, requests: ArrayLike, index: int) -> tuple[np.ndarray, np.ndarray]:
    y, n = np.asarray(hits, dtype=np.float64), np.asarray(requests, dtype=np.float64)
    if y.ndim != 1 or y.shape != n.shape:
        raise DataError(
            "must be one number a pod, as requests",
            field=f"hits, interval {index}",
            value=y.shape,
            mend="Give every pod's hits and requests in the same order",
        )
    impossible = ~(np.isfinite(n) & (y >= 0) & (y <= n) & (y == np.floor(y)) & (n == np.floor(n)))
    if impossible.any():
        where = int(np.argmax(impossible))
        raise DataError(
            f"cannot be a count among {n[where]:g} requests",
            field=f"hits, interval {index}, pod {where}",
            value=float(y[where]),
            mend="Difference the raw counters; PromQL's increase() extrapolates",
        )
    return y[n > 0], n[n > 0]


def effective(requests: float, clustering: Clustering) -> int:
    """Effective sample size: independent requests of the same variance, rounded down."""
    return math.floor(requests / clustering.phi)
