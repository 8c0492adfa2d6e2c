"""Which intervals are counted, as what, and that nothing is counted twice or lost when a look is."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders.judging import DEPLOYING, Story, plan, ramping
from gauntlet.delivery.analysis.state import Outcomes
from gauntlet.delivery.analysis.update import update_outcomes
from gauntlet.delivery.evidence.clustering import ASSUMED
from gauntlet.delivery.evidence.flips import upper_bound
from gauntlet.delivery.evidence.sequential import Direction
from gauntlet.delivery.rollout.state import Phase
from gauntlet.errors import ConfigurationError, DataError
from hypothesis_profiles import examples


def test_the_baseline_is_watched_until_there_is_enough_of_it():
    story = Story(plan(baseline_requests=1000))
    assert story.assess(DEPLOYING, after=0).tests is None
    assert story.serve(600).assess(DEPLOYING).baseline.requests == 600
    state = story.serve(600).assess(DEPLOYING)
    assert state.tests.metrics == ("errors", "latency", "scores")
    assert state.baseline.requests == 0  # it lives on in the tests
    process = state.evidence["errors"].harm["errors"]
    assert process.stable_requests == 1200
    assert process.log_e == ((0.0,) * 14,)  # centred, and no evidence
    assert process.test.starts == 3  # of four steps the last is a test of its own


def test_counters_from_before_the_first_reading_are_no_baseline():
    story = Story(plan())
    story.serve(10_000)
    assert story.assess(DEPLOYING).baseline.requests == 0


def restarted(told, canary=(200, 200, 200, 200)):
    """A candidate at ten percent of which each interval is another process's, as far as the counters know."""
    story = Story(plan(metrics=["errors"]))
    story.world.tells_start = told
    for pods in story.world.pods.values():
        pods.clear()
    for version, pod in (("1", "a"), ("1", "b"), ("2", "c")):
        story.world.answer(version, pod, 0)
    story.assess(DEPLOYING, after=0)
    for _ in range(3):
        story.serve(1000).assess(DEPLOYING)
    story.assess(ramping(held=story.world.now), after=0)
    for answered in canary:
        story.world.restart("2", "c")
        story.serve(1800, answered).assess(ramping(held=0.0))
    return story.state


def test_what_a_new_process_answered_is_counted_where_it_tells_when_it_was_started():
    state = restarted(told=True)
    assert state.evidence["errors"].tallies["errors"].canary[1] == 800
    assert (state.counted, state.left_out) == ((800, 7200), (0, 0))
    assert state.answered == (800, 10_200)


def test_what_may_be_a_new_processes_is_left_out_where_nobody_tells_and_starves_no_candidate():
    state = restarted(told=False, canary=(200, 300, 390, 200))
    assert state.evidence["errors"].tallies["errors"].canary[1] == 400, "the first from zero, the last are fewer"
    assert state.evidence["errors"].tallies["errors"].stable[1] >= 7200
    assert state.left_out == (190, 0), "at least as many as it has more"
    assert state.counted == (590, 7200)


def test_phi_is_estimated_where_pods_scatter_and_assumed_otherwise():
    for looks, pods, expected in [(40, ("a", "b"), False), (40, ("a",), True), (10, ("a", "b"), True)]:
        story = Story(plan(phi="estimate", baseline_requests=looks * 500, metrics=["errors"]), pods=pods)
        story.assess(DEPLOYING)
        for _ in range(looks):
            story.serve(500).assess(DEPLOYING)
        evidence = story.state.evidence["errors"]
        assert (evidence.phi == ASSUMED) is expected
        assert evidence.phi_reason.startswith("assumed" if expected else "estimated from")
        assert evidence.harm["errors"].test.phi == evidence.phi


def test_a_required_metric_that_is_not_kept_is_said_while_nothing_is_at_stake():
    story = Story(plan(latency={"objective_seconds": 0.2}))
    story.assess(DEPLOYING)
    with pytest.raises(ConfigurationError, match="objective: is not a bucket"):
        story.serve(1000).assess(DEPLOYING)


def test_only_intervals_that_began_after_the_warm_up_are_counted():
    story = Story(plan(warm_up_seconds=90)).with_baseline()
    held = ramping(held=story.world.now)
    counted = []
    for _ in range(4):
        story.serve(900, 100).assess(held)
        counted.append((story.state.counted[0], story.state.fresh))
    assert counted == [(0, False), (0, False), (100, True), (200, True)]
    assert story.state.counted_seconds == 120
    assert story.state.answered[0] == 400  # all of them were answered


@pytest.mark.parametrize("rollout", [replace(ramping(), held_since=None), replace(ramping(), phase=Phase.ROLLING_BACK)])
def test_nothing_is_counted_while_the_weight_does_not_hold_or_it_goes_back(rollout):
    story = Story(plan()).with_baseline()
    before = story.state.evidence
    state = story.serve(900, 100).assess(rollout)
    assert state.evidence == before
    assert state.counted == (0, 0)
    assert state.answered == (100, 2000 + 900)


def test_every_step_starts_anew_as_well_and_counts_its_own_requests():
    story = Story(plan()).with_baseline()
    for step, weight in enumerate((10, 25, 50)):
        story.assess(ramping(step, weight, story.world.now))
        story.serve(900, 100).assess(ramping(step, weight, story.world.now))
        assert len(story.state.evidence["errors"].harm["errors"].log_e) == step + 1
        assert story.state.evidence["errors"].tallies["errors"].step == 100
    assert story.state.evidence["errors"].tallies["errors"].canary[1] == 300
    with pytest.raises(ConfigurationError, match="no start left"):
        story.assess(ramping(3, 75, story.world.now))


