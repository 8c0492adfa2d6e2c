"""What a journal tells."""

import json
import math
from dataclasses import replace

import pytest

from builders.journals import BEGAN, PLAN, V1, V2, rolled_out
from gauntlet.delivery.rollout.controller import abort
from gauntlet.delivery.rollout.journal import Entry, Journal
from gauntlet.delivery.rollout.state import Action, AnalysisRun, Metric, Phase, begin
from gauntlet.delivery.rollout.timeline import (
    analyses,
    answered,
    culprit,
    ended,
    harm_shown,
    highest_weight,
    iso,
    manual_decisions,
    rollback_entry,
    timeline_json,
    weight_periods,
)
from gauntlet.verdict import Status

EMPTY = Journal(begin("loans", V2, V1, BEGAN))


def journal(*entries, phase=None):
    """(at, phase, weight[, look]) → a journal whose rollout stands where the last entry says, unless told otherwise."""
    written = EMPTY
    for at, where, weight, *look in entries:
        written = written.with_entry(Entry(at, where, weight, Action.WAIT, "so", look[0] if look else None, code=None))
    last = written.entries[-1]
    return replace(written, rollout=replace(EMPTY.rollout, phase=phase or last.phase, weight=last.weight))


def look(number, status=Status.PASS, answered=None, *metrics):
    return AnalysisRun(number, status, "seen", metrics, answered)


def test_stays_follow_one_another_without_gaps():
    found = weight_periods(rolled_out())
    assert [(stay.phase, stay.weight) for stay in found] == [
        (Phase.DEPLOYING, 0),
        *((Phase.RAMPING, weight) for weight in PLAN.steps),
        (Phase.PROMOTING, 100),
        (Phase.PROMOTED, 100),
    ]
    assert [stay.end for stay in found[:-1]] == [stay.start for stay in found[1:]]
    assert found[0].start == BEGAN
    assert found[-1].end == found[-1].start
    assert weight_periods(EMPTY) == ()


def test_an_analysis_that_is_told_twice_is_one_analysis():
    told = journal((1, Phase.RAMPING, 5, look(1)), (2, Phase.RAMPING, 5, look(1)), (3, Phase.RAMPING, 5, look(2)))
    assert [(at, seen.number) for at, seen in analyses(told)] == [(1, 1), (3, 2)]


def test_the_end_is_the_last_final_phase():
    way = [(10, Phase.RAMPING, 5), (20, Phase.PROMOTED, 100), (30, Phase.ROLLING_BACK, 0), (40, Phase.ROLLED_BACK, 0)]
    assert ended(journal(*way)) == 40
    assert ended(journal(*way[:2])) == 20
    assert ended(journal(*way[:3])) is None
    assert rollback_entry(journal(*way)).at == 30
    assert rollback_entry(journal(*way[:2])) is None


def test_requests_are_those_of_the_last_analysis_that_counted_them():
    told = journal(
        (10, Phase.RAMPING, 5, look(1, Status.PASS, (5, 95))),
        (20, Phase.RAMPING, 10, look(2, Status.PASS, (15, 185))),
        (30, Phase.RAMPING, 10, look(3, Status.ERROR)),
    )
    assert answered(told) == (15, 185)
    assert answered(told, until=19) == (5, 95)
    assert answered(told, until=9) is None
    assert highest_weight(told) == 10
    assert (answered(EMPTY), highest_weight(EMPTY), harm_shown(EMPTY)) == (None, 0, None)


def test_harm_is_dated_by_the_look_that_showed_it():
    told = journal((10, Phase.RAMPING, 5, look(1)), (20, Phase.ROLLING_BACK, 0, look(2, Status.FAIL)))
    assert harm_shown(told) == 20


def test_the_culprit_is_the_clearest_of_those_that_have_a_say():
    weak, strong = (Metric(name, Status.FAIL, "", log_harm=harm) for name, harm in (("a", 4.0), ("b", 9.0)))
    silent = Metric("c", Status.FAIL, "", log_harm=50.0, dry_run=True)
    unmeasured = Metric("d", Status.FAIL, "")
    assert culprit(look(1, Status.FAIL, None, weak, strong, silent, unmeasured)) is strong
    assert culprit(look(1, Status.FAIL, None, unmeasured)) is unmeasured
    assert culprit(look(1, Status.PASS, None, silent)) is None


def test_an_approval_is_the_step_that_needed_one_being_entered():
    one = manual_decisions(rolled_out(), PLAN)
    assert [(what.approved, what.reason) for what in one] == [(50, "")]
    entered = next(stay.start for stay in weight_periods(rolled_out()) if stay.weight == 50)
    assert one[0].at == entered
    assert manual_decisions(rolled_out(), PLAN.model_copy(update={"approve_before": ()})) == ()


