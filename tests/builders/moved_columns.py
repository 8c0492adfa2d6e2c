"""Columns before and after, as profiles, and what the skew gate decides of their distance, without TFDV."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from gauntlet.data.comparators import Pair, aligned_counts, number_cells
from gauntlet.data.comparison import _decide
from gauntlet.data.distance import jensen_shannon, l_infinity
from gauntlet.data.noise import Noise, noise_of
from gauntlet.data.profile import Profile
from gauntlet.verdict import Status

LIMIT = 0.05
Law = Callable[[np.random.Generator, int], np.ndarray]
NUMBERS: Mapping[str, Law] = {
    "lognormal": lambda rng, rows: rng.lognormal(10.6, 0.4, rows),
    "whole numbers": lambda rng, rows: rng.integers(18, 80, rows).astype(float),
    "mostly zero": lambda rng, rows: np.where(rng.random(rows) < 0.6, 0.0, rng.lognormal(0, 1, rows)),
    "nearly all zero": lambda rng, rows: np.where(rng.random(rows) < 0.95, 0.0, rng.lognormal(0, 1, rows)),
    "small counts": lambda rng, rows: rng.poisson(2, rows).astype(float),
    "rounded": lambda rng, rows: np.round(rng.lognormal(5, 1, rows), -1),
    "heavy tails": lambda rng, rows: rng.standard_cauchy(rows),
    "constant": lambda rng, rows: np.ones(rows),
    "five grades": lambda rng, rows: rng.choice([1.0, 2, 3, 4, 5], rows, p=[0.05, 0.1, 0.2, 0.4, 0.25]),
    "a heap": lambda rng, rows: np.where(rng.random(rows) < 0.15, 3.0, rng.normal(0, 5, rows)),
    "days": lambda rng, rows: 1.7e9 + 86_400 * np.floor(90 * rng.random(rows)),
}
CATEGORIES: Mapping[str, np.ndarray] = {
    "three": np.array([0.5, 0.3, 0.2]),
    "one rare": np.array([0.99, 0.01]),
    "ten alike": np.full(10, 0.1),
    "fifty": (1 / np.arange(1, 51)) / (1 / np.arange(1, 51)).sum(),
}


def number(values: np.ndarray) -> Profile:
    """A profile as TFDV's quantiles make it: the k-th of 100 is the value of rank floor(k n / 100)."""
    ordered = np.sort(values)
    ranks = np.minimum(np.arange(101) * len(ordered) // 100, len(ordered) - 1)
    return Profile("x", "float", len(ordered), len(ordered), categorical=False, edges=ordered[ranks])


def category(counts: np.ndarray) -> Profile:
    """A profile of categories c0, c1, … of which so many rows are."""
    there = np.flatnonzero(counts)
    there = there[np.argsort(-counts[there], kind="stable")]
    names = tuple(f"c{position}" for position in there)
    rows = int(counts.sum())
    return Profile("x", "string", rows, rows, categorical=True, values=names, counts=counts[there].astype(float))


def sample(law: str, rng: np.random.Generator, rows: int) -> Profile:
    """A sample of one of the laws above."""
    if law in NUMBERS:
        return number(NUMBERS[law](rng, rows))
    return category(rng.multinomial(rows, CATEGORIES[law]))


def measured(pair: Pair) -> float:
    """The distance, as TFDV measures it."""
    if not pair.before.categorical:
        return float(jensen_shannon(*number_cells(pair).shares))
    _, *counts = aligned_counts(pair)
    return float(l_infinity(counts[0] / counts[0].sum(), counts[1] / counts[1].sum()))


def judge(
    before: Profile, after: Profile, *, alpha: float, seed: int, replicates: int = 2_000
) -> tuple[Status, float, Noise]:
    """What is decided, of which distance, beside which noise."""
    pair = Pair(before, after)
    distance = measured(pair)
    noise = noise_of(pair, distance, alpha=alpha, replicates=replicates, rng=np.random.default_rng(seed))
    return _decide(noise, LIMIT), distance, noise
