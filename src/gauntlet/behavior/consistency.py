"""Refuses behavior files with duplicate names or contradictory expectations."""

from __future__ import annotations

import itertools

from gauntlet.behavior.suite import Directional, Golden, Invariance, Suite
from gauntlet.digest import digest_json
from gauntlet.errors import ConfigurationError


def require_consistent(suite: Suite) -> None:
    """Check that names are unique and that no two expectations contradict each other.

    Raises:
        ConfigurationError: at the second of the two, naming the first.
    """
    paths: dict[str, str] = {}
    for path, entry in (*suite.cases, *suite.rules):
        if entry.name in paths:
            raise ConfigurationError(
                f"the name is taken by {paths[entry.name]}",
                field=f"{path}.name",
                value=entry.name,
                mend="Choose another",
            )
        paths[entry.name] = path
    for (_, first), (path, second) in itertools.combinations(suite.cases, 2):
        if reason := _golden_conflict(first, second):
            raise _contradiction(f"{path}.expect", reason, first.name)
    for (_, rule), (path, later) in itertools.combinations(suite.rules, 2):
        if _subject(rule) == _subject(later) and (reason := _rule_conflict(rule, later)):
            raise _contradiction(f"{path}.expect", reason, rule.name)


def _contradiction(field: str, reason: str, name: str) -> ConfigurationError:
    return ConfigurationError(
        f"contradicts {name!r}: {reason}", field=field, mend="Keep the one that is right, or tell their rows apart"
    )


def _golden_conflict(first: Golden, second: Golden) -> str:
    """Describe why no answer meets two cases with the same row; empty if one does."""
    if first.row is None or second.row is None or dict(first.row) != dict(second.row) or first.fill != second.fill:
        return ""
    a, b = first.expect, second.expect
    if a.class_ is not None and b.class_ is not None and _text(a.class_) != _text(b.class_):
        return f"the same row as {_text(a.class_)} and as {_text(b.class_)}"
    if a.score is None or b.score is None or a.score.of != b.score.of:
        return ""
    lows = [end for end in (a.score.min, b.score.min) if end is not None]
    highs = [end for end in (a.score.max, b.score.max) if end is not None]
    if lows and highs and max(lows) > min(highs):
        return f"the same row at least {max(lows):g} and at most {min(highs):g}"
    return ""


def _rule_conflict(first: Invariance | Directional, second: Invariance | Directional) -> str:
    """Describe why no change of the score keeps both rules about the same change; empty if one does."""
    if isinstance(first, Directional) and isinstance(second, Directional) and first.expect.of != second.expect.of:
        return ""
    spans = [_allowed(rule) for rule in (first, second)]
    low, high = max(span[0] for span in spans), min(span[1] for span in spans)
    at_end = low == high and any(span[2] and low in span[:2] for span in spans)
    if low < high or (low == high and not at_end):
        return ""
    return f"the same change {_says(first)} and {_says(second)}"


def _allowed(rule: Invariance | Directional) -> tuple[float, float, bool]:
    if isinstance(rule, Directional):
        return rule.expect.allowed
    most = rule.expect.max_change
    return (-float("inf"), float("inf"), False) if most is None else (-most, most, False)


def _says(rule: Invariance | Directional) -> str:
    if isinstance(rule, Directional):
        return f"{rule.expect.score.replace('_', ' ')} the score"
    return f"moves the score by at most {rule.expect.max_change:g}"


def _subject(rule: Invariance | Directional) -> str:
    """Digest of a rule without its expectation."""
    return digest_json(rule.model_dump(mode="json", include={"where", "rows", "change"}))


def _text(value: str | int | bool) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
