"""Every way a look can end, each with a service that ends it so."""

from dataclasses import replace

import pytest

from builders.judging import Behavior, Story, plan, ramping
from gauntlet.delivery.analysis.state import AnalysisState, CustomResult
from gauntlet.delivery.analysis.summary import starved, summarise
from gauntlet.delivery.rollout.state import Phase
from gauntlet.verdict import Status

GOOD = Behavior()


def look(story, rollout=None, number=7):
    return summarise(story.state, story.plan, rollout or ramping(), number)


def at_ten_percent(chosen, canary=1000, bad=GOOD, intervals=1):
    """A rollout that has counted some intervals at 10 %."""
    story = Story(chosen).with_baseline(4000)
    story.assess(ramping(held=story.world.now), after=0)
    for _ in range(intervals):
        story.serve(9 * canary, canary, bad).assess(ramping())
    return story


def metric(found, name):
    return next(one for one in found.metrics if one.name == name)


@pytest.mark.parametrize(
    ("bad", "culprit", "sentence"),
    [
        (Behavior(errors=0.05), "errors", "errors: "),
        (Behavior(latency=(0.3, 0.5, 0.15, 0.05)), "latency", "requests above 0.1 s: "),
        (Behavior(scores=(0.02,) * 5 + (0.18,) * 5), "scores", "scores above 0.5: "),
    ],
)
def test_harm_fails_and_its_culprit_is_named_with_numbers(bad, culprit, sentence):
    found = look(at_ten_percent(plan(), bad=bad))
    assert found.status is Status.FAIL
    assert found.sentence.startswith(sentence)
    assert "of 1,000 against" in found.sentence
    assert "e-value" in found.sentence
    assert [one.name for one in found.metrics if one.status is Status.FAIL] == [culprit]
    assert (found.number, found.answered[0]) == (7, 1000)


def test_once_the_candidate_is_gone_the_look_does_not_know_what_it_was_given_last():
    story = at_ten_percent(plan(), bad=Behavior(errors=0.05))
    back = ramping(phase=Phase.ROLLING_BACK)
    story.serve(9000, 50).assess(back)
    assert look(story, back).answered[0] == 1050
    del story.world.pods["2"]["c"]
    story.assess(back)
    assert look(story, back).answered is None


def test_harm_that_was_shown_stays_shown():
    story = at_ten_percent(plan(metrics=["errors"]), canary=300, bad=Behavior(errors=0.1))
    assert look(story).status is Status.FAIL
    for _ in range(20):
        story.serve(9000, 1000, Behavior(errors=0.0)).assess(ramping())
    evidence = metric(look(story), "errors")
    assert evidence.log_harm < 0  # by now the evidence has fallen back
    assert look(story).status is evidence.status is Status.FAIL


def test_several_suspicions_together_can_be_proof_and_no_culprit():
    story = at_ten_percent(plan(metrics=["errors", "latency"]), canary=200, bad=Behavior(errors=0.005))
    story.state = replace(story.state, alarm="Together the metrics show harm (e-value 23, needs 22.2), errors most")
    found = look(story)
    assert found.status is Status.FAIL
    assert found.sentence == "Together the metrics show harm (e-value 23, needs 22.2), errors most."
    assert all(one.status is not Status.FAIL for one in found.metrics)


