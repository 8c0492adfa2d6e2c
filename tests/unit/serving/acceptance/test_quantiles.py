"""Quantiles: outside reference values, edges, coverage by simulation, and bursts."""

from __future__ import annotations

import doctest
import math

import numpy as np
import pytest

from gauntlet.serving.acceptance import quantiles
from gauntlet.serving.acceptance.quantiles import block_design_effect, least_requests, quantile, share


def test_examples_run() -> None:
    assert doctest.testmod(quantiles).failed == 0


@pytest.mark.parametrize(
    ("n", "q", "low", "high"),
    [
        # Ranks of 95 % intervals from the binomial: Conover, Practical Nonparametric Statistics (3rd ed.), table A3,
        # for n = 16, p = 0.75: P(B ≤ 7) = 0.0075, P(B ≤ 8) = 0.0271, P(B ≤ 14) = 0.9365, P(B ≤ 15) = 0.99.
        (16, 0.75, 8, 16),
        (1000, 0.5, 469, 532),
        (100, 0.5, 40, 61),
    ],
)
def test_ranks_are_those_of_the_binomial(n: int, q: float, low: int, high: int) -> None:
    values = np.random.default_rng(0).permutation(np.arange(1.0, n + 1))
    found = quantile(values, q, confidence=0.95, blocks=1)
    assert (found.low, found.high) == (low, high)
    assert found.low <= found.value <= found.high


@pytest.mark.parametrize(("q", "confidence"), [(0.5, 0.95), (0.99, 0.95), (0.999, 0.99)])
def test_an_upper_end_takes_so_many_requests_and_no_fewer(q: float, confidence: float) -> None:
    needed = least_requests(q, confidence)
    values = np.random.default_rng(1).random(needed)
    assert math.isfinite(quantile(values, q, confidence=confidence, blocks=1).high)
    assert math.isinf(quantile(values[1:], q, confidence=confidence, blocks=1).high)
    assert quantile(values[1:], q, confidence=confidence, blocks=1).needed == needed


def test_no_and_few_values_tell_nothing_rather_than_something() -> None:
    none = quantile(np.array([]), 0.99, confidence=0.95)
    assert (math.isnan(none.value), none.low, none.high) == (True, 0.0, math.inf)
    one = quantile(np.array([0.2]), 0.99, confidence=0.95)
    assert (one.value, one.low, one.high) == (0.2, 0.2, math.inf)
    low = quantile(np.array([0.2]), 0.01, confidence=0.95)
    assert (low.low, low.high) == (0.0, 0.2)


def test_equal_values_have_an_interval_of_no_width() -> None:
    found = quantile(np.full(1000, 0.01), 0.9, confidence=0.95)
    assert (found.value, found.low, found.high, found.effective) == (0.01, 0.01, 0.01, 1000)


def test_it_is_equivariant_under_monotone_change() -> None:
    values = np.random.default_rng(2).lognormal(size=5000)
    plain, logged = quantile(values, 0.99, confidence=0.95), quantile(np.log(values) + 50, 0.99, confidence=0.95)
    assert np.log(plain.high) + 50 == pytest.approx(logged.high)
    assert plain.effective == logged.effective


@pytest.mark.parametrize("q", [0.5, 0.95, 0.99])
def test_independent_latencies_are_covered_as_promised(q: float) -> None:
    rng = np.random.default_rng(3)
    runs = [quantile(rng.exponential(size=4000), q, confidence=0.95) for _ in range(400)]
    truth = -math.log(1 - q)
    covered = np.mean([run.low <= truth <= run.high for run in runs])
    assert covered > 0.95 - 3 * math.sqrt(0.05 * 0.95 / 400)


def bursty(rng: np.random.Generator, n: int = 12_000, length: int = 60, slow: float = 0.1) -> np.ndarray:
    """Pauses: a share ``slow`` of stretches of ``length`` requests is slow throughout."""
    pauses = np.repeat(rng.random(n // length) < slow, length)
    return np.where(pauses, 1.0, 0.0) + rng.random(n) * 0.1


def test_bursts_are_covered_where_independence_would_not_be() -> None:
    rng = np.random.default_rng(4)
    # The truth: a share 0.1 is slow, so p88 is fast; its place among the fast ones is 0.88 / 0.9.
    truth = 0.1 * 0.88 / 0.9
    runs = [bursty(rng) for _ in range(300)]

    def covered(blocks: int) -> float:
        found = [quantile(run, 0.88, confidence=0.95, blocks=blocks) for run in runs]
        return float(np.mean([one.low <= truth <= one.high for one in found]))

    assert covered(1) < 0.6
    assert covered(quantiles.BLOCKS) > 0.9


def test_the_design_effect_of_a_cluster_is_its_size_and_of_independent_values_one() -> None:
    rng = np.random.default_rng(5)
    assert block_design_effect(rng.random(60_000) < 0.3) < 2
    clustered = np.repeat(rng.random(600) < 0.3, 100)
    assert 50 < block_design_effect(clustered) < 200
    assert block_design_effect(np.zeros(1000, dtype=bool)) == 1
    assert block_design_effect(np.array([], dtype=bool)) == 1
    assert block_design_effect(np.array([True, False])) == 1


def test_a_share_has_the_interval_of_clopper_and_pearson() -> None:
    # 10 of 100: 0.0490 to 0.1762 (Clopper & Pearson 1934; R: binom.test(10, 100)).
    hits = np.zeros(100, dtype=bool)
    hits[::10] = True
    found = share(hits, confidence=0.95, blocks=1)
    assert found == pytest.approx((0.1, 0.04900469, 0.17622260), abs=1e-7)
    assert share(np.zeros(3689, dtype=bool), confidence=0.95)[2] == pytest.approx(0.001, rel=1e-3)
    assert share(np.ones(10, dtype=bool), confidence=0.95)[2] == 1.0
