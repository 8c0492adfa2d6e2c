"""What each gate's finding means for a lender; and where these words do not fit, the gate's own."""

import pytest

from builders.verdicts import check
from gauntlet.demo.faults import FAULTS
from gauntlet.demo.plain_language import in_plain_language
from gauntlet.verdict import Check, Status, Verdict


def failed(code, subject="", measured=None, bound=None):
    """A failed check whose sentence nobody may rely on."""
    return Check(f"{subject} {code}", Status.FAIL, "Any words.", measured, bound=bound, code=code, subject=subject)


REDEFINED, HARM = failed("check_features.redefined", "income", 1.0), failed("check_features.harm", measured=0.261)
FAILED = {
    "check_features": (REDEFINED, HARM),
    "evaluate_slices": (failed("evaluate_slices.demographic_parity", "sex=female", -0.397, -0.15),),
    "detect_skew": (failed("detect_skew.serving.distribution", "debt_ratio"),),
    "compare_champion": (failed("compare_champion.seed_noise"),),
    "check_integrity": (failed("check_integrity.leakage", "calls"),),
    "check_behavior": (failed("check_behavior.case", "late seven times", 0.7),),
}
MEANS = {
    "check_features": "`income` no longer means what it meant when it was stored: 26% of the people on file",
    "evaluate_slices": "Of every 100 applicants with sex=female it would accept 40 fewer than of the rest; up to 15",
    "detect_skew": "Applications arrive with another `debt_ratio` than the model learns from",
    "compare_champion": "It looks better by luck",
    "check_integrity": "`calls` gives away how a loan ended",
    "check_behavior": "a case wrong that everybody here agrees on: late seven times.",
}
OTHERWISE = {
    "check_features": failed("check_features.property.determinism"),
    "evaluate_slices": failed("evaluate_slices.level", "sex=female", 0.6, 0.7),
    "detect_skew": failed("detect_skew.serving.missing_values", "debt_ratio"),
    "compare_champion": failed("compare_champion.margin", "auc"),
    "check_integrity": failed("check_integrity.key", "id"),
    "check_behavior": failed("check_behavior.rule", "more debt never helps", 0.09),
}


def verdict(gate, checks):
    passed = check("another", gate=gate)
    return Verdict(gate, (passed, *checks), "The gate's own words.")


def test_every_fault_of_training_has_words():
    assert set(MEANS) == {fault.gate for fault in FAULTS.values() if fault.plant}


@pytest.mark.parametrize("gate", MEANS)
def test_what_the_demo_plants_is_said_without_a_technical_word(gate):
    said = in_plain_language(verdict(gate, FAILED[gate]))
    assert MEANS[gate] in said
    assert said.endswith(".")


@pytest.mark.parametrize("gate", MEANS)
def test_another_finding_is_told_in_the_gates_own_words(gate):
    assert in_plain_language(verdict(gate, (OTHERWISE[gate],))) == "The gate's own words."


def test_so_is_what_another_gate_found():
    assert (
        in_plain_language(verdict("validate_schema", (failed("validate_schema.out_of_range", "age"),)))
        == "The gate's own words."
    )
    assert in_plain_language(Verdict("detect_skew", (), "Nothing was compared.")) == "Nothing was compared."
