"""What a reader should know of a column before looking at it: constant, nearly empty, like an identifier, skewed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from gauntlet.data.profile import Profile
from gauntlet.reports.format import count, percent

_MUCH_MISSING = 0.2
_NEARLY_EMPTY = 0.9
_NEARLY_CONSTANT = 0.95
_OWN_VALUES = 0.9
_FEW_VALUES = 10
_SKEW = 8.0
"""How much farther one side of the middle 98 % reaches from the median than the other."""


class Kind(StrEnum):
    """Kind of a remark, in the order in which columns are listed."""

    EMPTY = "empty"
    CONSTANT = "constant"
    NEARLY_EMPTY = "nearly empty"
    NEARLY_CONSTANT = "nearly constant"
    IDENTIFIER = "like an identifier"
    NEW = "values that are new"
    MISSING = "much missing"
    SKEWED = "skewed"


@dataclass(frozen=True)
class Remark:
    """A remark on a column, as the end of a sentence that begins with its name."""

    kind: Kind
    words: str


def remark_on(by_split: Mapping[str, Profile]) -> Remark | None:
    """The remark on a column that matters most; ``None`` without one."""
    profiles = list(by_split.values())
    present = [profile for profile in profiles if profile.present]
    if not present:
        return Remark(Kind.EMPTY, "has no value in any row")
    missing = max(profile.missing_share for profile in profiles)
    if missing >= _NEARLY_EMPTY:
        return Remark(Kind.NEARLY_EMPTY, f"is missing in up to {percent(missing)} of rows")
    if all(_commonest(profile) == profile.present for profile in present):
        return Remark(Kind.CONSTANT, "has the same value in every row")
    if missing >= _MUCH_MISSING:
        return Remark(Kind.MISSING, f"is missing in up to {percent(missing)} of rows")
    first = present[0]
    if _commonest(first) >= _NEARLY_CONSTANT * first.present:
        return Remark(
            Kind.NEARLY_CONSTANT, f"has the same value in {percent(_commonest(first) / first.present)} of rows"
        )
    if _is_like_an_identifier(first):
        return Remark(Kind.IDENTIFIER, "has a value of its own in nearly every row")
    return _new(by_split) or _skewed(first)


def _commonest(profile: Profile) -> float:
    """Rows of the most frequent value, where values are counted one by one; else 0."""
    if profile.categorical:
        return float(profile.counts.max()) if len(profile.counts) else 0.0
    if profile.minimum == profile.maximum:
        return profile.present
    known = profile.counted
    return float(known.counts[known.lows == known.highs].max(initial=0.0)) if known is not None else 0.0


def _is_like_an_identifier(profile: Profile) -> bool:
    if profile.categorical:
        return profile.type == "string" and profile.distinct >= _OWN_VALUES * profile.present
    known = profile.counted
    if known is None or profile.type != "int" or known.by_value:
        return False
    dense = profile.maximum - profile.minimum < 2 * profile.present
    return dense and bool((known.counts <= known.highs - known.lows + 1).all())


def _new(by_split: Mapping[str, Profile]) -> Remark | None:
    (first, known), *others = by_split.items()
    if not known.categorical or known.rest:
        return None
    for split, profile in others:
        unseen = [value for value in profile.values if value not in known.count_of]
        if unseen:
            return Remark(Kind.NEW, f"has {count(len(unseen))} of its values in {split} and not in {first}")
    return None


def _skewed(profile: Profile) -> Remark | None:
    few = profile.counted is not None and profile.counted.by_value and len(profile.counted.counts) <= _FEW_VALUES
    if profile.categorical or few or not len(profile.edges):
        return None
    low, middle, high = (profile.quantile(probability) for probability in (0.01, 0.5, 0.99))
    sides = sorted((middle - low, high - middle))
    if sides[1] <= _SKEW * sides[0]:
        return None
    return Remark(Kind.SKEWED, f"reaches far to one side: {'above' if high - middle > middle - low else 'below'}")


def in_short(remarks: Sequence[tuple[str, Remark]]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """(kind, columns with such a remark), the kinds in their order."""
    by_kind = {kind: tuple(name for name, remark in remarks if remark.kind is kind) for kind in Kind}
    return tuple((kind.value, names) for kind, names in by_kind.items() if names)