def test_what_would_have_shown_the_detectable_effect_passes():
    story = at_ten_percent(plan(metrics=["errors"]))
    needed = story.state.evidence["errors"].needed["errors"]
    assert 1000 < needed < 5000
    early = look(story)
    assert early.status is Status.INCONCLUSIVE
    assert f"{needed - 1000:,.0f} more requests (about " in early.sentence
    for _ in range(int(needed // 1000)):
        story.serve(9000, 1000).assess(ramping())
    found = look(story)
    assert found.status is Status.PASS
    assert f"no harm seen at the {needed:,.0f} requests that would show the detectable effect" in found.sentence


def test_requests_that_no_test_was_given_are_named():
    story = at_ten_percent(plan(metrics=["errors"]))
    assert "left out" not in look(story).sentence
    story.state = replace(story.state, left_out=(150.0, 20.0))
    found = look(story)
    assert found.status is Status.INCONCLUSIVE
    assert found.sentence.endswith(
        "; 150 of the candidate's 1,000 requests are left out, since their counters do not tell whether a server was "
        "restarted."
    )


def test_a_new_step_has_to_show_it_again():
    story = at_ten_percent(plan(metrics=["errors"]), canary=5000)
    assert look(story).status is Status.PASS
    story.assess(ramping(1, 25, story.world.now), after=0)
    story.serve(300, 100).assess(ramping(1, 25))
    assert look(story, ramping(1, 25)).status is Status.INCONCLUSIVE


def test_proof_passes_before_the_requests_that_power_asks_for_are_there():
    story = at_ten_percent(plan(metrics=["errors"], errors={"promotion": 0.05}), canary=700)
    found = look(story)
    assert found.status is Status.PASS
    assert "proven not worse (e-value" in found.sentence


def test_where_proof_is_asked_for_the_requests_that_power_asks_for_are_not_enough():
    story = at_ten_percent(plan(metrics=["errors"], promote_on="proven"), canary=1000, intervals=2)
    assert story.state.evidence["errors"].needed["errors"] < 2000
    found = look(story)
    assert found.status is Status.INCONCLUSIVE
    assert "not yet proven (e-value" in found.sentence
    for _ in range(20):
        story.serve(18_000, 2000).assess(ramping())
    assert look(story).status is Status.PASS


def test_one_metric_that_does_not_pass_holds_all_up():
    story = at_ten_percent(plan(scores={"detectable_effect": 0.06, "promotion": 0.02}), canary=3000)
    found = look(story)
    assert metric(found, "errors").status is Status.PASS
    assert found.status is metric(found, "scores").status is Status.INCONCLUSIVE
    assert found.sentence == metric(found, "scores").sentence


def test_no_data_never_passes():
    story = at_ten_percent(plan(metrics=["errors", "latency"]), canary=0)
    found = look(story)
    assert found.status is Status.INCONCLUSIVE
    assert "none of none against" in found.sentence
    assert "no data of the candidate" in found.sentence


def test_a_metric_that_the_candidate_does_not_keep_never_passes():
    story = at_ten_percent(plan(), canary=20_000, bad=Behavior(scores=()))
    found = look(story)
    assert metric(found, "errors").status is Status.PASS
    assert metric(found, "scores").status is found.status is Status.INCONCLUSIVE
    assert "no data of the candidate" in found.sentence


def test_a_dry_run_is_shown_and_has_no_say():
    bad = Behavior(scores=(0.02,) * 5 + (0.18,) * 5)
    found = look(at_ten_percent(plan(dry_run=["scores"]), canary=5000, bad=bad))
    scores = metric(found, "scores")
    assert (scores.status, scores.dry_run) == (Status.FAIL, True)
    assert found.status is Status.PASS


def test_what_was_left_out_is_told():
    story = Story(plan())
    for pod in story.pods:
        story.world.answer("1", pod, 2000, Behavior(scores=()))
    story.assess(ramping(step=-1), after=0)
    for pod in story.pods:
        story.world.answer("1", pod, 2000, Behavior(scores=()))
    story.assess(ramping(step=-1))
    left_out = metric(look(story), "scores")
    assert left_out.dry_run
    assert "left out, since scores: the stable version keeps no histogram of scores" in left_out.sentence


def test_slices_are_compared_within_themselves():
    """North's scores move up and south's down: together they lie where they lay."""
    flat, up, down = (0.1,) * 10, (0.02,) * 5 + (0.18,) * 5, (0.18,) * 5 + (0.02,) * 5
    usual = Behavior(sliced={"region=north": (0.5, flat), "region=south": (0.5, flat)})
    moved = Behavior(sliced={"region=north": (0.5, up), "region=south": (0.5, down)})
    story = Story(plan(metrics=["errors", "scores", "slices"]))
    for pod in story.pods:
        story.world.answer("1", pod, 0, usual)
    story.world.answer("2", "c", 0, usual)
    story.assess(ramping(step=-1), after=0)
    for pod in story.pods:
        story.world.answer("1", pod, 2000, usual)
    story.assess(ramping(step=-1))
    story.assess(ramping(held=story.world.now), after=0)
    for pod in story.pods:
        story.world.answer("1", pod, 4000, usual)
    story.world.answer("2", "c", 1000, moved)
    story.assess(ramping())
    found = look(story)
    assert metric(found, "scores").status is Status.INCONCLUSIVE
    assert found.status is metric(found, "slices").status is Status.FAIL
    assert found.sentence.startswith("scores of region=")


OWN = {"name": "revenue", "query": "sum(x)", "limit": 2.5, "direction": "min", "consecutive": 3}


@pytest.mark.parametrize(
    ("answer", "status", "sentence"),
    [
        (CustomResult(3.0), Status.PASS, "revenue: 3; at least 2.5 is allowed."),
        (CustomResult(2.0, streak=1), Status.INCONCLUSIVE, "(1 of 3 analyses in a row)"),
        (CustomResult(2.0, streak=3), Status.FAIL, "revenue: 2; at least 2.5 is allowed (3 of 3 analyses in a row)."),
        (CustomResult(), Status.INCONCLUSIVE, "revenue: no data."),
        (CustomResult(problem="gives several series"), Status.ERROR, "revenue: gives several series."),
    ],
)
def test_a_teams_own_metric(answer, status, sentence):
    story = at_ten_percent(plan(metrics=["errors"], custom=[OWN]), canary=5000)
    story.state = replace(story.state, custom={"revenue": answer})
    found = look(story)
    assert found.status is metric(found, "revenue").status is status
    assert sentence in found.sentence
    silent = summarise(story.state, plan(metrics=["errors"], custom=[OWN], dry_run=["revenue"]), ramping(), 1)
    assert silent.status is Status.PASS


def test_harm_is_said_even_where_something_could_not_be_measured():
    story = at_ten_percent(plan(metrics=["errors"], custom=[OWN]), bad=Behavior(errors=0.2))
    story.state = replace(story.state, custom={"revenue": CustomResult(problem="down")})
    assert look(story).status is Status.FAIL


def test_labels_that_have_not_come_hold_nothing_up():
    found = look(at_ten_percent(plan(metrics=["errors", "outcomes"]), canary=5000))
    assert metric(found, "outcomes").status is Status.INCONCLUSIVE
    assert found.status is Status.PASS


@pytest.mark.parametrize(
    ("counted", "recent", "in_flight", "said"),
    [
        ((100, 900), (100, 900), 0, ""),
        ((51, 949), (51, 949), 0, ""),
        ((40, 960), (40, 960), 3, "answered 40 of 1,000 requests at this step"),
        ((100, 900), (2, 298), 3, "answered 2 of 300 requests since the last analysis"),
        ((1, 99), (1, 99), 0, ""),  # ten were expected: no sign of anything
        ((100, 900), (0, 5), 3, "answered nothing since the last analysis, and 3 requests are in flight"),
        ((100, 900), (0, 0), 0, ""),
    ],
)
def test_a_candidate_that_hangs_is_found_by_what_it_does_not_answer(counted, recent, in_flight, said):
    state = AnalysisState(4, counted=counted, recent=recent, in_flight=in_flight)
    found = starved(state, 10, 0.5)
    assert said in found
    assert bool(said) == bool(found)


def test_a_candidate_that_hangs_never_passes():
    story = at_ten_percent(plan(metrics=["errors"]), canary=5000)
    assert look(story).status is Status.PASS
    story.serve(9000, 1, Behavior()).assess(ramping())
    assert look(story).status is Status.INCONCLUSIVE
    assert "the candidate answered 1 of 9,001 requests since the last analysis" in look(story).sentence
