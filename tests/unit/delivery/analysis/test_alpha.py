import math

import numpy as np
import pytest

from builders.judging import Story, plan, ramping
from gauntlet.delivery.analysis.alpha import (
    HIGHEST_LIMIT,
    alarm_level,
    begin_full_traffic,
    close_step,
    concurrent_starts,
    log_harm,
    log_safe,
    shares,
)
from gauntlet.delivery.analysis.plan import ErrorsPlan, LatencyPlan
from gauntlet.delivery.analysis.state import Evidence, Tally
from gauntlet.delivery.evidence.flips import upper_bound
from gauntlet.delivery.evidence.sequential import Direction, Process, Test


def process(*starts, direction=Direction.HARM, planned=3):
    """A process whose logarithm of evidence is that, start by start."""
    test = Test(direction, starts=planned)
    return Process(test, tuple((start,) * len(test.psi) for start in starts))


def test_alpha_is_shared_by_weight_among_those_that_have_a_say():
    story = Story(plan()).with_baseline()
    assert shares(story.state, story.plan) == {"errors": 0.5, "latency": 0.25, "scores": 0.25}
    assert shares(story.state, plan(dry_run=["errors"])) == {"latency": 0.5, "scores": 0.5}
    assert alarm_level(plan(alpha=0.04)) == pytest.approx(0.036)


def test_harm_is_the_mean_over_all_planned_starts_the_last_of_them_alone():
    """Four steps: evidence 8 and 2 at two starts, one start to come, and 6 and 10 in two tests at full weight."""
    beside = {"errors": process(math.log(8), math.log(2))}
    evidence = Evidence(1.0, "", beside, {})
    assert log_harm(evidence, 4) == pytest.approx(math.log((8 + 2 + 1 + 1) / 4))
    alone = {name: process(math.log(value), planned=1) for name, value in (("a", 6), ("b", 10))}
    assert log_harm(Evidence(1.0, "", beside, {}, alone), 4) == pytest.approx(math.log((8 + 2 + 1 + 8) / 4))


def test_without_evidence_it_is_one():
    for steps in (1, 2, 5):
        nothing = {"errors": process(0.0, planned=concurrent_starts(steps))}
        assert log_harm(Evidence(1.0, "", nothing, {}), steps) == pytest.approx(0.0, abs=1e-12)


def test_not_worse_is_the_least_of_everything_that_has_begun():
    safe = {
        "a": process(5.0, 3.0, direction=Direction.NOT_WORSE),
        "b": process(4.0, 6.0, direction=Direction.NOT_WORSE),
    }
    alone = {"a": process(1.0, planned=1, direction=Direction.NOT_WORSE)}
    assert log_safe(Evidence(1.0, "", {}, safe)) == pytest.approx(3.0)
    assert log_safe(Evidence(1.0, "", {}, safe, {}, alone)) == pytest.approx(1.0)


@pytest.mark.parametrize("steps", [1, 2, 3])
def test_a_rollout_of_few_steps_comes_to_full_weight_as_well(steps):
    story = Story(plan(metrics=["errors"]), steps=steps).with_baseline()
    for step in range(steps):
        weight = 100 if step == steps - 1 else 10 * (step + 1)
        story.assess(ramping(step, weight, story.world.now))
        story.serve(0 if weight == 100 else 900, 100).assess(ramping(step, weight, 0.0))
    evidence = story.state.evidence["errors"]
    assert evidence.absolute_harm["errors"].canary_requests == 100
    assert np.isfinite(log_harm(evidence, steps))


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
