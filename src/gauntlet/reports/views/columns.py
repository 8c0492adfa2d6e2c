"""Distribution of one column, in one or two data sets, prepared for plots."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gauntlet.data.profile import Profile
from gauntlet.reports.format import count, number, percent

_BINS = 24
_TAIL = 3.0
"""Distance of extremes beyond which a plot is cut, in spans of the middle 98 %."""
_SQUEEZED = 0.04
"""Bins hold quantiles instead of equal widths when one data set fills less than this share of the common span."""
_LISTED = 40


@dataclass(frozen=True)
class Drawing:
    """Input of ``plots.histogram_pair`` (numbers) or ``plots.bars`` (categories).

    Attributes:
        edges: bin edges of a number; empty for categories.
        categories: names of categories; empty for numbers.
        before: share of values in each bin or category.
        after: the same for a second data set, or ``None``.
        names: names of the data sets.
        note: values that the plot omits; may be empty.
    """

    edges: Sequence[float]
    categories: Sequence[str]
    before: Sequence[float]
    after: Sequence[float] | None
    names: tuple[str, str]
    note: str = ""


def draw(before: Profile, after: Profile | None, names: tuple[str, str]) -> Drawing | None:
    """Make bins or categories common to one or two data sets; ``None`` without values."""
    present = [profile for profile in (before, after) if profile is not None and profile.present]
    if not present or len({profile.categorical for profile in present}) > 1:
        return None
    if present[0].categorical:
        return _draw_categories(before, after, names)
    edges, note = _edges(present)
    return Drawing(
        edges=edges.tolist(),
        categories=(),
        before=_masses(before, edges),
        after=None if after is None else _masses(after, edges),
        names=names,
        note=note,
    )


def describe(profile: Profile) -> str:
    """Describe a column in one line: centre and span of numbers, count and most frequent category."""
    if not profile.present:
        return "no values"
    if profile.categorical:
        if not profile.values:
            return f"{count(profile.distinct)} distinct"
        commonest = f"{profile.values[0]} ({percent(profile.share_of(profile.values[0]))})"
        return f"{count(profile.distinct)} distinct, most often {commonest}"
    if profile.minimum == profile.maximum:
        return f"always {number(profile.minimum)}"
    return f"median {number(profile.median)}, from {number(profile.minimum)} to {number(profile.maximum)}"


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


def _edges(profiles: Sequence[Profile]) -> tuple[NDArray[np.float64], str]:
    low, high = min(p.minimum for p in profiles), max(p.maximum for p in profiles)
    spans = [p.quantile(0.99) - p.quantile(0.01) for p in profiles]
    core = (min(p.quantile(0.01) for p in profiles), max(p.quantile(0.99) for p in profiles))
    width = core[1] - core[0]
    cut_low = low if core[0] - low <= _TAIL * width else core[0]
    cut_high = high if high - core[1] <= _TAIL * width else core[1]
    cut = cut_low > low or cut_high < high
    note = f"Values beyond {number(cut_low)} and {number(cut_high)} are in the outer bins." if width and cut else ""
    if not width:
        cut_low, cut_high, note = low, high, ""
    if len(profiles) > 1 and 0 < min(spans) < _SQUEEZED * (cut_high - cut_low):
        quantiles = [np.quantile(p.edges, np.linspace(0, 1, 7)) for p in profiles]
        return np.unique(np.concatenate(quantiles)), "Bins hold quantiles: the two data sets lie too far apart."
    if cut_low == cut_high:
        return np.array([cut_low - 0.5, cut_high + 0.5]), ""
    whole = all(profile.type == "int" for profile in profiles)
    if whole:  # bins must hold equally many integers, otherwise the plot has artifacts
        step = np.ceil((cut_high - cut_low + 1) / _BINS)
        return np.arange(np.floor(cut_low) - 0.5, np.ceil(cut_high) + step, step), note
    return np.linspace(cut_low, cut_high, _BINS + 1), note


def _masses(profile: Profile, edges: NDArray[np.float64]) -> list[float]:
    if not profile.present:
        return [0.0] * (len(edges) - 1)
    cumulative = _share_up_to(profile.edges, edges)
    cumulative[0], cumulative[-1] = 0.0, 1.0  # values beyond are in the outer bins
    return [float(mass) for mass in np.diff(cumulative)]


def _share_up_to(quantiles: NDArray[np.float64], points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Share of values ≤ each point; a value that fills whole quantiles counts in full at its own place."""
    steps = len(quantiles) - 1
    index = np.clip(np.searchsorted(quantiles, points, side="right") - 1, 0, steps - 1)
    width = quantiles[index + 1] - quantiles[index]
    inside = np.divide(points - quantiles[index], width, out=np.zeros_like(points), where=width > 0)
    share = (index + np.clip(inside, 0, 1)) / steps
    return np.where(points >= quantiles[-1], 1.0, np.where(points < quantiles[0], 0.0, share))
