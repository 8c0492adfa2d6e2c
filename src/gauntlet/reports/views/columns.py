"""Distribution of one column, in one or two data sets, prepared for plots."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from gauntlet.data.profile import Profile
from gauntlet.reports import calendar
from gauntlet.reports.format import count, number, percent
from gauntlet.reports.views.bins import bins_of

_LISTED = 40
_SHOWN_STEPS = 1000
"""A span of times is said to the day, minute or second of which it holds fewer."""


@dataclass(frozen=True)
class Drawing:
    """Input of ``plots.histogram_pair`` (numbers) or ``plots.bars`` (categories).

    Attributes:
        edges: edges of a number's bars; empty for categories.
        categories: names of categories; empty for numbers.
        before: share of values in each bin or category.
        after: the same for a second data set, or ``None``.
        names: names of the data sets.
        note: what the plot leaves out or only estimates; may be empty.
        times: the numbers are points in time, in seconds since 1970.
    """

    edges: Sequence[float]
    categories: Sequence[str]
    before: Sequence[float]
    after: Sequence[float] | None
    names: tuple[str, str]
    note: str = ""
    times: bool = False


def draw(before: Profile, after: Profile | None, names: tuple[str, str]) -> Drawing | None:
    """Make bins or categories common to one or two data sets; ``None`` without values."""
    present = [profile for profile in (before, after) if profile is not None and profile.present]
    if not present or len({profile.categorical for profile in present}) > 1:
        return None
    if present[0].categorical:
        return _draw_categories(before, after, names)
    bins = bins_of([before] if after is None else [before, after])
    return Drawing(bins.edges, (), bins.shares[0], bins.shares[1] if after is not None else None, names, bins.note)


def draw_splits(by_split: Mapping[str, Profile], *, times: bool = False) -> tuple[Drawing, ...]:
    """The first of several data sets against each other one, all with the same bars; alone if it is the only one.

    Args:
        by_split: the data sets by their names.
        times: the numbers are points in time, in seconds since 1970.
    """
    (first, profile), *others = by_split.items()
    present = [one for one in by_split.values() if one.present]
    if not present or len({one.categorical for one in present}) > 1:
        return ()
    if present[0].categorical:
        pairs = [draw(profile, other, (first, split)) for split, other in others] or [draw(profile, None, (first, ""))]
        return tuple(drawing for drawing in pairs if drawing is not None)
    bins = bins_of(list(by_split.values()), times=times)
    if not others:
        return (Drawing(bins.edges, (), bins.shares[0], None, (first, ""), bins.note, times),)
    return tuple(
        Drawing(bins.edges, (), bins.shares[0], shares, (first, split), bins.note, times)
        for (split, _), shares in zip(others, bins.shares[1:], strict=True)
    )


def describe(profile: Profile, *, times: bool = False) -> str:
    """Describe a column in one line: centre and span of numbers or times, count and most frequent category."""
    if not profile.present:
        return "no values"
    if profile.categorical:
        if not profile.values:
            return f"{count(profile.distinct)} distinct"
        commonest = f"{profile.values[0]} ({percent(profile.share_of(profile.values[0]))})"
        return f"{count(profile.distinct)} distinct, most often {commonest}"
    say: Callable[[float], str] = number
    if times:
        say = partial(calendar.written, step=calendar.step_of(profile.maximum - profile.minimum, _SHOWN_STEPS))
    if profile.minimum == profile.maximum:
        return f"always {say(profile.minimum)}"
    return f"median {say(profile.median)}, from {say(profile.minimum)} to {say(profile.maximum)}"


def _draw_categories(before: Profile, after: Profile | None, names: tuple[str, str]) -> Drawing:
    order = list(dict.fromkeys([*before.values, *(after.values if after else ())]))
    largest = sorted(order, key=lambda value: -max(p.share_of(value) for p in (before, after) if p))[:_LISTED]
    beyond = len(order) > len(largest) or any(profile.rest > 0 for profile in (before, after) if profile)

    def shares(profile: Profile) -> list[float]:
        listed = [profile.share_of(value) for value in largest]
        return [*listed, max(0.0, 1 - sum(listed))] if beyond else listed

    return Drawing(
        edges=(),
        categories=[*largest, "(all others)"] if beyond else largest,
        before=shares(before),
        after=None if after is None else shares(after),
        names=names,
    )
