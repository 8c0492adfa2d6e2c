"""The page of a rollout."""

from dataclasses import replace
from itertools import pairwise

import pytest

from builders.delivery_pages import OFTEN, PROMISES, harmful, judged
from builders.journals import BEGAN, PLAN, V1, V2, rolled_out
from builders.judged import STEPS, AskedService
from builders.judging import Behavior, plan
from builders.reports import HOSTILE
from gauntlet.delivery.analysis import state_codec
from gauntlet.delivery.analysis.alpha import alarm_level, shares
from gauntlet.delivery.analysis.history import series_of
from gauntlet.delivery.rollout.events import Event
from gauntlet.delivery.rollout.journal import MOST_ENTRIES, Entry, Journal
from gauntlet.delivery.rollout.state import Action, AnalysisRun, Metric, Phase, begin, begin_rollback
from gauntlet.delivery.rollout.timeline import analyses
from gauntlet.reports.views.rollout import rollout_page, rollout_view
from gauntlet.verdict import Status

HARMFUL = {"canary": {"errors": 0.06}, "bad_from": 10}


def view(journal, **more):
    return rollout_view(journal, PLAN, **more)


@pytest.mark.parametrize(
    ("made", "sentence"),
    [
        ({}, "Promoted after 26 min 20 s: version 8 answers all requests."),
        (
            {"canary": {"errors": 0.06}, "bad_from": 10},
            "Rolled back after 9 min 00 s at 10%: errors 2.7% against 1.0%.",
        ),
        ({"canary": {"latency": 0.12}}, "Rolled back after 3 min 00 s at 5%: latency 10.2% against 3.6%."),
        ({"turns": 1}, "Under way for 20 s: version 8 is made ready and has no requests."),
        ({"turns": 30}, "Under way for 10 min 00 s: version 8 has 10% of the requests."),
    ],
)
def test_the_page_opens_with_what_happened(made, sentence):
    journal = rolled_out(**made)
    assert view(journal).headline == sentence
    assert sentence in rollout_page(journal, PLAN)


def test_a_candidate_that_never_became_ready_never_had_a_request():
    plan = PLAN.model_copy(update={"ready_seconds": 30.0})
    journal = rolled_out(plan=plan)
    assert view(journal).headline == (
        "Rolled back after 1 min 00 s and before its first request: version 8 was not ready after 30 s."
    )


def test_a_version_rolled_back_after_its_promotion():
    promoted = rolled_out()
    back = begin_rollback(promoted.rollout, "Wrong prices.")
    late = BEGAN + 7_200
    journal = replace(promoted, rollout=back).with_entry(
        Entry(late, back.phase, 0, Action.NOTHING, back.reason, code=Event.ABORTED)
    )
    found = view(journal)
    assert found.headline == "Being rolled back after 2 h 00 min and a promotion: wrong prices."
    assert found.ended is None
    assert found.manual_decisions[-1] == ("2026-03-01T16:05:09Z", "Aborted: Wrong prices.")
    assert found.detail == ""


def test_harm_without_counts_is_told_in_the_metrics_own_words():
    seen = AnalysisRun(1, Status.FAIL, "bad", (Metric("sales", Status.FAIL, "Sales fell by half.", log_harm=9.0),))
    state = begin_rollback(begin("loans", V2, V1, BEGAN), "Harm was shown: bad")
    journal = Journal(state).with_entry(
        Entry(BEGAN + 60, Phase.ROLLING_BACK, 0, Action.ROLL_BACK, "bad", seen, code=Event.ROLLBACK_HARM)
    )
    assert view(journal).headline.endswith(": Sales fell by half.")
    assert view(journal).rates == ()
    assert view(journal).metrics[0].candidate == "–"
    assert "Sales fell by half" in rollout_page(journal, PLAN)


def test_figures_come_from_the_last_analysis():
    journal = harmful()
    found = view(journal)
    last = analyses(journal)[-1][1]
    assert found.answered == last.answered
    assert found.share == pytest.approx(last.answered[0] / sum(last.answered))
    assert found.unseen_seconds == PLAN.interval_seconds
    assert found.analyses == "1 fail, 14 inconclusive, 5 pass"
    assert "in the 20 s between the last analysis and the moment" in rollout_page(journal, PLAN)


