"""Rows that would decide: how many it takes until an interval clears a limit, if what was seen is the truth.

An interval as wide as the distance from the limit decides in half of all samples, since the next estimate falls nearer
to the limit as often as not. What is planned here decides in seven of ten.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from statistics import NormalDist

from gauntlet.stats import beta
from gauntlet.stats.proportions import Counted, chance_of_first_hits, clopper_pearson

_POWER = 0.7
"""Chance that a planned number of rows decides."""
_ROUNDING = 1e-9
_MOST_ROWS = 10**12


def rows_for_share(share: float, bound: float, alpha: float) -> int | None:
    """Rows at which an exact interval lies on one side of ``bound`` in about seven of ten samples.

    Args:
        share: what is taken for the truth, in [0, 1].
        bound: the limit, in [0, 1].
        alpha: 1 − confidence of the two-sided interval of Clopper and Pearson.

    Returns:
        ``None`` where no number would do: the share is the bound.

    >>> rows_for_share(0.0, 0.01, 0.05)  # none of 368 rows: (1 - 0.01)³⁶⁸ < 0.025
    368
    """

    def decides(rows: int) -> bool:
        shift = _shift(share, rows)
        if share < bound:
            most = min(1.0, share + shift)
            if bound >= 1 or most >= bound:
                return bound >= 1
            return beta.regularized(bound, rows * most + 1, rows * (1 - most)) >= 1 - alpha / 2
        least = max(0.0, share - shift)
        if bound <= 0 or least <= bound:
            return least > bound
        return beta.regularized(bound, rows * least, rows * (1 - least) + 1) <= alpha / 2

    return None if share == bound else _least(decides)


def rows_for_first_hits(share: float, before: float, alpha: float) -> int | None:
    """Rows whose hits, in about seven of ten samples, are no chance after ``before`` rows without one.

    Args:
        share: of rows that are hits, taken for the truth, in [0, 1].
        before: rows without a hit.
        alpha: what ``chance_of_first_hits`` must fall below.

    Returns:
        ``None`` where no number would do: so rare a hit may be missed in ``before`` rows.

    >>> rows_for_first_hits(0.01, 2_000, 0.001)
    800
    """

    def decides(rows: int) -> bool:
        return chance_of_first_hits(math.floor(rows * (share - _shift(share, rows))), before, rows) < alpha

    return _least(decides)


def rows_for_difference(first: Counted, share: float, bound: float, alpha: float) -> int | None:
    """Rows of a second sample that tell in about seven of ten cases whether its share lies within ``bound`` of a first.

    Only the second sample grows: the interval of the first stays as wide as it is.

    Args:
        first: (successes, rows) of the first sample.
        share: what is taken for the second one's true share, in [0, 1].
        bound: largest difference allowed, either way; in [0, 1].
        alpha: 1 − confidence of the interval, that of ``difference_of_shares``.

    Returns:
        ``None`` where no number would do: the difference is the bound, or nearer to it than the first sample can tell.
    """
    before = first[0] / first[1] if first[1] else 0.0
    low, high = clopper_pearson(*first, alpha)
    change = share - before
    below, above = before - low, high - before  # what a change upwards, and one downwards, owe to the first sample
    beyond = abs(change) > bound
    if beyond:
        room = abs(change) - bound - (above if change > 0 else below)
    else:
        room = min(bound - change - below, bound + change - above)
    if room <= 0:
        return None

    def decides(rows: int) -> bool:
        shift = _shift(share, rows)
        nearest = (max(0.0, share - shift), min(1.0, share + shift))
        ends = [clopper_pearson(found * rows, rows, alpha) for found in nearest]
        arms_down = [found - low for found, (low, _) in zip(nearest, ends, strict=True)]
        arms_up = [high - found for found, (_, high) in zip(nearest, ends, strict=True)]
        if beyond:
            arm = math.hypot(arms_down[0], above) if change > 0 else math.hypot(arms_up[1], below)
            return abs(change) - bound - arm >= shift
        down, up = math.hypot(max(arms_down), above), math.hypot(max(arms_up), below)
        if bound - change < up or bound + change < down:
            return False
        fewest = math.ceil(rows * (before - bound + down) - _ROUNDING)
        most_hits = math.floor(rows * (before + bound - up) + _ROUNDING)
        return _chance_up_to(most_hits, rows, share) - _chance_up_to(fewest - 1, rows, share) >= _POWER

    return _least(decides)


def rows_for_mean(
    distance: float, deviation: float, alpha: float, other: float = 0.0, *, both_ways: bool = False
) -> int | None:
    """Rows at which the interval of a mean, or of its difference from another, clears a limit in seven of ten samples.

    The half-width is z √(deviation² / rows + other), and the mean itself may fall z₀.₇ standard errors nearer to the
    limit: see Armitage, Berry and Matthews, "Statistical Methods in Medical Research" (2002), section 4.6, for the sum
    of both.

    Args:
        distance: of what is taken for the truth from the limit, in the mean's units.
        deviation: standard deviation of one row.
        alpha: 1 − confidence of the two-sided interval.
        other: variance of the mean that it is held against, which does not grow.
        both_ways: there is a limit on the other side as well.

    Returns:
        ``None`` where no number would do.

    >>> rows_for_mean(0.1, 1.0, 0.05)  # ((1.960 + 0.524) / 0.1)²
    618
    """
    z = NormalDist().inv_cdf(1 - alpha / 2)
    shift = NormalDist().inv_cdf((1 + _POWER) / 2 if both_ways else _POWER)
    rest = distance * distance - z * z * other
    if distance <= 0 or rest <= 0:
        return None
    if not deviation:
        return 1
    # shift · s + z √(s² + other) = distance, solved for s² = deviation² / rows
    root = math.sqrt((distance * shift) ** 2 + (z * z - shift * shift) * rest)
    error = rest / (root + distance * shift)
    rows = (deviation / error) ** 2
    return math.ceil(rows * (1 - 1e-12)) if rows <= _MOST_ROWS else None


def _shift(share: float, rows: int) -> float:
    """How far a sample's share may fall from the truth on one side in ``_POWER`` of samples, and half a row."""
    if not 0 < share < 1:
        return 0.0
    return NormalDist().inv_cdf(_POWER) * math.sqrt(share * (1 - share) / rows) + 0.5 / rows


def _chance_up_to(hits: int, rows: int, share: float) -> float:
    """The chance of at most so many hits in a binomial sample."""
    if hits < 0:
        return 0.0
    if hits >= rows or share <= 0:
        return 1.0
    return 0.0 if share >= 1 else 1 - beta.regularized(share, hits + 1, rows - hits)


def _least(decides: Callable[[int], bool]) -> int | None:
    """The least number of rows that decides, to one part in a hundred; ``None`` above 10¹²."""
    rows = 1
    while not decides(rows):
        rows *= 2
        if rows > _MOST_ROWS:
            return None
    low = rows // 2
    while rows - low > 1 + low // 100:
        middle = (low + rows) // 2
        low, rows = (low, middle) if decides(middle) else (middle, rows)
    return rows
