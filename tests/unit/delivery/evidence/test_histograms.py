import math

import pytest

from gauntlet.delivery.evidence.combination import panel_log_e, update_panel
from gauntlet.delivery.evidence.counts import Counts
from gauntlet.delivery.evidence.histograms import boundary_name, counts, eligible, fell, gained, slow, together
from gauntlet.delivery.evidence.sequential import Test, begin
from gauntlet.errors import ConfigurationError, DataError


def buckets(fast, middle, total):
    return {0.1: float(fast), 0.5: float(middle), math.inf: float(total)}


def test_increments_of_pods_add_up():
    first = gained(buckets(10, 20, 30), buckets(15, 29, 40), restarted=False, pod="a")
    second = gained(buckets(1, 2, 3), buckets(1, 3, 5), restarted=False, pod="b")
    assert together(together({}, first, pod="a"), second, pod="b") == buckets(5, 10, 12)


def test_a_histogram_that_was_not_there_gives_nothing_yet():
    assert gained({}, buckets(1, 2, 3), restarted=False, pod="a") == {}
    assert gained(buckets(1, 2, 3), {}, restarted=False, pod="a") == {}


def test_a_restarted_pod_counts_from_zero_in_every_bucket():
    """Only the first bucket fell; the others have grown past what they were."""
    before, after = buckets(10, 20, 30), buckets(9, 25, 40)
    assert fell(before, after)
    assert not fell(after, after)
    assert gained(before, after, restarted=True, pod="a") == buckets(9, 25, 40)


def test_a_side_without_requests_counts_none():
    assert counts({}, buckets(1, 2, 4), [0.5]) == {"le=0.5": Counts(0, 0, 2, 4)}


def test_slow_requests_are_those_above_the_boundary():
    assert slow(buckets(5, 10, 12), 0.1) == (7, 12)
    assert slow({}, 0.1) == (0, 0)
    with pytest.raises(DataError, match="not a bucket"):
        slow(buckets(5, 10, 12), 0.2)


def test_eligible_boundaries_have_a_tail_that_tells():
    """Tails of 50 %, 25 %, 0.1 % and 0.09 %."""
    baseline = {0.1: 50_000.0, 0.2: 75_000.0, 0.5: 99_900.0, 1.0: 99_910.0, math.inf: 100_000.0}
    assert eligible(baseline) == (0.2, 0.5)
    assert eligible(baseline, objective=1.0) == (1.0,)


def test_an_objective_between_buckets_is_refused():
    with pytest.raises(ConfigurationError, match="objective"):
        eligible(buckets(5, 10, 12), objective=0.3)


@pytest.mark.parametrize("baseline", [{}, buckets(0, 0, 0), buckets(0, 0, 10), buckets(10, 10, 10)])
def test_a_baseline_without_a_usable_boundary_is_refused(baseline):
    with pytest.raises(DataError, match="no boundary"):
        eligible(baseline)


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        ({0.1: 1.0}, r"a: has no bucket at \+Inf"),
        (buckets(3, 2, 5), "is below the bucket before it"),
        (buckets(1.5, 2, 5), "whole number"),
        (buckets(-1, 2, 5), "whole number"),
    ],
)
def test_what_is_no_histogram_is_refused(broken, message):
    with pytest.raises(DataError, match=message):
        gained(broken, broken, restarted=False, pod="a")


def test_pods_with_other_buckets_are_refused():
    other = {0.2: 1.0, math.inf: 2.0}
    with pytest.raises(DataError, match="boundaries of its own"):
        gained(buckets(1, 2, 3), other, restarted=False, pod="a")
    with pytest.raises(DataError, match="boundaries of its own"):
        together(buckets(1, 2, 3), other, pod="b")


def test_a_slow_canary_is_found_from_its_histogram():
    test = Test(rho=1.1, delta=0.001)
    alike, slower = buckets(800, 980, 1000), buckets(700, 900, 1000)
    stable = buckets(8000, 9800, 10_000)
    boundaries = eligible(stable)
    panel = {boundary_name(boundary): begin(test) for boundary in boundaries}
    assert panel_log_e(update_panel(panel, counts(slower, stable, boundaries))) > math.log(20)
    assert panel_log_e(update_panel(panel, counts(alike, stable, boundaries))) < math.log(2)
