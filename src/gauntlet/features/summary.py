"""Checks of the feature gate over all features, and the summary of its verdict."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from gauntlet.features.findings import AGREES, FeatureFinding
from gauntlet.features.impact import IMPACT, Impact
from gauntlet.features.policy import FeaturesPolicy
from gauntlet.features.replay import SpanReplay
from gauntlet.verdict import Check, Status, worst

GATE = "check_features"

_NAMED = 5


def feature_checks(findings: Sequence[FeatureFinding], store: str) -> list[Check]:
    """Make a check for each feature that differs, and one for all others together."""
    checks = [finding.check for finding in findings if finding.check.status is not Status.PASS]
    agree = [finding.check for finding in findings if finding.check.status is Status.PASS]
    if agree:
        rows = max(check.sample_size or 0 for check in agree)
        largest = max(agree, key=lambda check: check.measured or 0.0)
        who = f"{len(agree)} features are" if len(agree) > 1 else f"`{agree[0].subject}` is"
        reason = f"{who} what {store} gives, over up to {rows:,} rows."
        checks.append(
            Check(
                "features that agree",
                Status.PASS,
                reason,
                largest.measured,
                None,
                largest.bound,
                "max",
                rows,
                code=AGREES,
                subject=agree[0].subject if len(agree) == 1 else "",
            )
        )
    return checks


def unmatched(replay: SpanReplay, policy: FeaturesPolicy) -> Check:
    """Check of a span of which the store holds too few rows to judge it."""
    needed = max(policy.min_rows, round(policy.min_matched_share * replay.span.rows))
    return Check(
        f"{replay.span.name}: stored rows",
        Status.INCONCLUSIVE,
        f"The store knows {replay.matched:,} of {replay.span.rows:,} rows of {replay.span.name}, too few to say that "
        "all of the span agrees.",
        replay.matched_share,
        None,
        policy.min_matched_share,
        "min",
        replay.matched,
        needed,
        code="check_features.unmatched",
        subject=replay.span.name,
    )


def not_shared(left_out: Mapping[str, str]) -> Check:
    """Check of code and a store that have no feature in common."""
    named = ", ".join(list(left_out)[:_NAMED]) or "none"
    reason = (
        f"None of the features that the code gives ({named}) is in the store, so nothing could be compared: name their "
        "columns in the policy's names."
    )
    return Check("features", Status.ERROR, reason, code="check_features.not_shared")


def nothing_stored() -> Check:
    """Check of a run without stored features: nothing is compared."""
    reason = (
        "There is no store of features, and no champion with feature code of its own to stand in for one, so no "
        "features were compared."
    )
    return Check("features", Status.NOT_ASKED, reason, code="check_features.nothing_stored")


def summarise(checks: Sequence[Check], impact: Impact | None) -> str:
    """Quote the first check of the worst status, how many more have it, and the impact. ``checks``: worst first."""
    status = worst(check.status for check in checks)
    same = [check for check in checks if check.status is status and check.code != IMPACT]
    if not same:
        return checks[0].reason
    more = f" And {len(same) - 1} more like this." if len(same) > 1 and status is not Status.PASS else ""
    effect = f" {impact.sentence}" if impact is not None and status is Status.FAIL else ""
    return same[0].reason + more + effect
