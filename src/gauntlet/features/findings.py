"""Findings of a feature from its comparisons, span by span: the 2×2 of history and new rows.

| history | new rows | finding |
|---|---|---|
| agrees | agrees | nothing |
| differs | agrees | the code was changed, the store follows it, and the past was never recomputed |
| differs | differs | the store was written by other code |
| agrees | differs | the store lags behind |
| differs | not stored | as the second: nothing new is stored yet |
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from gauntlet.features.diagnosis import Diagnosis
from gauntlet.features.replay import FeatureReplay
from gauntlet.features.span import Span
from gauntlet.features.wording import among, explain, percent
from gauntlet.verdict import Check, Status


@dataclass(frozen=True)
class Comparison:
    """Comparison of one feature in one span, by key or by distribution.

    Attributes:
        feature: its name.
        span: which rows.
        differs: whether it is beyond ``bound``.
        measured: share of rows that differ, or the distance of the distributions.
        bound: largest value that the policy allows.
        rows: rows compared.
        words: how they differ: ``100% of 8,000 stored rows have another value``.
        diagnosis: how it changed, where it differs.
        replay: the counts, where rows were matched by key.
        quantiles: (stored, recomputed) values for a drawing: of matched rows, or at the same quantiles.
    """

    feature: str
    span: Span
    differs: bool
    measured: float
    bound: float
    rows: int
    words: str
    diagnosis: Diagnosis | None = None
    replay: FeatureReplay | None = None
    quantiles: tuple[Sequence[float], Sequence[float]] = field(default=((), ()))


class Pattern(StrEnum):
    """Pattern of one feature in the 2×2."""

    AGREES = "agrees"
    REDEFINED = "redefined"
    OTHER_CODE = "other code"
    LAGS = "store lags"
    HISTORY = "history differs"


_PATTERNS: Mapping[tuple[bool, bool | None], Pattern] = {
    (False, False): Pattern.AGREES,
    (False, None): Pattern.AGREES,
    (False, True): Pattern.LAGS,
    (True, False): Pattern.REDEFINED,
    (True, True): Pattern.OTHER_CODE,
    (True, None): Pattern.HISTORY,
}
AGREES = "check_features.agrees"
_CODES: Mapping[Pattern, str] = {
    Pattern.REDEFINED: "check_features.redefined",
    Pattern.OTHER_CODE: "check_features.other_code",
    Pattern.LAGS: "check_features.store_lags",
    Pattern.HISTORY: "check_features.history_differs",
}


@dataclass(frozen=True)
class FeatureFinding:
    """FeatureFinding of one feature.

    Attributes:
        feature: its name.
        pattern: its pattern in the 2×2.
        comparisons: in the order of the spans.
        check: for the verdict.
        diagnosis: of the worst span; ``None`` where nothing differs.
        mend: what to do; empty where nothing is wrong.
    """

    feature: str
    pattern: Pattern
    comparisons: tuple[Comparison, ...]
    check: Check
    diagnosis: Diagnosis | None
    mend: str

    @property
    def worst(self) -> Comparison:
        """The worst comparison."""
        return _worst(self.comparisons)


def pattern_of(comparisons: Iterable[Comparison]) -> Pattern:
    """Classify one feature by the 2×2.

    Args:
        comparisons: of this feature, at least one. Without any historical one, a difference in new rows is other
            code, since nothing shows that it ever agreed.
    """
    all_spans = list(comparisons)
    past = [comparison.differs for comparison in all_spans if comparison.span.age == "historical"]
    new = [comparison.differs for comparison in all_spans if comparison.span.age == "new"]
    if not past:
        return Pattern.OTHER_CODE if any(new) else Pattern.AGREES
    return _PATTERNS[any(past), any(new) if new else None]


@dataclass(frozen=True)
class Parties:
    """Names of the compared sides, for sentences.

    Attributes:
        store: source of the stored values: ``the store``, ``the champion's own feature code``.
        stands_in: whether that is the champion's code, computed now.
        old_code: the alternative to the new code: ``the code that wrote them``, or the champion's with its digest.
    """

    store: str
    stands_in: bool = False
    old_code: str = "the code that wrote them"


def find_feature(feature: str, comparisons: Sequence[Comparison], parties: Parties) -> FeatureFinding:
    """Make the finding of one feature.

    Args:
        feature: its name.
        comparisons: of it, in the order of the spans; at least one.
        parties: names of the compared sides.
    """
    pattern = pattern_of(comparisons)
    worst = _worst(comparisons)
    if pattern is Pattern.AGREES:
        reason = f"`{feature}` is what {parties.store} gives, in {_spans(comparisons)}."
        rows = sum(comparison.rows for comparison in comparisons)
        check = Check(
            feature, Status.PASS, reason, worst.measured, None, worst.bound, "max", rows, code=AGREES, subject=feature
        )
        return FeatureFinding(feature, pattern, tuple(comparisons), check, None, "")
    differing = [comparison for comparison in comparisons if comparison.differs]
    spans = among([comparison.span.name for comparison in differing if comparison.span.age == "historical"])
    how = explain(worst.diagnosis, differing_constants=_constants_vary(differing), filled=_filled(worst))
    mend = _mend(pattern, spans, parties)
    reason = f"{_opening(pattern, feature, parties, spans)} {_capital(worst.words)}: {how}. {mend}"
    check = Check(
        feature,
        Status.FAIL,
        reason,
        worst.measured,
        None,
        worst.bound,
        "max",
        worst.rows,
        code="check_features.champion_differs" if parties.stands_in else _CODES[pattern],
        subject=feature,
    )
    return FeatureFinding(feature, pattern, tuple(comparisons), check, worst.diagnosis, mend)


def find_all(
    features: Iterable[str], comparisons: Sequence[Comparison], parties: Parties
) -> tuple[FeatureFinding, ...]:
    """Make the finding of each feature that was compared, worst first.

    Args:
        features: their names.
        comparisons: of all of them, in the order of the spans.
        parties: names of the compared sides.
    """
    by_feature = {name: [comparison for comparison in comparisons if comparison.feature == name] for name in features}
    findings = [find_feature(name, compared, parties) for name, compared in by_feature.items() if compared]
    findings.sort(key=lambda finding: (-finding.check.status.severity, -(finding.check.measured or 0.0)))
    return tuple(findings)


def _opening(pattern: Pattern, feature: str, parties: Parties, spans: str) -> str:
    store = parties.store
    where = f"in {spans} and on new rows alike" if spans else "on new rows"
    if parties.stands_in:
        return f"`{feature}` no longer is what the champion's code computes: the two disagree {where}."
    if pattern is Pattern.REDEFINED:
        return (
            f"`{feature}` was redefined and its past was not recomputed: {store} and the new code agree on new rows "
            f"and disagree in {spans}."
        )
    if pattern is Pattern.HISTORY:
        return (
            f"`{feature}` was redefined and its past was not recomputed: the new code disagrees with {store} in "
            f"{spans}, and would compute the new rows, of which nothing is stored yet."
        )
    if pattern is Pattern.LAGS:
        return f"`{feature}` agrees with {store} on history and not on new rows: the store lags behind the new code."
    return f"`{feature}` was written to {store} by other code than the new one: they disagree {where}."


def _mend(pattern: Pattern, spans: str, parties: Parties) -> str:
    if parties.stands_in:
        return (
            "Recompute whatever the champion's code has stored before this model reads it, or stay with "
            f"{parties.old_code}."
        )
    if pattern is Pattern.LAGS:
        return f"Write the new rows to {parties.store} with the new code, or serve with {parties.old_code}."
    if not spans:
        return f"Find out which code writes {parties.store}, and train and serve with that one."
    return f"Recompute {spans} with the new code before anything reads both, or stay with {parties.old_code}."


def _worst(comparisons: Sequence[Comparison]) -> Comparison:
    """The worst comparison: one that differs, in history, with the largest share."""
    return max(comparisons, key=lambda c: (c.differs, c.span.age == "historical", c.measured, c.rows))


def _constants_vary(comparisons: Sequence[Comparison]) -> tuple[float, float] | None:
    """Smallest and largest slope over spans, where spans differ in their line; else ``None``."""
    diagnoses = [comparison.diagnosis for comparison in comparisons if comparison.diagnosis is not None]
    slopes = [diagnosis.slope for diagnosis in diagnoses if diagnosis.slope is not None]
    if len(slopes) < 2 or max(slopes) - min(slopes) <= 0.01 * max(map(abs, slopes)):
        return None
    return min(slopes), max(slopes)


def _filled(compared: Comparison) -> str:
    return compared.replay.filled if compared.replay is not None else ""


def _spans(comparisons: Sequence[Comparison]) -> str:
    rows = sum(comparison.rows for comparison in comparisons)
    return f"{among([comparison.span.name for comparison in comparisons])} ({rows:,} rows)"


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]


def of_replay(replayed: FeatureReplay, span: Span, *, bound: float, store: str) -> Comparison:
    """Make the comparison of a feature matched by key.

    Args:
        replayed: its counts.
        span: which rows.
        bound: share of rows that may differ.
        store: what the stored values come from.
    """
    parts = []
    if replayed.beyond:
        parts.append(f"{percent(replayed.beyond, replayed.matched)} have another value")
    if replayed.lost:
        parts.append(f"{percent(replayed.lost, replayed.matched)} lose theirs")
    if replayed.gained:
        parts.append(f"{percent(replayed.gained, replayed.matched)} gain one")
    words = f"of {replayed.matched:,} rows of {store} in {span.name}, {among(parts) or 'none differ'}"
    return Comparison(
        replayed.feature,
        span,
        replayed.share > bound,
        replayed.share,
        bound,
        replayed.matched,
        words,
        replayed.diagnosis,
        replayed,
        (replayed.pairs[0].tolist(), replayed.pairs[1].tolist()),
    )
