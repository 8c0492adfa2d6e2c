"""Why a gate stopped a quarter's model, in one sentence for whoever has to decide and reads no report.

The numbers are the verdict's; the words are the lender's, which is why they live with the demo and not with the gates.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from gauntlet.verdict import Check, Status, Verdict


def plainly(verdict: Verdict) -> str:
    """The sentence; the verdict's own summary where these words do not fit what was found."""
    failed = [check for check in verdict.checks if check.status is Status.FAIL]
    words = _WORDS.get(verdict.gate)
    return (words(failed) if words and failed else "") or verdict.summary


def _features(failed: Sequence[Check]) -> str:
    changed = next((check.name for check in failed if "was redefined" in check.reason), "")
    harm = next((check.measured for check in failed if check.name == "harm"), None)
    if not changed or harm is None:
        return ""
    return (
        f"`{changed}` no longer means what it meant when it was stored: {harm:.0%} of the people on file would get "
        "another decision, for no reason of theirs."
    )


def _slices(failed: Sequence[Check]) -> str:
    worst = failed[0]
    group, _, rule = worst.name.partition(": ")
    if rule != "demographic_parity" or worst.measured is None or worst.bound is None:
        return ""
    direction = "fewer" if worst.measured < 0 else "more"
    points, allowed = abs(100 * worst.measured), abs(100 * worst.bound)
    return (
        f"Of every 100 applicants with {group} it would accept {points:.0f} {direction} than of the rest; up to "
        f"{allowed:.0f} are allowed."
    )


def _skew(failed: Sequence[Check]) -> str:
    against, _, compared = failed[0].name.partition(": ")
    column, _, what = compared.rpartition(", ")
    if (against, what) != ("serving", "distribution"):
        return ""
    return (
        f"Applications arrive with another `{column}` than the model learns from: what it learns would not hold for "
        "those who apply."
    )


def _integrity(failed: Sequence[Check]) -> str:
    kind, _, column = failed[0].name.partition(": ")
    if kind != "leakage":
        return ""
    return (
        f"`{column}` gives away how a loan ended: known only afterwards, it makes a model that shines in tests and "
        "knows nothing when somebody applies."
    )


def _champion(failed: Sequence[Check]) -> str:
    if "re-training alone" not in failed[0].reason:
        return ""
    return "It looks better by luck: the same recipe, run again, comes out better or worse by more than it has gained."


def _behavior(failed: Sequence[Check]) -> str:
    known_case = failed[0].sample_size == 1
    return f"It would get a case wrong that everybody here agrees on: {failed[0].name}." if known_case else ""


_WORDS: Mapping[str, Callable[[Sequence[Check]], str]] = {
    "check_features": _features,
    "evaluate_slices": _slices,
    "detect_skew": _skew,
    "check_integrity": _integrity,
    "compare_champion": _champion,
    "check_behavior": _behavior,
}