def test_evidence_is_weighed_by_the_share_of_alpha_and_summed():
    journal = harmful()
    found = view(journal, shares={"errors": 0.5, "latency": 0.25, "scores": 0.25})
    lines = {line.name: dict(line.points) for line in found.harm}
    assert list(lines) == ["sum of all", "errors", "latency", "scores"]
    at = max(lines["errors"])
    assert lines["sum of all"][at] == pytest.approx(sum(lines[name][at] for name in ("errors", "latency", "scores")))
    assert lines["errors"][at] > found.needed > lines["latency"][at]
    alone = {line.name: dict(line.points) for line in view(journal, shares={"errors": 0.25}).harm}
    assert lines["errors"][at] == pytest.approx(2 * alone["errors"][at])
    equal = {line.name: dict(line.points) for line in view(journal).harm}
    assert equal["errors"][at] == pytest.approx(lines["errors"][at] / 1.5)
    assert {line.name for line in found.safe} == {"errors", "latency", "scores"}


def test_evidence_out_of_all_bounds_is_drawn_at_the_edge():
    metric = Metric("errors", Status.FAIL, "", log_harm=5_000.0, log_safe=-5_000.0)
    seen = AnalysisRun(1, Status.FAIL, "bad", (metric,))
    journal = Journal(begin("loans", V2, V1, BEGAN)).with_entry(
        Entry(BEGAN, Phase.RAMPING, 5, Action.WAIT, "", seen, code=None)
    )
    found = view(journal)
    assert (found.harm[0].points, found.safe[0].points) == ([(0.0, 1e6)], [(0.0, 1e-3)])
    assert (found.metrics[0].harm, found.metrics[0].safe) == ("∞", "0")


def test_a_metric_without_a_say_is_marked_and_not_summed():
    loud = Metric("sales", Status.FAIL, "", log_harm=9.0, dry_run=True)
    quiet = Metric("errors", Status.PASS, "", log_harm=-1.0)
    seen = AnalysisRun(1, Status.PASS, "fine", (loud, quiet))
    journal = Journal(begin("loans", V2, V1, BEGAN)).with_entry(
        Entry(BEGAN, Phase.RAMPING, 5, Action.WAIT, "", seen, code=None)
    )
    assert [line.name for line in view(journal).harm] == ["sales (no say)", "errors"]
    assert [row.name for row in view(journal).metrics] == ["sales (no say)", "errors"]


def test_rates_carry_wilson_intervals():
    """40 of 1,000: 0.0295 to 0.0540 by the score method (Wilson 1927), from statsmodels' proportion_confint."""
    metric = Metric("errors", Status.PASS, "", canary=(40, 1_000), stable=(0, 0))
    journal = Journal(begin("loans", V2, V1, BEGAN)).with_entry(
        Entry(BEGAN, Phase.RAMPING, 5, Action.WAIT, "", AnalysisRun(1, Status.PASS, "", (metric,)), code=None)
    )
    (panel,) = view(journal).rates
    candidate, stable = panel.lines
    assert candidate.points == [(0.0, 0.04)]
    assert candidate.band[0] == pytest.approx((0.0295, 0.0540), abs=1e-4)
    assert stable.points == []
    (row,) = view(journal).metrics
    assert (row.candidate, row.candidate_note) == ("4.0%", "3.0% to 5.4%, of 1,000")
    assert (row.stable, row.stable_note) == ("no requests", "")


def test_one_edge_of_the_scores_is_drawn_from_the_beginning():
    journal = judged()
    state = state_codec.from_json(journal.analysis_state)
    (panel,) = [one for one in rollout_view(journal, STEPS).rates if one.metric == "scores"]
    last = next(one for one in analyses(journal)[-1][1].metrics if one.name == "scores")
    name, counts = last.test, series_of(state, "scores", last.test)
    assert counts[-1][1] == (*last.canary, *last.stable)
    assert panel.counted == f"scores {name}"
    assert panel.lines[0].points == [(at - journal.rollout.began, one[0] / one[1]) for at, one in counts if one[1]]
    told = {one.sentence.split(":")[0] for _, look in analyses(journal) for one in look.metrics if one.name == "scores"}
    assert len(told) > 1, "the looks were led by several edges"
    steps = [abs(after - before) for (_, before), (_, after) in pairwise(panel.lines[1].points)]
    assert max(steps) < 0.05, "no jump from edge to edge"


