"""What each gate's finding means for a lender; and where these words do not fit, the gate's own."""

import pytest

from gauntlet.demo.faults import FAULTS
from gauntlet.demo.plainly import plainly
from gauntlet.verdict import Check, Status, Verdict


def failed(code, subject="", measured=None, bound=None):
    """A failed check whose sentence nobody may rely on."""
    return Check(f"{subject} {code}", Status.FAIL, "Any words.", measured, bound=bound, code=code, subject=subject)


REDEFINED, HARM = failed("feature.redefined", "income", 1.0), failed("feature.harm", measured=0.261)
FAILED = {
    "check_features": (REDEFINED, HARM),
    "evaluate_slices": (failed("slice.demographic_parity", "sex=female", -0.397, -0.15),),
    "detect_skew": (failed("serving.distribution", "debt_ratio"),),
    "compare_champion": (failed("improvement.seed_noise"),),
    "check_integrity": (failed("leakage", "calls"),),
    "check_behavior": (failed("case", "late seven times", 0.7),),
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
    "check_features": (Check("determinism", Status.FAIL, "Rows computed twice differ."),),
    "evaluate_slices": (Check("sex=female: auc", Status.FAIL, "Lower.", 0.6, bound=0.7),),
    "detect_skew": (Check("serving: debt_ratio, missing values", Status.FAIL, "More are missing."),),
    "compare_champion": (Check("auc", Status.FAIL, "AUC is 0.1 worse."),),
    "check_integrity": (Check("key: id", Status.FAIL, "Some occur twice."),),
    "check_behavior": (Check("more debt never helps", Status.FAIL, "It helps in 9%.", 0.09, sample_size=300),),
}
PASSED = Check("another", Status.PASS, "As it should be.")


def verdict(gate, checks):
    return Verdict(gate, (PASSED, *checks), "The gate's own words.")


def test_every_fault_of_training_has_words():
    assert set(MEANS) == {fault.gate for fault in FAULTS.values() if fault.plant}


@pytest.mark.parametrize("gate", MEANS)
def test_what_the_demo_plants_is_said_without_a_technical_word(gate):
    said = plainly(verdict(gate, FAILED[gate]))
    assert MEANS[gate] in said
    assert said.endswith(".")


@pytest.mark.parametrize("gate", MEANS)
def test_another_finding_is_told_in_the_gates_own_words(gate):
    assert plainly(verdict(gate, OTHERWISE[gate])) == "The gate's own words."


def test_so_is_what_another_gate_found():
    assert plainly(verdict("validate_schema", (Check("age", Status.FAIL, "Negative."),))) == "The gate's own words."
    assert plainly(Verdict("detect_skew", (), "Nothing was compared.")) == "Nothing was compared."
