"""How many rows of the second sample would decide whether a column has moved, found by simulating larger samples.

What is taken for the truth is the measured distance less what chance alone adds to it: the second distribution moved
along the line between both until it is that far away. For a number of rows, samples of that truth are drawn, and
counted are those that lie beyond what distributions at the limit show, or below it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from gauntlet.data.comparators import FEW, Cells, Pair
from gauntlet.data.noise import Laws, Noise, Numbers, distances_of, laws_of, missed, quantile

_POWER = 0.85
"""Share of samples that a planned number of rows decides, of what is taken for the truth; of truths near it, less."""
_REPLICATES = 1_000
_MOST_ROWS = 10**9
_STEP = 1.25
"""Factor between the numbers of rows that are tried last."""


def rows_for_distance(
    pair: Pair, measured: float, noise: Noise, *, limit: float, alpha: float, seed: int
) -> int | None:
    """Rows of the second sample that decide in most samples.

    Args:
        pair: the column before and after; the sample before stays as it is.
        measured: their distance.
        noise: of that.
        limit: largest distance allowed.
        alpha: 1 − confidence for this column alone.
        seed: of the simulation, the same for every number of rows.

    Returns:
        At least the rows there are; ``None`` where no number would do.
    """
    laws = laws_of(pair)
    power = (
        1 if isinstance(laws, Numbers) else 2
    )  # variances add: a divergence goes with them, a share's change squared
    left = max(0.0, measured**power - noise.expected**power) ** (1 / power)
    if measured <= noise.floor:
        left = min(left, limit / 2)  # what equal distributions show may lie anywhere, on the limit as well
    plan = _Plan(_as_far(laws, left), _as_far(laws, limit), pair.before.present, limit, alpha, seed)
    if not plan.decides(_MOST_ROWS):
        return None
    low = high = max(1, pair.after.present)
    while not plan.decides(high):
        low, high = high, min(2 * high, _MOST_ROWS)
    while high > low * _STEP:
        middle = math.ceil(math.sqrt(low * high))
        low, high = (low, middle) if plan.decides(middle) else (middle, high)
    return high


def _as_far(laws: Laws, distance: float) -> Laws:
    """The laws with the second one moved along their line until it is so far from the first, or as far as that goes."""
    near, far = 0.0, 64.0
    for _ in range(30):
        middle = (near + far) / 2
        moved = laws.along(middle)
        near, far = (middle, far) if float(moved.distance(*moved.shares)) < distance else (near, middle)
    return laws.along(near)


@dataclass(frozen=True)
class _Plan:
    """What is taken for the truth, distributions as far apart as is allowed, and the rows before.

    See ``rows_for_distance``.
    """

    truth: Laws
    allowed: Laws
    before: int
    limit: float
    alpha: float
    seed: int

    def decides(self, rows: int) -> bool:
        """Whether enough samples of so many rows would be decided: shown beyond the limit, or within it."""
        sizes = (self.before, rows)
        truth, allowed = _as_large(self.truth, rows), _as_large(self.allowed, rows)
        found = distances_of(truth, sizes, _REPLICATES, np.random.default_rng(self.seed))
        at_limit = distances_of(allowed, sizes, _REPLICATES, np.random.default_rng([self.seed, 1]))
        low, high = quantile(at_limit, self.alpha / 2), quantile(at_limit, 1 - self.alpha / 2)
        failed = found > high
        passed = found < min(low, self.limit)
        if passed.any():
            same = truth.draw_same(sizes, _REPLICATES, np.random.default_rng([self.seed, 2]))
            floor = quantile(same, 1 - self.alpha)
            missing = missed(min(sizes), self.alpha, truth.distance)
            passed &= max(floor, missing) <= self.limit
        return bool(np.mean(passed | failed) >= _POWER)


def _as_large(laws: Laws, rows: int) -> Laws:
    """A number's quantiles as a second sample of so many rows would have them.

    From ``FEW`` rows on they are like those of the first. Below, its values are counted, which from more rows than
    quantiles on places a cut to half a step.
    """
    if not isinstance(laws, Numbers):
        return laws
    cells = laws.cells
    reach, lumped, step = cells.reach[0], cells.lumped[0], cells.step[0]
    if rows >= FEW:
        return Numbers(Cells(cells.shares, (reach, reach), (lumped, lumped), (step, step)))
    counted = np.full_like(reach, step / 2 if rows > 1 / step else 0.0)
    return Numbers(Cells(cells.shares, (reach, counted), (lumped, np.zeros_like(lumped)), (step, step)))