def test_an_abort_that_was_seen_by_the_controller_is_a_persons_decision():
    (refused,) = manual_decisions(rolled_out(refused_at=20), PLAN)
    assert refused.approved is None
    assert "the sales team saw wrong prices" in refused.reason


def test_an_abort_that_was_written_straight_away_is_a_persons_decision():
    journals = Kept(rolled_out(turns=20))
    abort(journals, "loans", "wrong prices", BEGAN + 999)
    (refused,) = manual_decisions(journals.journal, PLAN)
    assert (refused.at, refused.reason) == (BEGAN + 999, "Wrong prices")


class Kept:
    """A ledger of one journal."""

    def __init__(self, written):
        self.journal = written

    def read(self, service):
        return self.journal, "1"

    def write(self, written, mark):
        self.journal = written
        return "2"


@pytest.mark.parametrize("by", ["analysis", "controller"])
def test_an_abort_without_a_person_is_nobodys_decision(by):
    journals = Kept(rolled_out())
    abort(journals, "loans", "Harm was shown after the promotion: errors", BEGAN + 999, by)
    assert journals.journal.rollout.aborted_by == by
    assert [one.approved for one in manual_decisions(journals.journal, PLAN)] == [50]


def test_harm_is_nobodys_decision():
    harmful = rolled_out(canary={"errors": 0.06})
    assert manual_decisions(harmful, PLAN) == ()
    assert harmful.rollout.aborted_by == "analysis"


def test_times_are_utc():
    assert iso(BEGAN + 0.25) == "2026-03-01T14:05:09.250Z"
    assert iso(BEGAN, "seconds") == "2026-03-01T14:05:09Z"


def test_the_document_tells_everything_but_the_analysis_state():
    written = replace(rolled_out(canary={"errors": 0.06}, bad_from=10), analysis_state="secret")
    text = json.dumps(timeline_json(written), allow_nan=False)
    document = json.loads(text)
    assert "secret" not in text
    assert document["format"] == "gauntlet.timeline/1"
    assert document["candidate"] == {"version": "8", "digest": V2.digest, "uri": V2.uri}
    assert (document["began"], document["ended"]) == ("2026-03-01T14:05:09.000Z", iso(written.entries[-1].at))
    assert (document["phase"], document["weight"]) == ("rolled_back", 0)
    assert document["reason"].startswith("Harm was shown: errors")
    assert document["analyses"] == {"made": written.rollout.analyses, "kept": len(analyses(written))}
    assert len(document["entries"]) == len(written.entries)
    seen = [entry["analysis"] for entry in document["entries"] if entry["analysis"]]
    assert seen[-1]["status"] == "fail"
    assert document["answered"] == seen[-1]["answered"]
    share = document["answered"]["candidate"] / sum(document["answered"][arm] for arm in ("candidate", "stable"))
    assert document["answered"]["share"] == pytest.approx(share)
    errors, _, scores, sales = seen[-1]["metrics"]
    assert (errors["name"], errors["status"]) == ("errors", "fail")
    assert set(errors["canary"]) == {"hits", "requests"}
    assert scores["canary"] is None
    assert (sales["dry_run"], sales["log_harm"]) == (True, None)


@pytest.mark.parametrize("value", [math.inf, -math.inf, math.nan])
def test_evidence_that_is_not_finite_is_null_in_the_document(value):
    metric = Metric("errors", Status.ERROR, "", log_harm=value, canary=(0, 0))
    written = journal((1, Phase.RAMPING, 5, look(1, Status.ERROR, (0, 0), metric)))
    seen = json.loads(json.dumps(timeline_json(written), allow_nan=False))["entries"][0]["analysis"]
    assert seen["metrics"][0]["log_harm"] is None
    assert seen["answered"] == {"candidate": 0, "stable": 0, "share": None}


def test_a_rollout_that_has_done_nothing_is_a_document_too():
    document = timeline_json(EMPTY)
    assert (document["ended"], document["answered"], document["entries"]) == (None, None, [])


def test_the_docstring_names_every_field_of_the_document():
    """The module's docstring is the description of the format."""
    from gauntlet.delivery.rollout import timeline

    written = timeline_json(rolled_out())
    entry = written["entries"][-2]
    analysis = entry["analysis"]
    for field in [*written, *entry, *analysis, *analysis["metrics"][0], *analysis["answered"]]:
        assert field in timeline.__doc__, field