def test_the_line_and_the_words_say_the_same_number():
    analysis = plan(alpha=0.1, alpha_promotion=0.02)
    journal = AskedService(bad=Behavior(errors=0.05)).delivered(analysis)
    state = state_codec.from_json(journal.analysis_state)
    parts = shares(state, analysis)
    levels = {"alpha": alarm_level(analysis), "alpha_promotion": analysis.alpha_promotion}
    found = rollout_view(journal, STEPS, shares=parts, **levels)
    assert (found.needed, found.needed_safe) == pytest.approx((1 / 0.09, 50))
    (errors,) = [row for row in found.metrics if row.name == "errors"]
    assert errors.harm_note == "needs 22.2"
    assert errors.sentence.endswith("needs 22.2.")
    html = rollout_page(journal, STEPS, shares=parts, **levels)
    assert "needed: 11.1" in html
    assert "needed: 50" in html
    assert "reaches 11.1, at whichever analysis" in html
    assert "1/α" not in html


def test_the_promise_is_the_one_that_was_made():
    journal = judged()
    (said,) = [entry.power for entry in journal.entries if entry.power]
    found = rollout_view(journal, STEPS)
    assert said == found.first_power
    assert found.first_power.startswith("At 10 % it would find: errors from 0.88 % to 2.9 % within ")
    html = rollout_page(journal, STEPS)
    assert "Before its first request" in html
    assert "By the rates seen up to now" not in html
    assert view(harmful()).first_power == ""


def test_every_step_of_the_plan_has_a_row():
    rows = view(harmful()).steps
    assert [row.weight for row in rows] == list(PLAN.steps)
    assert [bool(row.entered) for row in rows] == [True, True, False, False, False]
    assert sum(row.requests or 0 for row in rows) == view(harmful()).answered[0]
    assert rows[1].analyses == "1 fail, 4 pass"
    assert rows[1].seconds == 120


def test_a_rollout_without_traffic_says_so():
    html = rollout_page(rolled_out(per_second=0), PLAN)
    assert "no requests" in html
    assert view(rolled_out(per_second=0)).share is None
    assert view(rolled_out(per_second=0)).rates == ()


def test_a_step_that_waits_for_approval_is_shown():
    waiting = rolled_out(approved_after=10_000, turns=60)
    assert view(waiting).waits_for == 50
    assert "50% waits for a person" in rollout_page(waiting, PLAN)
    assert view(rolled_out()).waits_for is None


def test_a_thinned_timeline_says_what_it_lacks():
    journal = rolled_out(plan=OFTEN, per_second=300)
    found = view(journal)
    assert len(journal.entries) <= MOST_ENTRIES
    assert found.left_out == journal.rollout.analyses - len(analyses(journal)) > 0
    html = rollout_page(journal, PLAN)
    assert f"{found.left_out} analyses that changed neither" in html
    assert html.count("</tr>") > len(journal.entries)


def test_promises_stand_with_the_time_at_every_step():
    html = rollout_page(harmful(), PLAN, PROMISES)
    assert "0.9% to 2%" in html
    assert "15 min 46 s" in html
    assert "<h2>Power</h2>" not in rollout_page(harmful(), PLAN)


def test_nothing_gets_out_as_markup():
    metric = Metric(HOSTILE, Status.FAIL, HOSTILE, 9.0, 9.0, (3, 10), (1, 10))
    seen = AnalysisRun(1, Status.FAIL, HOSTILE, (metric,))
    release = replace(V2, version=HOSTILE)
    journal = Journal(begin_rollback(begin(HOSTILE, release, release, BEGAN, HOSTILE), HOSTILE)).with_entry(
        Entry(BEGAN + 9, Phase.ROLLING_BACK, 0, Action.NOTHING, HOSTILE, seen, code=Event.ABORTED)
    )
    assert "<script" not in rollout_page(journal, PLAN)


def test_a_rollout_that_has_not_done_anything_is_a_page():
    html = rollout_page(Journal(begin("loans", V2, V1, BEGAN)), PLAN)
    assert "Nothing has happened since it was started." in html
