"""How a column moved between two data sets, in words: from where to where."""

from __future__ import annotations

import math

from gauntlet.data.phrasing import amount, share
from gauntlet.data.profile import Profile

_LEAST_SCALE = 1.5
_AGREEMENT = 0.15
_NEAR_ZERO = 0.3
_NEAR_ONE = (0.7, 1.3)
_CATEGORIES_NAMED = 2


def describe_movement(before: Profile, after: Profile) -> str:
    """What changed, without the column's name: ``median 41,000 → 41,000,000 (×1,000)``.

    Args:
        before, after: profiles of one kind, both with values.
    """
    return _category_words(before, after) if before.categorical else _number_words(before, after)


def scale_change(before: Profile, after: Profile) -> float | None:
    """The factor by which a number was multiplied, or ``None`` when it was not a matter of scale.

    Quartiles and median must have changed by about the same factor.
    """
    ratios = []
    for probability in (0.25, 0.5, 0.75):
        old, new = before.quantile(probability), after.quantile(probability)
        if old != 0 and new != 0 and (old > 0) == (new > 0):
            ratios.append(new / old)
        elif old != new:
            return None
    if not ratios or max(ratios) > min(ratios) * (1 + _AGREEMENT):
        return None
    factor = math.exp(sum(math.log(ratio) for ratio in ratios) / len(ratios))
    return factor if max(factor, 1 / factor) >= _LEAST_SCALE else None


def _number_words(before: Profile, after: Profile) -> str:
    centre = f"median {amount(before.median)} → {amount(after.median)}{_reading(before, after)}"
    spans = [f"{amount(profile.quantile(0.05))} to {amount(profile.quantile(0.95))}" for profile in (before, after)]
    return f"{centre}; nine in ten values from {spans[0]} → {spans[1]}"


def _reading(before: Profile, after: Profile) -> str:
    if _is_standardised(after) and not _is_standardised(before):
        return f" (it looks standardised: mean {abs(after.mean):.1f}, standard deviation {after.deviation:.1f})"
    if _is_unit(after) and not _is_unit(before) and before.maximum - before.minimum > 2:
        return " (it looks rescaled to 0…1)"
    factor = scale_change(before, after)
    if factor is None:
        return ""
    return f" (×{_factor(factor)})" if factor > 1 else f" (÷{_factor(1 / factor)})"


def _factor(value: float) -> str:
    """A factor to three digits, or the power of ten it is within 5 % of: medians of samples waver."""
    power = 10.0 ** round(math.log10(value))
    return f"{power:.0f}" if power >= 1 and abs(value / power - 1) < 0.05 else f"{float(f'{value:.3g}'):g}"


def _is_standardised(profile: Profile) -> bool:
    return abs(profile.mean) < _NEAR_ZERO and _NEAR_ONE[0] < profile.deviation < _NEAR_ONE[1] and profile.minimum < 0


def _is_unit(profile: Profile) -> bool:
    return profile.minimum >= 0 and profile.maximum <= 1


def _category_words(before: Profile, after: Profile) -> str:
    changes = {value: after.share_of(value) - before.share_of(value) for value in (*before.values, *after.values)}
    grew = sorted((value for value, change in changes.items() if change > 0), key=lambda value: -changes[value])
    shrank = sorted((value for value, change in changes.items() if change < 0), key=lambda value: changes[value])
    parts = []
    for verb, values in (("grew", grew), ("shrank", shrank)):
        if values:
            moved = [f"'{v}' {share(before.share_of(v))} → {share(after.share_of(v))}" for v in values]
            parts.append(f"{', '.join(moved[:_CATEGORIES_NAMED])} {verb}")
    if before.rest or after.rest:
        rests = [share(profile.rest / profile.present) for profile in (before, after)]
        parts.append(f"categories not listed {rests[0]} → {rests[1]}")
    return "; ".join(parts) or "no category's share changed"
