"""The rows named where a distance is not decided: they decide, and none are named where none would."""

from __future__ import annotations

import numpy as np
import pytest

from builders.moved_columns import LIMIT, category, judge, number
from gauntlet.data.comparators import Pair
from gauntlet.data.noise import Noise, laws_of
from gauntlet.data.noise_planning import _as_far, rows_for_distance
from gauntlet.data.profile import Profile
from gauntlet.verdict import Status

ALPHA = 0.01


def normal(rng: np.random.Generator, rows: int, shift: float = 0.0) -> Profile:
    return number(rng.normal(shift, 1, rows))


def three(rng: np.random.Generator, rows: int, shift: float = 0.0) -> Profile:
    return category(rng.multinomial(rows, [0.5 - shift, 0.3 + shift, 0.2]))


def needed(before: Profile, after: Profile) -> int | None:
    status, distance, noise = judge(before, after, alpha=ALPHA, seed=1)
    assert status is Status.INCONCLUSIVE
    return rows_for_distance(Pair(before, after), distance, noise, limit=LIMIT, alpha=ALPHA, seed=1)


@pytest.mark.parametrize(
    ("law", "shift", "rows"),
    [(normal, 0.0, 60), (normal, 0.75, 150), (three, 0.0, 60), (three, 0.1, 250)],
    ids=["a number as before", "a number that moved", "a category as before", "a category that moved"],
)
def test_the_rows_named_decide(law, shift, rows):
    rng = np.random.default_rng(5)
    before = law(rng, 20_000)
    wanted = needed(before, law(rng, rows, shift))
    assert wanted > rows
    found = [judge(before, law(rng, wanted, shift), alpha=ALPHA, seed=seed)[0] for seed in range(20)]
    assert sum(status is not Status.INCONCLUSIVE for status in found) >= 12


def test_none_are_named_where_the_sample_before_is_too_small():
    rng = np.random.default_rng(6)
    assert needed(normal(rng, 60), normal(rng, 400)) is None


def test_none_are_named_for_a_distance_on_the_limit():
    rng = np.random.default_rng(7)
    pair = Pair(three(rng, 20_000), three(rng, 1_000, 0.05))
    noise = Noise(0.03, 0.0, (0.01, 0.1))
    assert rows_for_distance(pair, LIMIT, noise, limit=LIMIT, alpha=ALPHA, seed=1) is None


@pytest.mark.parametrize("law", [normal, three])
def test_distributions_are_moved_as_far_as_asked(law):
    rng = np.random.default_rng(8)
    laws = laws_of(Pair(law(rng, 20_000), law(rng, 2_000, 0.1)))
    for wanted in (0.0, 0.02, 0.1):
        moved = _as_far(laws, wanted)
        assert float(moved.distance(*moved.shares)) == pytest.approx(wanted, abs=1e-6)
