"""Histograms the size of a word, for tables of many columns: one path, a few hundred bytes."""

from __future__ import annotations

import math
from collections.abc import Sequence

from markupsafe import Markup

from gauntlet.reports import svg

_WIDTH, _HEIGHT = 120, 28
_MOST_BARS = 40


def thumbnail(shares: Sequence[float], *, title: str = "Distribution") -> Markup:
    """Draw the shares of bars or categories, the highest as high as the picture.

    Args:
        shares: in order; beyond 40, neighbours are drawn as one. Negative and infinite ones count as 0.
        title: the accessible name.
    """
    finite = [max(0.0, share) if math.isfinite(share) else 0.0 for share in shares]
    together = math.ceil(len(finite) / _MOST_BARS) or 1
    bars = [math.fsum(finite[start : start + together]) for start in range(0, len(finite), together)]
    highest = max(bars, default=0.0)
    if highest <= 0:
        return svg.drawing(_WIDTH, _HEIGHT, title=title, class_="plot spark")
    edges = [round(_WIDTH * position / len(bars)) for position in range(len(bars) + 1)]
    steps = [f"M0 {_HEIGHT}"]
    for position, value in enumerate(bars):
        # A bar of a few rows is a pixel high: empty looks different from rare.
        tall = max(1, round((_HEIGHT - 1) * value / highest)) if value else 0
        steps.append(f"V{_HEIGHT - tall}H{edges[position + 1]}")
    path = svg.element("path", d="".join(steps) + f"V{_HEIGHT}Z", class_="solo")
    return svg.drawing(_WIDTH, _HEIGHT, path, title=title, class_="plot spark")
