import numpy as np
import pytest

from gauntlet.delivery.evidence.clustering import ASSUMED, Scatter, design_effect, effective, estimate, scattered
from gauntlet.errors import DataError


def pods(rng, *, intervals=400, size=1, rates=0.05, count=3):
    """Hits and requests of stable pods; ``size`` requests hit or miss as one."""
    groups = rng.integers(50, 150, (intervals, count))
    return size * rng.binomial(groups, np.broadcast_to(rates, (intervals, count))), size * groups


@pytest.mark.parametrize("size", [1, 4, 9])
def test_clusters_of_one_size_have_that_design_effect(size):
    found = estimate(*pods(np.random.default_rng(1), size=size))
    assert not found.assumed
    assert found.phi == pytest.approx(size, rel=0.12)


def test_a_rate_that_drifts_and_outages_that_pods_share_are_no_clustering():
    rng = np.random.default_rng(2)
    rates = np.where(rng.random(400) < 0.1, 0.6, np.linspace(0.01, 0.2, 400))[:, None]
    assert estimate(*pods(rng, rates=rates)).phi == pytest.approx(1, abs=0.12)


def test_the_estimate_by_hand():
    """Forty intervals of two pods: 3 of 10 and 1 of 10. (1 + 1) / (2 · 10 · 0.2 · 0.8 · ½) = 1.25."""
    found = estimate([[3, 1]] * 40, [[10, 10]] * 40)
    assert found.phi == pytest.approx(1.25)
    assert "40 comparisons of stable pods with 160 hits" in found.reason


def test_interval_by_interval_it_is_the_same():
    scatter = Scatter()
    hits, requests = pods(np.random.default_rng(3), size=4)
    for one, other in zip(hits, requests, strict=True):
        scatter = scattered(scatter, one, other)
    assert design_effect(scatter) == estimate(hits, requests)


def test_it_is_never_below_one():
    assert estimate([[2, 2]] * 40, [[10, 10]] * 40).phi == 1


@pytest.mark.parametrize(
    ("hits", "requests"),
    [
        ([], []),
        ([[5]] * 60, [[10]] * 60),
        ([[5, 0]] * 60, [[10, 0]] * 60),
        ([[0, 0]] * 60, [[10, 10]] * 60),
        ([[10, 10]] * 60, [[10, 10]] * 60),
        ([[1, 0]] * 19 + [[0, 0]] * 60, [[10, 10]] * 79),
        ([[5, 4]] * 29, [[10, 10]] * 29),
    ],
    ids=["nothing", "one pod", "one pod with traffic", "no hits", "no misses", "few hits", "few intervals"],
)
def test_what_cannot_be_estimated_is_assumed_and_said(hits, requests):
    found = estimate(hits, requests)
    assert (found.phi, found.assumed) == (ASSUMED, True)
    assert found.reason.startswith("assumed: ")


def test_pods_may_come_and_go():
    assert not estimate([[3, 1], [3, 1, 2]] * 20, [[10, 10], [10, 10, 10]] * 20).assumed


@pytest.mark.parametrize(
    ("hits", "requests", "message"),
    [
        ([[1, 2]], [], "as many intervals"),
        ([[1, 2]], [[3]], "interval 0: must be one number a pod"),
        ([[1, 4]], [[3, 3]], "interval 0, pod 1: cannot be a count among 3 requests"),
        ([[-1, 2]], [[3, 3]], "interval 0, pod 0"),
        ([[0.5, 2]], [[3, 3]], r"increase\(\) extrapolates"),
        ([[np.nan, 2]], [[3, 3]], "interval 0, pod 0"),
        ([[1, 2]], [[np.inf, 3]], "interval 0, pod 0"),
    ],
)
def test_impossible_counts_are_refused(hits, requests, message):
    with pytest.raises(DataError, match=message):
        estimate(hits, requests)


def test_effective_requests():
    assert effective(1000, estimate([], [])) == 200
