"""From what was seen to checks: the status, and one sentence that a product manager understands."""

from __future__ import annotations

from gauntlet.behavior.cases import Answered
from gauntlet.behavior.policy import BehaviorPolicy
from gauntlet.behavior.rates import exact_bounds, units_needed
from gauntlet.behavior.suite import Directional, Golden, Invariance
from gauntlet.behavior.trial import Trial
from gauntlet.errors import GauntletError
from gauntlet.verdict import Check, Status, decide

CASE = "check_behavior.case"
CASE_FILE = "check_behavior.case_file"
"""Known answers in a file of rows."""
RULE = "check_behavior.rule"


def could_not(name: str, error: GauntletError, *, code: str) -> Check:
    """What was asked and could not be checked."""
    return Check(name, Status.ERROR, f"{name}: could not be checked: {error}", code=code, subject=name)


def case_check(case: Golden, answered: Answered) -> Check:
    """A golden entry: every answer right, or it fails."""
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
    said = _answer(answered, 0)
    reason = (
        f"{case.name}: answered with {said}, as it must be."
        if not wrong
        else f"{case.name}: answered with {said}; it must be {answered.wrong[0]}."
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


def rule_check(rule: Invariance | Directional, trial: Trial, policy: BehaviorPolicy, *, rules: int) -> Check:
    """A rule: the exact interval of its failure rate against its limit.

    Args:
        rule: the rule.
        trial: what came of it.
        policy: confidence, and the limit of a rule that names none.
        rules: how many rules the suite has; the lower ends share the error.
    """
    unit = "clusters" if trial.clustered else "rows"
    if trial.units == 0:
        reason = f"{rule.name}: the change left all {trial.drawn:,} matching rows as they were, so nothing was tried."
        return Check(rule.name, Status.ERROR, reason, sample_size=0, code=RULE, subject=rule.name)
    limit = policy.max_failures if rule.max_failures is None else rule.max_failures
    below = 1 - (1 - policy.confidence) / rules
    ends = exact_bounds(trial.failures, trial.units, below=below, above=policy.confidence)
    status = decide(ends, bound=limit, direction="max")
    needed = None
    if status is Status.INCONCLUSIVE:
        needed = units_needed(trial.failures, trial.units, limit, below=below, above=policy.confidence)
    return Check(
        rule.name,
        status,
        _reason(rule, trial, status, ends, limit, needed, unit, policy.confidence),
        measured=trial.failures / trial.units,
        interval=ends,
        bound=limit,
        direction="max",
        sample_size=trial.units,
        rows_needed=needed,
        code=RULE,
        subject=rule.name,
    )


def _reason(
    rule: Invariance | Directional,
    trial: Trial,
    status: Status,
    ends: tuple[float, float],
    limit: float,
    needed: int | None,
    unit: str,
    confidence: float,
) -> str:
    seen = f"{trial.failures:,} of {trial.units:,} {unit} ({_percent(trial.failures / trial.units)}) break it"
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
    return f"{rule.name}: {seen}; {end}."


def _percent(share: float) -> str:
    return f"{100 * share:.2g}%" if share < 0.1 else f"{100 * share:.3g}%"


def _answer(answered: Answered, index: int) -> str:
    score = f"a score of {answered.scores[index]:.4g}"
    return score if answered.decisions is None else f"{score} ({answered.decisions[index]})"


def _limit(case: Golden, score: float) -> tuple[float | None, str | None]:
    """The end of a case's range that the score broke, or else is nearest to."""
    asked = case.expect.score
    if asked is None:
        return None, None
    ends = [(end, side) for end, side in ((asked.min, "min"), (asked.max, "max")) if end is not None]
    return min(ends, key=lambda pair: abs(pair[0] - score)) if ends else (None, None)
