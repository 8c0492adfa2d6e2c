"""Checks that speak of all features together, and the verdict's one sentence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from gauntlet.features.findings import AGREES, Finding
from gauntlet.features.impact import IMPACT, Impact
from gauntlet.features.policy import FeaturesPolicy
from gauntlet.features.replay import SpanReplay
from gauntlet.verdict import Check, Status, worst

GATE = "check_features"

_NAMED = 5


def summed(findings: Sequence[Finding], store: str) -> list[Check]:
    """A check for each feature that differs, and one that sums up the others."""
    checks = [one.check for one in findings if one.check.status is not Status.PASS]
    agree = [one.check for one in findings if one.check.status is Status.PASS]
    if agree:
        rows = max(check.sample_size or 0 for check in agree)
        worst_one = max(agree, key=lambda check: check.measured or 0.0)
        who = f"{len(agree)} features are" if len(agree) > 1 else f"`{agree[0].subject}` is"
        reason = f"{who} what {store} gives, over up to {rows:,} rows."
        checks.append(
            Check(
                "features that agree",
                Status.PASS,
                reason,
                worst_one.measured,
                None,
                worst_one.bound,
                "max",
                rows,
                code=AGREES,
                subject=agree[0].subject if len(agree) == 1 else "",
            )
        )
    return checks


def unmatched(one: SpanReplay, policy: FeaturesPolicy) -> Check:
    """A span of which the store knows too little."""
    needed = max(policy.min_rows, round(policy.min_matched_share * one.span.rows))
    return Check(
        f"{one.span.name}: stored rows",
        Status.INCONCLUSIVE,
        f"The store knows {one.matched:,} of {one.span.rows:,} rows of {one.span.name}, too few to say that all of the "
        "span agrees.",
        one.matched_share,
        None,
        policy.min_matched_share,
        "min",
        one.matched,
        needed,
        code="check_features.unmatched",
        subject=one.span.name,
    )


def not_shared(left_out: Mapping[str, str]) -> Check:
    """The code and the store have no feature in common."""
    named = ", ".join(list(left_out)[:_NAMED]) or "none"
    reason = (
        f"None of the features that the code gives ({named}) is in the store, so nothing could be compared: name their "
        "columns in the policy's names."
    )
    return Check("features", Status.ERROR, reason, code="check_features.not_shared")


def nothing_stored() -> Check:
    """Nothing was asked: there is nothing to compare with."""
    reason = (
        "There is no store of features, and no champion with feature code of its own to stand in for one, so no "
        "features were compared."
    )
    return Check("features", Status.PASS, reason, code="check_features.nothing_stored")


def summary(checks: Sequence[Check], impact: Impact | None) -> str:
    """The first check of the worst status, how many more there are of it, and the impact. ``checks``: worst first."""
    status = worst(check.status for check in checks)
    same = [check for check in checks if check.status is status and check.code != IMPACT]
    if not same:
        return checks[0].reason
    more = f" And {len(same) - 1} more like this." if len(same) > 1 and status is not Status.PASS else ""
    told = f" {impact.sentence}" if impact is not None and status is Status.FAIL else ""
    return same[0].reason + more + told
