from __future__ import annotations

from dataclasses import replace

import pytest

from builders.verdicts import check
from builders.verdicts import verdict as verdict_of
from gauntlet.errors import EXIT_STOPPED, ConfigurationError, GateStopped
from gauntlet.registry.enforcement import EnforcementPolicy, decide_stage, enforce
from gauntlet.settings import parse
from gauntlet.verdict import Status, Verdict


def verdict(gate: str, *statuses: Status) -> Verdict:
    return verdict_of(gate, *statuses, summary=f"{gate} summary")


def policy(**values: object) -> EnforcementPolicy:
    return parse(EnforcementPolicy, values, field="policy")


@pytest.mark.parametrize("status", [Status.FAIL, Status.ERROR])
def test_fail_and_error_block(status: Status) -> None:
    with pytest.raises(GateStopped) as stopped:
        enforce(decide_stage("before registering", [verdict("evaluate_performance", Status.PASS, status)], policy()))
    assert stopped.value.exit_code == EXIT_STOPPED
    assert "before registering" in str(stopped.value)
    assert f"evaluate_performance sentence 1 says {status.value}" in str(stopped.value)
    assert "sentence 0" not in str(stopped.value)


def test_default_blocks_on_doubt_about_people_and_warns_elsewhere() -> None:
    model = verdict("evaluate_performance", Status.INCONCLUSIVE)
    slices = verdict("evaluate_slices", Status.INCONCLUSIVE)
    decision = decide_stage("before registering", [model, slices], policy())
    assert decision.blocking == (slices,)
    assert decision.warnings == (model,)


def test_a_check_that_asks_for_proof_blocks_without_it_unless_the_gate_is_named() -> None:
    unproven = verdict_of("evaluate_performance", Status.INCONCLUSIVE, proof=True)
    assert unproven.lacks_proof
    assert decide_stage("s", [unproven], policy(inconclusive={"default": "warn"})).blocking == (unproven,)
    assert decide_stage("s", [unproven], policy(inconclusive={"evaluate_performance": "warn"})).warnings == (unproven,)
    proven = verdict_of("evaluate_performance", Status.PASS, Status.INCONCLUSIVE)
    assert decide_stage("s", [proven], policy()).warnings == (proven,)


@pytest.mark.parametrize("status", [Status.INCONCLUSIVE, Status.FAIL, Status.ERROR])
def test_what_nobody_asked_for_warns_whatever_it_says(status: Status) -> None:
    slices = verdict_of("evaluate_slices", status, advisory=True)
    decision = decide_stage("before registering", [slices], policy())
    assert decision.warnings == (slices,)
    assert enforce(decision) == (
        f"before registering: 1 gate lets the run go on, with warnings from evaluate_slices ({status.value})"
    )


def test_only_what_was_asked_for_is_quoted() -> None:
    asked, unasked = (
        verdict_of("evaluate_performance", Status.FAIL, advisory=advisory).checks[0] for advisory in (False, True)
    )
    both = Verdict("evaluate_performance", (replace(unasked, reason="Nobody asked"), asked), "")
    with pytest.raises(GateStopped) as stopped:
        enforce(decide_stage("s", [both], policy()))
    assert "sentence 0 says fail" in str(stopped.value)
    assert "Nobody asked" not in str(stopped.value)


def test_a_gate_that_looked_at_nothing_neither_blocks_nor_warns() -> None:
    nothing = verdict("check_behavior", Status.NOT_ASKED)
    assert decide_stage("s", [nothing], policy(inconclusive={"default": "block"})).passed == (nothing,)


def test_a_general_default_does_not_take_the_protection_of_people_away() -> None:
    slices = verdict("evaluate_slices", Status.INCONCLUSIVE)
    assert decide_stage("s", [slices], policy(inconclusive={"default": "warn"})).blocking == (slices,)
    assert decide_stage("s", [slices], policy(inconclusive={"evaluate_slices": "warn"})).warnings == (slices,)


def test_default_block_makes_every_inconclusive_gate_block() -> None:
    model = verdict("detect_skew", Status.INCONCLUSIVE)
    assert decide_stage("s", [model], policy(inconclusive={"default": "block"})).blocking == (model,)


def test_an_advisory_gate_warns_and_passes() -> None:
    failing = verdict("detect_skew", Status.FAIL)
    line = enforce(decide_stage("before training", [failing], policy(advisory=["detect_skew"])))
    assert line == "before training: 1 gate lets the run go on, with warnings from detect_skew (fail)"


def test_error_may_be_set_to_warn() -> None:
    broken = verdict("detect_skew", Status.ERROR)
    assert decide_stage("s", [broken], policy(error="warn")).warnings == (broken,)


def test_all_passing_says_so_in_one_line() -> None:
    verdicts = [verdict("validate_schema", Status.PASS), verdict("detect_skew", Status.PASS)]
    assert enforce(decide_stage("before training", verdicts, policy())) == (
        "before training: 2 gates let the run go on"
    )


def test_message_quotes_three_sentences_worst_first_and_counts_the_rest() -> None:
    many = verdict("evaluate_slices", Status.INCONCLUSIVE, *[Status.FAIL] * 4, Status.PASS)
    with pytest.raises(GateStopped) as stopped:
        enforce(decide_stage("before registering", [many], policy()))
    message = str(stopped.value)
    assert (
        "sentence 1 says fail. evaluate_slices sentence 2 says fail. evaluate_slices sentence 3 says fail." in message
    )
    assert "And 2 more checks." in message
    assert "inconclusive" not in message
    assert "\n" not in message


def test_message_says_once_what_one_check_quotes_from_another() -> None:
    checks = (
        check("rollout", Status.FAIL, "Version 2 was rolled back: errors: 15 % of 47.", gate="rollout"),
        check("errors", Status.FAIL, "errors: 15 % of 47.", gate="rollout"),
        check("latency", Status.FAIL, "requests above 0.1 s: 9 % of 47.", gate="rollout"),
    )
    with pytest.raises(GateStopped) as stopped:
        enforce(decide_stage("before promotion", [Verdict("rollout", checks, "rolled back")], policy()))
    message = str(stopped.value)
    assert message.count("errors: 15 % of 47.") == 1
    assert "requests above 0.1 s: 9 % of 47." in message


def test_a_verdict_without_checks_blocks() -> None:
    with pytest.raises(GateStopped, match="evaluate_performance summary"):
        enforce(decide_stage("s", [verdict("evaluate_performance")], policy()))


def test_nothing_to_enforce_is_a_configuration_error() -> None:
    with pytest.raises(ConfigurationError, match="no verdicts"):
        decide_stage("before training", [], policy())


def test_a_policy_for_an_unknown_gate_is_refused_and_one_for_an_absent_gate_is_not() -> None:
    verdicts = [verdict("detect_skew", Status.PASS)]
    with pytest.raises(ConfigurationError, match=r"policy\.inconclusive.*'evaluate_slice'"):
        decide_stage("s", verdicts, policy(inconclusive={"evaluate_slice": "warn"}))
    with pytest.raises(ConfigurationError, match=r"policy\.advisory"):
        decide_stage("s", verdicts, policy(advisory=["skew"]))
    assert decide_stage("s", verdicts, policy(advisory=["compare_champion"])).passed


@pytest.mark.parametrize("values", [{"inconclusive": {"default": "ignore"}}, {"errors": "warn"}, {"error": "pass"}])
def test_unusable_policies(values: dict[str, object]) -> None:
    with pytest.raises(ConfigurationError, match="policy"):
        policy(**values)
