"""Bars of a number's histogram, common to one or two data sets: round edges, and the rows counted between them.

Where the values were counted (``gauntlet.data.value_counts``), bars are exact: their edges are ends of the cells that
were counted. Older statistics have quantiles alone; bars are then interpolated, and say so.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gauntlet.data.profile import Profile
from gauntlet.data.value_counts import REACH, ValueCounts
from gauntlet.reports import calendar
from gauntlet.reports.format import number

Floats = NDArray[np.float64]

_BARS = 30
"""About so many bars, at most 5/2 times as many; a value has a bar of its own if these are no more than ``_SINGLE``."""
_SINGLE = 40
_SQUEEZED = 0.04
"""Bars hold quantiles instead of equal widths when one data set fills less than this share of the common span."""
_DECIMALS = 9

FAR_APART = "Bars hold quantiles: the two data sets lie too far apart."
INTERPOLATED = "Approximate: interpolated between 100 quantiles, since the statistics keep no counts."
DIVIDED = "Approximate: some bars share a cell of the counts."


@dataclass(frozen=True)
class Bins:
    """Bars of one or two data sets.

    Attributes:
        edges: (b + 1,) ascending.
        shares: for each data set, (b,) shares of its values.
        note: what the bars leave out or only estimate; may be empty.
    """

    edges: tuple[float, ...]
    shares: tuple[tuple[float, ...], ...]
    note: str = ""


def bins_of(profiles: Sequence[Profile], *, times: bool = False) -> Bins:
    """Make the bars of one or two data sets of numbers, one at least with values.

    Args:
        profiles: the data sets.
        times: the numbers are points in time, in seconds since 1970.
    """
    present = [profile for profile in profiles if profile.present]
    low, high = _shown(present)
    spans = [profile.quantile(0.99) - profile.quantile(0.01) for profile in present]
    if len(present) > 1 and 0 < min(spans) < _SQUEEZED * (high - low):
        quantiles = [np.quantile(profile.edges, np.linspace(0, 1, 7)) for profile in present]
        edges, notes = np.unique(np.concatenate(quantiles)), [FAR_APART]
    else:
        grain, width = _grain(present, low, high), _width(present, low, high)
        edges = _calendar_edges(low, high, width) if times else _round_edges(low, high, grain, width)
        notes = _beyond(present, edges, times=times)
    filled = [_shares(profile, edges) for profile in profiles]
    if any(profile.counted is None for profile in present):
        notes.append(INTERPOLATED)
    elif not all(exact for _, exact in filled):
        notes.append(DIVIDED)
    return Bins(tuple(edges.tolist()), tuple(tuple(share.tolist()) for share, _ in filled), " ".join(notes))


def _shown(profiles: Sequence[Profile]) -> tuple[float, float]:
    """The range drawn: one value far out would make one bar of all others."""
    low, high = min(p.minimum for p in profiles), max(p.maximum for p in profiles)
    core = (min(p.quantile(0.01) for p in profiles), max(p.quantile(0.99) for p in profiles))
    width = core[1] - core[0]
    if not width:
        return (low, high) if math.isfinite(high - low) else core
    return (
        low if core[0] - low <= REACH * width else core[0],
        high if high - core[1] <= REACH * width else core[1],
    )


def _beyond(profiles: Sequence[Profile], edges: Floats, *, times: bool) -> list[str]:
    low, high = min(p.minimum for p in profiles), max(p.maximum for p in profiles)
    say = calendar.written if times else number
    notes = [f"Values below {say(edges[0])} (down to {say(low)}) are in the first bar."] if low < edges[0] else []
    if high > edges[-1]:
        notes.append(f"Values above {say(edges[-1])} (up to {say(high)}) are in the last bar.")
    return notes


def _grain(profiles: Sequence[Profile], low: float, high: float) -> float:
    """The step of which all values are multiples, if they are few or whole; else 0."""
    if all(profile.type == "int" for profile in profiles):
        return 1.0
    counted = [profile.counted for profile in profiles]
    values = np.concatenate([one.lows for one in counted if one is not None and one.by_value] or [np.empty(0)])
    values = values[(values >= low) & (values <= high)]
    if any(one is None or not one.by_value for one in counted) or len(values) < 2:
        return 0.0
    for decimals in range(_DECIMALS + 1):
        scaled = values * 10.0**decimals
        whole = np.rint(scaled)
        if np.abs(whole).max() < 2**53 and (np.abs(scaled - whole) <= 1e-9 * np.maximum(1, np.abs(scaled))).all():
            step = np.gcd.reduce((whole - whole.min()).astype(np.int64))
            return float(step) / 10.0**decimals
    return 0.0


def _width(profiles: Sequence[Profile], low: float, high: float) -> float:
    """Width of the widest cell in the range drawn; 0 where values were counted by themselves."""
    inside = [profile.counted.between(low, high) for profile in profiles if profile.counted is not None]
    return max((_widest(counted) for counted in inside), default=0.0)


def _widest(counted: ValueCounts) -> float:
    """Tail cells reach farther than those between, of which most are as wide as one was counted."""
    widths = counted.highs - counted.lows
    return float(np.median(widths)) if len(widths) else 0.0


def _round_edges(low: float, high: float, grain: float, width: float) -> Floats:
    """Edges at multiples of a round step that holds as many values in each bar, with every value inside."""
    if low == high and not grain:
        return np.array([low - 0.5, high + 0.5])
    if grain and (high - low) / grain < _SINGLE:
        first, last = round(low / grain), round(high / grain)
        return _multiples(first - 0.5, last - first + 2, grain)
    unit = grain if grain else 1.0
    step = unit * _round_up((high - low) / _BARS / unit)
    step = max(step, width)
    first = math.floor(low / step + 1e-9)
    last = math.ceil(high / step - 1e-9)
    if grain and math.isclose(last * step, high, rel_tol=1e-12):
        last += 1  # the last bar would hold a value more than the others
    return _multiples(first, last - first + 1, step)


def _calendar_edges(low: float, high: float, width: float) -> Floats:
    """Edges at whole minutes, hours or days, with every value inside; none narrower than what was counted."""
    step = max(calendar.step_of(high - low, 2 * _BARS) if high > low else 1.0, width)
    first = math.floor(low / step)
    return _multiples(first, math.floor(high / step) - first + 2, step)


def _multiples(first: float, count: int, step: float) -> Floats:
    """``first``, ``first + 1``, … times a step, each as the decimal it is meant to be."""
    return np.array([float(f"{(first + position) * step:.12g}") for position in range(count)])


def _round_up(raw: float) -> float:
    power = 10.0 ** math.floor(math.log10(raw))
    return next(part * power for part in (1, 2, 5, 10) if part * power >= raw * (1 - 1e-9))


def _shares(profile: Profile, edges: Floats) -> tuple[Floats, bool]:
    if not profile.present:
        return np.zeros(len(edges) - 1), True
    if profile.counted is not None:
        rows, exact = profile.counted.binned(edges)
        return rows / max(rows.sum(), 1.0), exact
    cumulative = _share_up_to(profile.edges, edges)
    cumulative[0], cumulative[-1] = 0.0, 1.0  # values beyond are in the outer bars
    return np.diff(cumulative), False


def _share_up_to(quantiles: Floats, points: Floats) -> Floats:
    """Share of values ≤ each point; a value that fills whole quantiles counts in full at its own place."""
    steps = len(quantiles) - 1
    index = np.clip(np.searchsorted(quantiles, points, side="right") - 1, 0, steps - 1)
    width = quantiles[index + 1] - quantiles[index]
    inside = np.divide(points - quantiles[index], width, out=np.zeros_like(points), where=width > 0)
    share = (index + np.clip(inside, 0, 1)) / steps
    return np.where(points >= quantiles[-1], 1.0, np.where(points < quantiles[0], 0.0, share))
