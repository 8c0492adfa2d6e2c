"""The training check as a gate: all checks that its policy enables, as one verdict."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from gauntlet.errors import ConfigurationError
from gauntlet.evaluation.metrics import resolve
from gauntlet.training_check.checks import (
    OVERFIT,
    Standing,
    baseline_check,
    floor_checks,
    loss_check,
    overfit_check,
    same_seed_check,
    saved_checks,
    shuffled_check,
)
from gauntlet.training_check.evidence import Evidence
from gauntlet.training_check.policy import TrainingPolicy
from gauntlet.verdict import Check, Status, Verdict, worst

GATE = "check_training"
_CLASSES = ("prior", "majority")


@dataclass(frozen=True)
class TrainingCheckResult:
    """Result of ``check_training``.

    Attributes:
        verdict: the checks.
        evidence: what they rest on; ``None`` where all checks are off.
        standing: the model and the constant baseline; ``None`` where that check is off.
    """

    verdict: Verdict
    evidence: Evidence | None = None
    standing: Standing | None = None


def nothing_asked() -> TrainingCheckResult:
    """Make the result when all checks are switched off."""
    reason = "Nothing was asked of a small-scale model, so none was trained."
    check = Check("nothing asked", Status.NOT_ASKED, reason, code="check_training.nothing_asked")
    return TrainingCheckResult(Verdict(GATE, (check,), check.reason))


def judge_training(evidence: Evidence, policy: TrainingPolicy) -> TrainingCheckResult:
    """Check the evidence of the smoke test against its policy.

    Raises:
        ConfigurationError: the policy's floor names a metric, or its baseline a constant, that the task does not have.
    """
    task = evidence.target.task
    resolve(tuple(policy.floor), task, len(evidence.target.classes))
    if policy.baseline not in (None, "auto") and (policy.baseline in _CLASSES) == (task == "regression"):
        raise ConfigurationError(
            f"is no constant for a {task} model",
            field="policy.baseline",
            value=policy.baseline,
            mend="Use mean or median" if task == "regression" else "Use prior or majority",
        )
    checks, standing = floor_checks(evidence, policy), None
    if policy.baseline is not None:
        check, standing = baseline_check(evidence, policy)
        checks.append(check)
    if policy.overfit:
        checks.append(_overfit(evidence, policy))
    if policy.loss_goes_down:
        checks.append(loss_check(evidence))
    if evidence.saved is not None:
        checks += saved_checks(evidence.saved, policy)
    if evidence.again is not None:
        checks.append(same_seed_check(evidence, policy))
    if evidence.shuffled is not None:
        checks.append(shuffled_check(evidence, policy))
    return TrainingCheckResult(Verdict(GATE, tuple(checks), _summary(checks), _facts(evidence)), evidence, standing)


def _overfit(evidence: Evidence, policy: TrainingPolicy) -> Check:
    if evidence.batch is not None:
        return overfit_check(evidence.batch, evidence, policy)
    reason = (
        "Whether the team's own trainer can learn a batch by heart was not asked: policy.overfit_options would say how."
    )
    return Check("overfit", Status.PASS, reason, code=OVERFIT)


def _facts(evidence: Evidence) -> Mapping[str, str | int | float | bool]:
    rows = {f"rows_{name}": count for name, count in evidence.rows.items()}
    return {"task": evidence.target.task, "own_trainer": evidence.custom, **rows}


def _summary(checks: list[Check]) -> str:
    status = worst(check.status for check in checks)
    same = [check.reason for check in checks if check.status is status]
    if status is Status.PASS:
        return f"The training code passes all {len(checks)} small-scale checks. {same[0]}"
    return same[0] + (f" And {len(same) - 1} more like this." if len(same) > 1 else "")
