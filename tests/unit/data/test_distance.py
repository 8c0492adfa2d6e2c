"""Distances, cells and noise: properties, TFDV's own numbers, and the error rates that are promised."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gauntlet.data.comparators import REST, Pair, aligned_counts, measure, number_cells
from gauntlet.data.distance import jensen_shannon, l_infinity
from gauntlet.data.noise import noise_of
from gauntlet.data.profile import Profile

STEPS = 100


def number(values, *, name: str = "x", kind: str = "float") -> Profile:
    """A profile as compute_statistics would make it."""
    values = np.asarray(values, dtype=float)
    edges = np.quantile(values, np.linspace(0, 1, STEPS + 1), method="inverted_cdf")
    n = len(values)
    return Profile(name, kind, n, n, False, values.mean(), values.std(), values.min(), values.max(), 0, edges)


def category(counts: dict[str, int], *, name: str = "c", present: int | None = None) -> Profile:
    total = sum(counts.values()) if present is None else present
    ordered = dict(sorted(counts.items(), key=lambda item: -item[1]))
    return Profile(
        name, "string", total, total, True, values=tuple(ordered), counts=np.array(list(ordered.values()), dtype=float)
    )


@st.composite
def two_distributions(draw):
    k = draw(st.integers(1, 12))
    weights = st.lists(st.integers(0, 1000), min_size=k, max_size=k).filter(any)
    first, second = np.array(draw(weights), float), np.array(draw(weights), float)
    return first / first.sum(), second / second.sum()


@given(two_distributions())
def test_both_distances_are_symmetric_bounded_and_zero_only_between_equals(pair):
    first, second = pair
    for distance in (l_infinity, jensen_shannon):
        found = float(distance(first, second))
        assert found == pytest.approx(float(distance(second, first)), abs=1e-12)
        assert 0 <= found <= 1
        assert (found < 1e-12) == np.allclose(first, second, atol=1e-7)


@given(two_distributions(), st.integers(0, 11))
def test_merging_categories_never_adds_distance(pair, at):
    first, second = pair
    if len(first) < 2:
        return
    at %= len(first) - 1
    merged = [np.append(np.delete(x, [at, at + 1]), x[at] + x[at + 1]) for x in pair]
    assert jensen_shannon(*merged) <= jensen_shannon(first, second) + 1e-12


@given(two_distributions(), two_distributions())
def test_the_root_of_the_divergence_is_a_metric(one, two):
    k = min(len(one[0]), len(two[0]))
    a, b, c = (np.append(x[: k - 1], x[k - 1 :].sum()) for x in (one[0], one[1], two[0]))
    root = [math.sqrt(jensen_shannon(*pair)) for pair in ((a, c), (a, b), (b, c))]
    # A divergence is exact to some 1e-16, so its root to some 1e-8.
    assert root[0] <= root[1] + root[2] + 1e-7


def test_reference_values():
    p, q = np.array([0.36, 0.48, 0.16]), np.array([1 / 3, 1 / 3, 1 / 3])
    middle = (p + q) / 2
    expected = (np.sum(p * np.log2(p / middle)) + np.sum(q * np.log2(q / middle))) / 2
    assert jensen_shannon(p, q) == pytest.approx(expected)
    assert l_infinity(p, q) == pytest.approx(1 / 3 - 0.16)


RNG = np.random.default_rng(3)
SHAPES = {
    "normal": lambda rng, n: rng.normal(size=n),
    "whole ages": lambda rng, n: np.floor(17 + rng.gamma(4, 6, n)),
    "nine in ten zero": lambda rng, n: np.where(rng.random(n) < 0.92, 0, rng.lognormal(8, 1, n)),
    "multiples of five": lambda rng, n: 5.0 * rng.integers(0, 30, n),
    "six values": lambda rng, n: rng.choice([0, 0.1, 0.25, 0.5, 1, 1.5], n),
    "heavy tails": lambda rng, n: rng.standard_cauchy(n),
    "constant": lambda rng, n: np.ones(n),
    "rounded": lambda rng, n: rng.lognormal(3, 0.6, n).round(),
    "two clusters": lambda rng, n: np.where(rng.random(n) < 0.43, 0, 100) + rng.normal(size=n),
}


@pytest.mark.parametrize("shape", list(SHAPES))
def test_tfdvs_comparator_measures_what_the_cells_say(shape):
    before, after = number(SHAPES[shape](RNG, 3000)), number(SHAPES[shape](RNG, 2000) * 1.3)
    pair = Pair(before, after)
    assert measure([pair])["x"] == pytest.approx(float(jensen_shannon(*number_cells(pair).shares)), abs=1e-6)


def test_tfdvs_comparator_measures_shares_of_all_rows():
    before, after = category({"a": 60, "b": 30}, present=100), category({"a": 20, "b": 30, "new": 50})
    values, *counts = aligned_counts(Pair(before, after))
    assert values == ("a", "b", "new", REST)
    expected = l_infinity(counts[0] / counts[0].sum(), counts[1] / counts[1].sum())
    assert measure([Pair(before, after)])["c"] == pytest.approx(float(expected)) == pytest.approx(0.5)


@pytest.mark.parametrize("shape", list(SHAPES))
def test_cells_hold_everything_and_an_equal_distribution_equally(shape):
    one = number(SHAPES[shape](RNG, 5000))
    cells = number_cells(Pair(one, one))
    for shares in cells.shares:
        assert shares.sum() == pytest.approx(1)
        assert shares.min() >= 0
    assert jensen_shannon(*cells.shares) == 0


def test_a_rescaled_column_with_an_outlier_is_as_far_as_can_be():
    values = RNG.lognormal(10, 0.5, 5000)
    rescaled = np.append(values * 1000, 1e12)
    assert measure([Pair(number(values), number(rescaled))])["x"] > 0.95


def test_one_extreme_value_alone_moves_nothing():
    values = RNG.normal(size=20_000)
    pair = Pair(number(values), number(np.append(values, 1e9)))
    assert measure([pair])["x"] < 1e-3


def test_five_thousand_categories_of_one_distribution_are_close():
    counts = [RNG.multinomial(50_000, np.full(5000, 1 / 5000)) for _ in range(2)]
    listed = []
    for found in counts:
        top = np.argsort(-found)[:1000]
        listed.append(category({str(i): int(found[i]) for i in top}, present=50_000))
    pair = Pair(*listed)
    distance = measure([pair])["c"]
    noise = noise_of(pair, distance, alpha=0.05, replicates=1000, rng=np.random.default_rng(0))
    assert distance < noise.floor < 0.05


@pytest.mark.parametrize("kind", ["number", "category"])
def test_more_rows_lower_the_floor_and_tighten_the_interval(kind):
    floors, widths = [], []
    for n in (500, 5000, 50_000):
        if kind == "number":
            pair = Pair(number(RNG.normal(size=n)), number(RNG.normal(0.8, 1, size=n)))
        else:
            pair = Pair(category({"a": n // 2, "b": n // 2}), category({"a": n // 4, "b": 3 * n // 4}))
        distance = measure([pair])[pair.name]
        noise = noise_of(pair, distance, alpha=0.05, replicates=1000, rng=np.random.default_rng(0))
        floors.append(noise.floor)
        widths.append(noise.interval[1] - noise.interval[0])
        assert noise.interval[0] <= distance <= noise.interval[1]
    assert floors == sorted(floors, reverse=True)
    assert widths == sorted(widths, reverse=True)


def test_the_same_seed_gives_the_same_noise():
    pair = Pair(number(RNG.normal(size=900)), number(RNG.normal(size=900)))
    one, two = (noise_of(pair, 0.01, alpha=0.05, replicates=1000, rng=np.random.default_rng(7)) for _ in range(2))
    assert one == two


ALPHA = 0.05
TRIALS = 400
REPLICATES = 500
NO_MORE_THAN = ALPHA + 2.33 * math.sqrt(ALPHA * (1 - ALPHA) / TRIALS)  # in 99 of 100 repetitions of a test


@pytest.mark.simulation
@pytest.mark.parametrize("sizes", [(1000, 1000), (20_000, 5000)], ids=["small", "large"])
@pytest.mark.parametrize("shape", [name for name in SHAPES if name != "constant"])
def test_equal_distributions_exceed_the_floor_no_more_often_than_alpha(shape, sizes):
    rng, exceeded = np.random.default_rng(11), 0
    kind = "int" if shape == "whole ages" else "float"
    for _ in range(TRIALS):
        pair = Pair(*(number(SHAPES[shape](rng, n), kind=kind) for n in sizes))
        distance = float(jensen_shannon(*number_cells(pair).shares))
        exceeded += distance > noise_of(pair, distance, alpha=ALPHA, replicates=REPLICATES, rng=rng).floor
    assert exceeded / TRIALS <= NO_MORE_THAN


@pytest.mark.simulation
@pytest.mark.parametrize("k", [2, 20, 200])
def test_equal_categories_exceed_the_floor_no_more_often_than_alpha(k):
    rng = np.random.default_rng(12)
    shares, exceeded = rng.dirichlet(np.ones(k)), 0
    for _ in range(TRIALS):
        sides = [dict(zip(map(str, range(k)), rng.multinomial(n, shares).tolist(), strict=True)) for n in (4000, 1500)]
        pair = Pair(*(category({value: count for value, count in side.items() if count}) for side in sides))
        _, *counts = aligned_counts(pair)
        distance = float(l_infinity(counts[0] / counts[0].sum(), counts[1] / counts[1].sum()))
        exceeded += distance > noise_of(pair, distance, alpha=ALPHA, replicates=REPLICATES, rng=rng).floor
    assert exceeded / TRIALS <= NO_MORE_THAN


@pytest.mark.simulation
def test_a_shift_beyond_the_limit_is_proven_and_its_interval_covers():
    """Half a standard deviation at 5,000 rows a side: the low end of the interval is above 0.02 in 9 of 10 trials."""
    rng, proven, covered = np.random.default_rng(13), 0, 0
    big = Pair(number(rng.normal(size=2_000_000)), number(rng.normal(0.5, 1, size=2_000_000)))
    truth = float(jensen_shannon(*number_cells(big).shares))
    for _ in range(200):
        pair = Pair(number(rng.normal(size=5000)), number(rng.normal(0.5, 1, size=5000)))
        distance = float(jensen_shannon(*number_cells(pair).shares))
        low, high = noise_of(pair, distance, alpha=ALPHA, replicates=REPLICATES, rng=rng).interval
        proven += low > 0.02
        covered += low <= truth <= high
    assert proven / 200 >= 0.9
    assert covered / 200 >= 0.92
