"""Robust fit of a line, insensitive to a few outliers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

EXPLAINED = 0.95
"""Share of the points that a relation must explain."""
CLOSE = 0.01
"""Largest distance of an explained point from the line, in standard deviations of the points near it."""
_SLOPES = 4_000


@dataclass(frozen=True)
class Line:
    """Fitted line, y = slope·x + intercept.

    Attributes:
        slope, intercept: the coefficients.
        residual: 95th percentile of the distance of points from it, in ``spread``.
        explained: share of the points within ``close`` · ``spread`` of it.
        spread: standard deviation of y over the points near it.
    """

    slope: float
    intercept: float
    residual: float
    explained: float
    spread: float


def fit_line(x: Floats, y: Floats, rng: np.random.Generator, close: float = CLOSE) -> Line:
    """Fit a line to points of at least two different x and two different y.

    The median of the slopes of random pairs of points is the start (Theil 1950, Sen 1968), least squares on the points
    near that line the end.

    Args:
        x, y: (n,) finite.
        rng: draws the pairs.
        close: as in ``Line``.
    """
    centre, scale = float(np.median(x)), float(np.std(x))
    unit = (x - centre) / scale
    spread = float(np.std(y))
    first, second = rng.integers(0, len(x), (2, _SLOPES))
    apart = np.abs(unit[first] - unit[second]) > 1e-12  # else the slope of two equal x is noise, or infinite
    slopes = (y[first][apart] - y[second][apart]) / (unit[first][apart] - unit[second][apart])
    slope = float(np.median(slopes)) if len(slopes) else 0.0
    intercept = float(np.median(y - slope * unit))
    for _ in range(3):
        left = np.abs(y - slope * unit - intercept)
        # 1.4826 medians are a standard deviation if errors are normal; where most points fit exactly the median is 0,
        # and the second term leaves room for rounding.
        near = left <= max(3 * 1.4826 * float(np.median(left)), 1e-9 * spread)
        if np.count_nonzero(near) < 2 or np.ptp(unit[near]) == 0:
            break
        middle = float(np.mean(unit[near]))
        deviations = unit[near] - middle
        slope = float(deviations @ y[near] / (deviations @ deviations))
        intercept = float(np.mean(y[near])) - slope * middle
        if np.ptp(y[near]) > 0:
            spread = float(np.std(y[near]))  # what lies off the line must not make its neighbourhood wider
    left = np.abs(y - slope * unit - intercept)
    return Line(
        slope / scale,
        intercept - slope * centre / scale,
        float(np.quantile(left, 0.95)) / spread,
        float(np.mean(left <= close * spread)),
        spread,
    )
