import pytest

from gauntlet.delivery.analysis.full_traffic import HIGHEST_LIMIT, begin_full_traffic, close_step
from gauntlet.delivery.analysis.plan import ErrorsPlan, LatencyPlan
from gauntlet.delivery.analysis.state import Evidence, Tally
from gauntlet.delivery.evidence.flips import upper_bound
from gauntlet.delivery.evidence.sequential import Direction


def alone(tallies, block=None, *, alpha=0.05, share=0.5, phi=1.0):
    return begin_full_traffic(
        Evidence(phi, "", {}, {}, tallies=tallies), block or ErrorsPlan(), alpha=alpha, share=share
    )


def test_the_limit_is_the_highest_rate_stable_can_have_had_and_the_margin():
    """Baseline and rollout count together; a tenth of α, shared by weight and by tests, pays for the bound."""
    found = alone({"errors": Tally(stable=(30, 3000), before=(20, 2000), canary=(99, 1000))})
    test = found.absolute_harm["errors"].test
    assert (test.direction, test.rho, test.starts) == (Direction.HARM, 0, 1)
    assert test.delta == pytest.approx(upper_bound(50, 5000, alpha=0.1 * 0.05 * 0.5) + 0.002)
    safe = found.absolute_safe["errors"].test
    assert (safe.direction, safe.delta) == (Direction.NOT_WORSE, pytest.approx(0.01 + 0.005))


def test_a_rate_that_stable_had_over_a_step_is_no_harm():
    swinging = close_step(Tally(stable=(60, 5000), before=(20, 2000), stable_step=(40, 1000)))
    assert (swinging.highest, swinging.stable_step) == (0.04, (0, 0))
    assert alone({"errors": swinging}).absolute_harm["errors"].test.delta == pytest.approx(0.04 + 0.002)
    calm = close_step(Tally(stable=(60, 5000), before=(20, 2000), stable_step=(8, 1000), highest=0.02))
    assert calm.highest == 0.02


def test_a_few_requests_are_no_rate():
    assert close_step(Tally(stable=(60, 5000), stable_step=(40, 499))).highest == 0
    assert close_step(Tally()).highest == 0


def test_every_test_of_a_metric_gets_its_part_and_its_own_limit():
    tallies = {f"le={le}": Tally(before=(hits, 1000)) for le, hits in (("0.1", 100), ("0.5", 10))}
    found = alone(tallies, LatencyPlan(), share=0.25)
    for name, hits in (("le=0.1", 100), ("le=0.5", 10)):
        bound = upper_bound(hits, 1000, alpha=0.1 * 0.05 * 0.25 / 2)
        assert found.absolute_harm[name].test.delta == pytest.approx(1.1 * bound + 0.001)


def test_clustered_requests_widen_the_limit():
    tallies = {"errors": Tally(before=(50, 5000))}
    limits = [alone(tallies, phi=phi).absolute_harm["errors"].test.delta for phi in (1.0, 5.0)]
    assert limits[0] < limits[1]


def test_where_nothing_is_known_of_stable_no_limit_can_be_exceeded():
    for tally in (Tally(), Tally(before=(100, 100))):
        assert alone({"errors": tally}).absolute_harm["errors"].test.delta == HIGHEST_LIMIT
