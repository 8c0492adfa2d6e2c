"""Values outside a range that was read off other rows: does chance put them there, and do they stand apart?

A range inferred from n rows is exceeded by a further row of the same law with probability 1 / (n + 1) at either end,
whatever the law. So nothing follows from one value outside; how many there are of how many rows decides, exactly and
for heavy tails as for light ones (``stats.proportions.chance_of_first_hits``). How far outside they lie says nothing by
itself where tails are heavy. Where a value lies farther out than the tail of the others explains, it is worth a word.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from gauntlet.data.profile import Profile
from gauntlet.stats.proportions import chance_of_first_hits
from gauntlet.verdict import Status

End = Literal["low", "high"]
ONE_BY_ONE = 16
"""Most outermost rows that ends tell one by one."""
LONE = 3
"""Most rows that are set apart where a range is inferred; more are part of the data."""
DOUBTFUL = 0.001
"""Chance below which values outside are more than a curiosity; for one column, not for all together."""


@dataclass(frozen=True)
class Outside:
    """Values beyond one limit.

    Attributes:
        rows: how many, at least (``Profile.rows_below``).
        of: how many values there are.
        apart: they lie farther from the others than the tail of the others explains.
    """

    rows: int
    of: int
    apart: bool

    def chance(self, learned_from: int) -> float:
        """Chance of at least so many, where the limit was read off other rows of the same law."""
        return chance_of_first_hits(self.rows, learned_from, self.of)

    def level(self, alpha: float) -> float:
        """Chance below which they are none, where it is ``alpha`` for values that do not stand apart."""
        return max(alpha, DOUBTFUL) if self.apart else alpha

    def status(self, learned_from: int, alpha: float) -> Status:
        """Whether the limit, read off other rows none of which is beyond, still holds.

        Args:
            learned_from: how many rows that are.
            alpha: chance at which it does not, for this limit alone.
        """
        chance = self.chance(learned_from)
        if chance < self.level(alpha):
            return Status.FAIL
        return Status.INCONCLUSIVE if self.apart or chance < DOUBTFUL else Status.PASS


def outside(profile: Profile, limit: float, end: End) -> Outside:
    """The values of a number that lie beyond a limit."""
    rows = profile.rows_above(limit) if end == "high" else profile.rows_below(limit)
    return Outside(rows, profile.present, 0 < rows <= ONE_BY_ONE and _apart(profile, rows, end))


def extreme(profile: Profile, end: End) -> float:
    """The outermost value, but for up to ``LONE`` rows that stand apart from all others."""
    tail = profile.high if end == "high" else profile.low
    sign = 1 if end == "high" else -1
    rows = next((rows for rows in range(LONE, 0, -1) if tail is not None and _apart(profile, rows, end)), 0)
    if rows and tail is not None:
        return sign * float(tail.values[rows])
    return profile.maximum if end == "high" else profile.minimum


def _apart(profile: Profile, rows: int, end: End) -> bool:
    tail = profile.high if end == "high" else profile.low
    if tail is None:
        return False
    middle = profile.median
    if end == "high":
        return tail.is_apart(rows, middle, middle - profile.minimum)
    return tail.is_apart(rows, -middle, profile.maximum - middle)