def test_at_full_weight_the_candidate_is_held_against_what_stable_can_have_done():
    chosen = plan(metrics=["errors"], alpha=0.04)
    story = Story(chosen).with_baseline(20_000)
    story.serve(9000, 1000).assess(ramping(held=story.world.now))
    story.serve(9000, 1000).assess(ramping(held=0.0))
    beside = story.state.evidence["errors"].harm
    hits = sum(pod.errors for pod in story.world.pods["1"].values())
    story.assess(ramping(3, 100, story.world.now))
    story.serve(3, 5000).assess(ramping(3, 100, held=0.0))
    evidence = story.state.evidence["errors"]
    assert evidence.harm == beside  # nothing answers beside it any more
    test = evidence.absolute_harm["errors"].test
    bound = upper_bound(hits, 38_000, alpha=0.1 * 0.04, phi=1.0)
    assert (test.rho, test.delta) == (0, pytest.approx(bound + 0.002))
    safe = evidence.absolute_safe["errors"].test
    assert (safe.direction, safe.delta) == (Direction.NOT_WORSE, pytest.approx(hits / 38_000 + 0.005))
    assert evidence.absolute_harm["errors"].canary_requests == 5000
    assert evidence.absolute_harm["errors"].stable_requests == 0


def test_an_analysis_that_was_killed_leaves_its_interval_to_the_next():
    """The same counts whether a look happened or not; the evidence differs in what was known in between alone."""
    once, twice = (Story(plan()).with_baseline() for _ in range(2))
    for story in (once, twice):
        story.assess(ramping(held=story.world.now), after=0)
        story.serve(900, 100)
    lost = twice.state
    twice.assess(ramping())
    for story in (once, twice):
        story.serve(900, 100)
    twice.state = lost  # killed before it was written
    assert once.assess(ramping()) == replace(twice.assess(ramping(), after=0), at=once.state.at)
    assert once.state.counted == (200, 1800)


@examples(25)
@given(st.sets(st.integers(1, 11)), st.integers(0, 2**32 - 1))
def test_whichever_looks_are_missed_all_requests_are_counted_once(missed, seed):
    story = Story(plan(metrics=["errors", "latency"]), seed=seed).with_baseline()
    story.assess(ramping(held=story.world.now), after=0)
    for turn in range(1, 13):
        story.serve(90, 10)
        if turn not in missed:
            story.assess(ramping())
    state = story.state
    assert state.counted == (120, 1080)
    tally = state.evidence["errors"].tallies["errors"]
    assert tally.canary == (story.world.pods["2"]["c"].errors, 120)
    assert state.evidence["latency"].tallies["le=0.1"].canary[1] == 120


def test_a_canary_that_restarts_is_counted_on():
    story = Story(plan(metrics=["errors"])).with_baseline()
    story.serve(900, 100).assess(ramping(held=0.0))
    del story.world.pods["2"]["c"]
    story.serve(900, 40).assess(ramping())
    assert story.state.counted == (140, 1800)


def test_an_unreadable_reading_changes_nothing():
    story = Story(plan()).with_baseline()
    broken = story.world.pods["2"]["c"]
    story.serve(900, 100)
    story.world.pods["2"]["c"] = replace(broken, requests=0.5)
    before = story.state
    with pytest.raises(DataError, match="must be a whole number"):
        story.assess(ramping())
    assert story.state is before


def with_labels(state, *counts):
    return update_outcomes(state, Outcomes(*counts), plan(metrics=["errors", "outcomes"]))


def test_matured_labels_are_counted_by_their_increase():
    story = Story(plan(metrics=["errors", "outcomes"])).with_baseline()
    first = with_labels(story.state, 3, 100, 20, 900)
    second = with_labels(first, 5, 150, 20, 900)
    tally = second.evidence["outcomes"].tallies["outcomes"]
    assert (tally.canary, tally.stable) == ((5, 150), (20, 900))


@pytest.mark.parametrize(
    "counts",
    [(4, 150, 20, 900), (5, 149, 20, 900), (5, 150, 19, 900), (5, 150, 20, 899), (7, 151, 20, 900), (5, 150, 21, 900)],
    ids=[
        "a wrong one right",
        "one gone",
        "a wrong one of stable",
        "one of stable gone",
        "a right one wrong",
        "stable's",
    ],
)
def test_labels_that_were_counted_cannot_be_changed(counts):
    story = Story(plan(metrics=["errors", "outcomes"])).with_baseline()
    counted = with_labels(story.state, 5, 150, 20, 900)
    with pytest.raises(DataError, match=r"changed or removed.*5 of 150 and 20 of 900 wrong before.*another attempt"):
        with_labels(counted, *counts)


def test_decisions_with_labels_of_their_own_kind_are_as_independent_as_the_plan_says():
    for chosen, phi in (({}, 1.0), ({"outcomes": {"phi": 3}}, 3.0)):
        story = Story(plan(metrics=["errors", "outcomes"], **chosen)).with_baseline()
        assert (story.state.evidence["outcomes"].phi, story.state.evidence["errors"].phi) == (phi, 1.0)


def test_labels_that_nobody_asked_for_are_left():
    story = Story(plan(metrics=["errors"])).with_baseline()
    assert update_outcomes(story.state, Outcomes(3, 100, 20, 900), story.plan) is story.state
