"""A stage on one page: the first thing on it is whether the run goes on, and why not."""

import pytest

from builders.reports import HOSTILE, text
from builders.verdicts import check
from gauntlet.registry.enforcement import EnforcementPolicy, decide_stage
from gauntlet.reports.views.gate_summary import gate_summary_page, gate_summary_view, scalars
from gauntlet.settings import parse
from gauntlet.verdict import Check, Status, Verdict


def verdict(gate: str, *statuses: Status, reason: str = "It is what it is.") -> Verdict:
    checks = tuple(check(f"auc {i}", status, reason, gate=gate) for i, status in enumerate(statuses))
    return Verdict(gate, checks, f"{gate}: {reason}")


def decided(*verdicts: Verdict, **policy: object):
    return decide_stage("before registering", verdicts, parse(EnforcementPolicy, policy, field="policy"))


PASSED = verdict("evaluate_performance", Status.PASS)
FAILED = verdict("evaluate_slices", Status.PASS, Status.FAIL)
UNSURE = verdict("compare_champion", Status.INCONCLUSIVE)
BROKEN = verdict("check_behavior", Status.ERROR)


def test_a_stop_comes_first_with_its_gate_and_reason():
    verdicts = [PASSED, UNSURE, FAILED]
    view = gate_summary_view(decided(*verdicts), verdicts)
    assert view.headline == "Before registering: stopped by evaluate_slices (fail)."
    assert view.status is Status.FAIL
    assert [(row.verdict.gate, row.effect) for row in view.gates] == [
        ("evaluate_slices", "stops"),
        ("compare_champion", "warns"),
        ("evaluate_performance", "goes on"),
    ]
    html = text(gate_summary_page(decided(*verdicts), verdicts))
    assert html.index("stopped by evaluate_slices") < html.index("Measured") < html.index("auc 1")


def test_without_a_stop_the_run_goes_on_and_says_with_which_warnings():
    verdicts = [PASSED, UNSURE]
    view = gate_summary_view(decided(*verdicts), verdicts)
    assert view.headline == (
        "Before registering: 2 gates let the run go on, with warnings from compare_champion (inconclusive)."
    )
    assert view.status is Status.INCONCLUSIVE
    advised = gate_summary_view(decided(FAILED, advisory=["evaluate_slices"]), [FAILED])
    assert advised.gates[0].effect == "warns"


def test_runs_are_compared_by_a_number_for_each_gate_and_what_its_worst_check_measured():
    nothing = Verdict("check_features", (Check("n", Status.NOT_ASKED, "No.", code="check_features.n"),), "No.")
    measured = Check("recall", Status.FAIL, "Low.", measured=0.61, bound=0.7, direction="min", code="evaluate_slices.x")
    slices = Verdict("evaluate_slices", (*FAILED.checks, measured), "Low.")
    found = scalars([PASSED, slices, UNSURE, BROKEN, nothing])
    assert {name: found[name] for name in found if ":" not in name} == {
        "evaluate_performance": 1.0,
        "evaluate_slices": -1.0,
        "compare_champion": 0.0,
        "check_behavior": -2.0,
    }
    assert found["evaluate_slices: recall"] == 0.61


def test_a_check_that_nobody_asked_for_decides_neither_number_nor_headline():
    asked = Check("auc", Status.PASS, "Fine.", measured=0.8, code="evaluate_slices.auc")
    advisory = Check("gap", Status.FAIL, "Far.", measured=0.3, code="evaluate_slices.gap", advisory=True)
    verdict = Verdict("evaluate_slices", (advisory, asked), "Far.")
    assert scalars([verdict]) == {"evaluate_slices": 1.0, "evaluate_slices: auc": 0.8}


@pytest.mark.parametrize("text_", HOSTILE)
def test_whatever_a_gate_says_is_text(text_):
    verdicts = [verdict("evaluate_slices", Status.FAIL, reason=text_)]
    assert "<script>alert" not in gate_summary_page(decided(*verdicts), verdicts)
