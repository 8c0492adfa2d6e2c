"""Axis scales: maps values to pixels, with ticks at round numbers."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

from gauntlet.reports.format import fixed, number

_LARGEST = 1e300
"""Values are clamped to this, since a range beyond it could overflow."""
_LARGEST_RATIO = 1e100
"""The same for logarithmic scales, and its inverse for values near zero."""
_STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)


@dataclass(frozen=True)
class Scale:
    """Mapping of values to pixels.

    Attributes:
        low: value at pixel ``start``; ``low < high``, both finite, both positive if ``log``.
        high: value at pixel ``end``.
        start: pixel of ``low`` (may be larger than ``end``, since y grows downwards).
        end: pixel of ``high``.
        log: logarithmic scale.
    """

    low: float
    high: float
    start: float
    end: float
    log: bool = False

    def at(self, value: float) -> float:
        """Pixel of a value; values outside the scale are clamped."""
        if math.isnan(value):
            return self.start
        inside = min(self.high, max(self.low, value))
        if self.log:
            part = math.log(inside / self.low) / math.log(self.high / self.low)
        else:
            part = (inside - self.low) / (self.high - self.low)
        return self.start + part * (self.end - self.start)

    def holds(self, value: float) -> bool:
        """Whether the value is on the scale."""
        return self.low <= value <= self.high

    def ticks(self, most: int = 6) -> list[float]:
        """Choose round tick values, at most about ``most``."""
        if self.log and self.high / self.low >= 10:
            return _log_ticks(self.low, self.high, most)
        step = _round_step((self.high - self.low) / max(1, most))
        first = math.ceil(self.low / step - 1e-9)
        last = math.floor(self.high / step + 1e-9)
        return [i * step for i in range(first, min(last, first + 4 * most) + 1)]

    def written(self, ticks: list[float], *, unit: str = "") -> list[str]:
        """Format ticks with the same number of decimals; ``unit="%"`` formats shares as percentages."""
        factor = 100.0 if unit == "%" else 1.0
        values = [tick * factor for tick in ticks]
        after = "%" if unit == "%" else ""
        steps = [b - a for a, b in pairwise(values)]
        largest = max(map(abs, values), default=0.0)
        if self.log or not steps or largest >= 1e9 or largest < 1e-4:
            return [number(value) + after for value in values]
        decimals = next((d for d in range(7) if abs(round(steps[0], d) - steps[0]) < 1e-6 * steps[0]), 7)
        return [fixed(value, decimals) + after for value in values]


def scale_over(
    values: Iterable[float | None],
    *,
    start: float,
    end: float,
    log: bool = False,
    pad: float = 0.05,
    floor: float | None = None,
    ceiling: float | None = None,
) -> Scale:
    """Make a scale over all finite values (positive ones if ``log``), with a margin.

    Args:
        values: the values; missing ones are ignored. Without values the scale is 0 to 1 (1 to 10 if ``log``).
        start: pixel of its low end.
        end: pixel of its high end.
        log: logarithmic scale.
        pad: margin on each side, as a share of the range.
        floor: lower limit of the margin (0 for shares).
        ceiling: upper limit of the margin (1 for shares).
    """
    finite = [min(_LARGEST, max(-_LARGEST, float(v))) for v in values if v is not None and math.isfinite(v)]
    if log:
        finite = [min(_LARGEST_RATIO, max(1 / _LARGEST_RATIO, value)) for value in finite if value > 0]
        if not finite:
            return Scale(1.0, 10.0, start, end, log=True)
        low, high = min(finite), max(finite)
        margin = max((high / low) ** pad, 1.1)
        return Scale(low / margin, high * margin, start, end, log=True)
    if not finite:
        return Scale(0.0, 1.0, start, end)
    low, high = min(finite), max(finite)
    width = high - low
    size = max(abs(low), abs(high))
    if width <= max(1e-9 * size, 1 / _LARGEST):
        width = size if size > 1 / _LARGEST else 1.0
        pad = 0.5
    padded_low, padded_high = low - pad * width, high + pad * width
    if floor is not None:
        padded_low = max(padded_low, min(low, floor))
    if ceiling is not None:
        padded_high = min(padded_high, max(high, ceiling))
    return Scale(padded_low, padded_high, start, end)


def robust(values: Iterable[float | None]) -> list[float]:
    """Remove outliers, which would compress all other values.

    Outliers are beyond Tukey's outer fences: three interquartile ranges from either quartile. Fewer than eight values
    are all kept.
    """
    finite = sorted(float(value) for value in values if value is not None and math.isfinite(value))
    if len(finite) < 8:
        return finite
    low, high = finite[len(finite) // 4], finite[-1 - len(finite) // 4]
    reach = 3 * (high - low)
    return [value for value in finite if low - reach <= value <= high + reach] if 0 < reach < math.inf else finite


def _round_step(raw: float) -> float:
    power = 10.0 ** math.floor(math.log10(raw))
    return next((step * power for step in _STEPS if step * power >= raw * (1 - 1e-9)), 10 * power)


def _log_ticks(low: float, high: float, most: int) -> list[float]:
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    for parts in ((1, 2, 5), (1, 3), (1,)):
        ticks = [part * 10.0**power for power in range(first, last + 1) for part in parts]
        inside = [tick for tick in ticks if low <= tick <= high]
        if 2 <= len(inside) <= most + 2:
            return inside
    if len(inside) > most:
        return inside[:: math.ceil(len(inside) / most)]
    return inside or [math.sqrt(low) * math.sqrt(high)]
