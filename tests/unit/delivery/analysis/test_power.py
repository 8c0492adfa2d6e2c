from dataclasses import replace

import pytest

from builders.judging import Story, plan, ramping
from gauntlet.delivery.analysis.power import power_by_step
from gauntlet.delivery.analysis.state import AnalysisState
from gauntlet.delivery.evidence.power import requests_needed
from gauntlet.delivery.rollout.plan import RolloutPlan

STEPS = RolloutPlan(steps=(5, 10, 50, 100))


def rows(chosen, rate=50.0):
    story = Story(chosen).with_baseline(20_000)
    return power_by_step(story.state, story.plan, STEPS, rate), story


def test_every_metric_at_every_step():
    found, _ = rows(plan())
    assert [(row.metric, row.weight) for row in found] == [
        (name, weight) for name in ("errors", "latency", "scores") for weight in STEPS.steps
    ]
    assert all(row.requests > 100 for row in found)
    first = found[0]
    assert first.rise.startswith("errors from 1.0")
    assert first.rise.endswith(" to 3.0 %") or " to 3." in first.rise
    assert first.seconds == pytest.approx(first.requests / (50 * 0.05))


def test_it_is_what_a_step_then_asks_for():
    found, story = rows(plan(metrics=["errors"]))
    for step, row in enumerate(found[:-1]):
        story.assess(ramping(step, row.weight, story.world.now), after=0)
        assert story.state.evidence["errors"].needed == {"errors": row.requests}


def test_the_number_by_hand():
    """One metric, four steps: its test beside stable has three of four starts, and 90 % of α."""
    (row, *_), story = rows(plan(metrics=["errors"]))
    evidence = story.state.evidence["errors"]
    rate = float(f"{(evidence.tallies['errors'].before[0] + 0.5) / 20_001:.2e}")
    test = evidence.harm["errors"].test
    by_hand = requests_needed(test, stable=rate, canary=rate + 0.02, weight=0.05, alpha=0.045, share=0.75)
    assert row.requests == by_hand.canary_requests


def test_clustering_and_more_metrics_cost_requests():
    alone = rows(plan(metrics=["errors"]))[0][0].requests
    assert rows(plan())[0][0].requests > alone
    assert rows(plan(metrics=["errors"], phi=5.0))[0][0].requests > 4 * alone


def test_at_full_weight_the_rise_starts_from_the_highest_stable_can_have_had():
    found, _ = rows(plan(metrics=["errors"]))
    start = float(found[-1].rise.split()[2])
    assert start > float(found[0].rise.split()[2])


def test_labels_come_when_they_come():
    found, _ = rows(plan(metrics=["errors", "outcomes"]))
    assert {row.metric for row in found} == {"errors"}


def test_a_rise_within_the_margin_of_frequent_hits_is_not_detectable():
    """30 % above 0.1 s: twice that is beyond 1.1 times, but 1.1 times and a tenth of a point more is not."""
    chosen = plan(metrics=["latency"], latency={"detectable_ratio": 1.1, "detectable_effect": 0.0011})
    found, _ = rows(chosen)
    assert all(row.requests is None or row.requests > 1e6 for row in found)


def test_without_a_baseline_there_is_nothing_to_detect():
    with pytest.raises(AssertionError):
        power_by_step(replace(AnalysisState(4)), plan(), STEPS, 50.0)
