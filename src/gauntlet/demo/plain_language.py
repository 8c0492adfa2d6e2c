"""Explains in one sentence of the lender's own words why a gate stopped a model.

The numbers are the verdict's. The words belong to the demo's domain, so they are here and not in the gates.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from gauntlet.verdict import Check, Status, Verdict


def in_plain_language(verdict: Verdict) -> str:
    """Explain a verdict; its own summary where there are no words for its findings."""
    failed = [check for check in verdict.checks if check.status is Status.FAIL]
    words = _WORDS.get(verdict.gate)
    return (words(failed) if words and failed else "") or verdict.summary


def _features(failed: Sequence[Check]) -> str:
    changed = next((check.subject for check in failed if check.code == "check_features.redefined"), "")
    harm = next((check.measured for check in failed if check.code == "check_features.harm"), None)
    if not changed or harm is None:
        return ""
    return (
        f"`{changed}` no longer means what it meant when it was stored: {harm:.0%} of the people on file would get "
        "another decision, for no reason of theirs."
    )


def _slices(failed: Sequence[Check]) -> str:
    worst = failed[0]
    if worst.code != "evaluate_slices.demographic_parity" or worst.measured is None or worst.bound is None:
        return ""
    direction = "fewer" if worst.measured < 0 else "more"
    points, allowed = abs(100 * worst.measured), abs(100 * worst.bound)
    return (
        f"Of every 100 applicants with {worst.subject} it would accept {points:.0f} {direction} than of the rest; "
        f"up to {allowed:.0f} are allowed."
    )


def _skew(failed: Sequence[Check]) -> str:
    if failed[0].code != "detect_skew.serving.distribution":
        return ""
    return (
        f"Applications arrive with another `{failed[0].subject}` than the model learns from: what it learns would not "
        "hold for those who apply."
    )


def _integrity(failed: Sequence[Check]) -> str:
    if failed[0].code != "check_integrity.leakage":
        return ""
    return (
        f"`{failed[0].subject}` gives away how a loan ended: known only afterwards, it makes a model that shines in "
        "tests and knows nothing when somebody applies."
    )


def _champion(failed: Sequence[Check]) -> str:
    if failed[0].code != "compare_champion.seed_noise":
        return ""
    return "It looks better by luck: the same recipe, run again, comes out better or worse by more than it has gained."


def _behavior(failed: Sequence[Check]) -> str:
    if failed[0].code != "check_behavior.case":
        return ""
    return f"It would get a case wrong that everybody here agrees on: {failed[0].subject}."


_WORDS: Mapping[str, Callable[[Sequence[Check]], str]] = {
    "check_features": _features,
    "evaluate_slices": _slices,
    "detect_skew": _skew,
    "check_integrity": _integrity,
    "compare_champion": _champion,
    "check_behavior": _behavior,
}
