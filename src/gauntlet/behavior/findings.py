"""Checks of the behavior gate: status and one sentence in plain words, for each case and rule."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from gauntlet.behavior.cases import Answered
from gauntlet.behavior.policy import BehaviorPolicy
from gauntlet.behavior.rates import exact_bounds
from gauntlet.behavior.suite import Directional, Golden, Invariance
from gauntlet.behavior.trial import Trial
from gauntlet.errors import GauntletError
from gauntlet.evaluation.power import units_needed
from gauntlet.verdict import Check, Status, decide

CASE = "check_behavior.case"
CASE_FILE = "check_behavior.case_file"
"""Code of a golden case whose rows are in a file."""
RULE = "check_behavior.rule"

Rule = Invariance | Directional


@dataclass(frozen=True)
class RuleFinding:
    """Finding of a rule.

    Attributes:
        rule: the rule.
        check: for the verdict; its sentence begins with the rule's name.
        trial: its result; ``None`` if it could not be tested.
        sentence: the check's sentence, without the rule's name.
    """

    rule: Rule
    check: Check
    trial: Trial | None
    sentence: str


def unanswered_case(case: Golden, error: GauntletError) -> Check:
    """Make the check of a golden case that the model failed on."""
    code = CASE if case.rows is None else CASE_FILE
    return Check(case.name, Status.ERROR, f"{case.name}: {_could_not(error)}", code=code, subject=case.name)


def untried_rule(rule: Rule, error: GauntletError) -> RuleFinding:
    """Make the finding of a rule that the model failed on."""
    return _of_rule(rule, Status.ERROR, _could_not(error))


def unmatched_rule(rule: Rule, source: str) -> RuleFinding:
    """Make the finding of a rule whose condition matches no row of ``source``."""
    sentence = f"no row of {source} matches `{rule.where}`, so nothing was tried."
    return _of_rule(rule, Status.ERROR, sentence, sample_size=0)


def _could_not(error: GauntletError) -> str:
    return f"could not be checked: {error}"


def _of_rule(rule: Rule, status: Status, sentence: str, trial: Trial | None = None, **numbers: Any) -> RuleFinding:
    check = Check(rule.name, status, f"{rule.name}: {sentence}", **numbers, code=RULE, subject=rule.name)
    return RuleFinding(rule, check, trial, sentence)


def case_check(case: Golden, answered: Answered) -> Check:
    """Check a golden case: it fails if any answer is wrong."""
    wrong = [index for index, expected in enumerate(answered.wrong) if expected]
    total = len(answered.names)
    status = Status.FAIL if wrong else Status.PASS
    if case.row is None:
        reason = (
            f"{case.name}: all {total:,} known answers are kept."
            if not wrong
            else f"{case.name}: {len(wrong):,} of {total:,} known answers are lost; "
            f"{answered.names[wrong[0]]} was answered with {_answer(answered, wrong[0])} in place of "
            f"{answered.wrong[wrong[0]]}."
        )
        return Check(
            case.name,
            status,
            reason,
            measured=len(wrong) / total,
            bound=0.0,
            direction="max",
            sample_size=total,
            code=CASE_FILE,
            subject=case.name,
        )
    answer = _answer(answered, 0)
    reason = (
        f"{case.name}: answered with {answer}, as it must be."
        if not wrong
        else f"{case.name}: answered with {answer}; it must be {answered.wrong[0]}."
    )
    bound, direction = _limit(case, float(answered.scores[0]))
    return Check(
        case.name,
        status,
        reason,
        measured=float(answered.scores[0]),
        bound=bound,
        direction=direction,
        sample_size=1,
        code=CASE,
        subject=case.name,
    )


def judge_rule(rule: Rule, trial: Trial, policy: BehaviorPolicy, *, rules: int) -> RuleFinding:
    """Check a rule: the exact interval of its failure rate against its limit.

    Args:
        rule: the rule.
        trial: its result.
        policy: confidence, and the default limit.
        rules: number of rules of the suite; the lower ends share the error.
    """
    unit = "clusters" if trial.clustered else "rows"
    if trial.units == 0:
        sentence = f"the change left all {trial.drawn:,} matching rows as they were, so nothing was tried."
        return _of_rule(rule, Status.ERROR, sentence, trial, sample_size=0)
    limit = policy.max_failures if rule.max_failures is None else rule.max_failures
    below = 1 - (1 - policy.confidence) / rules
    ends = exact_bounds(trial.failures, trial.units, below=below, above=policy.confidence)
    status = decide(ends, bound=limit, direction="max")
    needed = None
    if status is Status.INCONCLUSIVE:
        needed = units_needed(trial.failures, trial.units, limit, below=below, above=policy.confidence)
    return _of_rule(
        rule,
        status,
        _sentence(trial, status, ends, limit, needed, unit, policy.confidence),
        trial,
        measured=trial.failures / trial.units,
        interval=ends,
        bound=limit,
        direction="max",
        sample_size=trial.units,
        rows_needed=needed,
    )


def _sentence(
    trial: Trial,
    status: Status,
    ends: tuple[float, float],
    limit: float,
    needed: int | None,
    unit: str,
    confidence: float,
) -> str:
    counts = f"{trial.failures:,} of {trial.units:,} {unit} ({_percent(trial.failures / trial.units)}) break it"
    sure, allowed = f"at {100 * confidence:.4g}% confidence", f"{_percent(limit)} allowed"
    match status:
        case Status.PASS:
            end = f"{sure} at most {_percent(ends[1])} do, within the {allowed}"
        case Status.FAIL:
            end = f"{sure} at least {_percent(ends[0])} do, beyond the {allowed}"
        case _:
            more = f"; about {needed:,} {unit} would tell" if needed is not None else ""
            more += ", and policy.max_rows lets no more be tried" if trial.drawn < trial.matched else ""
            end = f"as many as {_percent(ends[1])} may, and {_percent(limit)} is allowed{more}"
    return f"{counts}; {end}."


def _percent(share: float) -> str:
    return f"{100 * share:.2g}%" if share < 0.1 else f"{100 * share:.3g}%"


def _answer(answered: Answered, index: int) -> str:
    score = f"a score of {answered.scores[index]:.4g}"
    return score if answered.decisions is None else f"{score} ({answered.decisions[index]})"


def _limit(case: Golden, score: float) -> tuple[float | None, str | None]:
    """End of the expected range that the score violates or is nearest to, and its direction."""
    expected = case.expect.score
    if expected is None:
        return None, None
    ends = [(end, side) for end, side in ((expected.min, "min"), (expected.max, "max")) if end is not None]
    return min(ends, key=lambda pair: abs(pair[0] - score)) if ends else (None, None)
