"""Bars of histograms: what is drawn between two edges is what lies between them."""

import numpy as np
import pytest

from gauntlet.data.profile import Profile
from gauntlet.data.value_counts import Tally
from gauntlet.reports.views.bins import DIVIDED, FAR_APART, INTERPOLATED, bins_of

RNG = np.random.default_rng(7)


def profile(values, kind: str = "float", *, counted: bool = True) -> Profile:
    values = np.asarray(values, dtype=float)
    tally = Tally()
    tally.add(values)
    edges = np.quantile(values, np.linspace(0, 1, 101)) if len(values) else np.empty(0)
    ends = (float(values.min()), float(values.max())) if len(values) else (np.nan, np.nan)
    return Profile(
        "x",
        kind,
        len(values),
        len(values),
        categorical=False,
        minimum=ends[0],
        maximum=ends[1],
        edges=edges,
        counted=tally.result() if counted else None,
    )


COLUMNS = {
    "hundredths": (RNG.normal(3.31, 0.15, 4000).round(2), "float"),
    "ages": (RNG.integers(17, 91, 4000), "int"),
    "many integers": (RNG.integers(0, 10**7, 4000), "int"),
    "quarters": (RNG.integers(0, 200, 4000) / 4, "float"),
    "normal": (RNG.normal(size=4000), "float"),
    "skewed": (np.exp(RNG.normal(0, 3, 4000)), "float"),
    "mostly zero": (np.where(RNG.random(4000) < 0.92, 0, RNG.gamma(2, 800, 4000).round()), "float"),
    "tiny": (RNG.normal(0, 1e-12, 4000), "float"),
    "no common step": (RNG.choice([0, 1 / 3, 1.7], 4000), "float"),
}


@pytest.mark.parametrize("name", COLUMNS)
def test_a_bar_shows_the_rows_between_its_edges(name):
    values, kind = COLUMNS[name]
    found = bins_of([profile(values, kind)])
    edges = np.array(found.edges)
    inner = edges[1:-1]
    inner = inner - 1e-12 * np.abs(inner)  # 3.15 lies on the edge 3.15 however both were computed
    expected = np.bincount(np.searchsorted(inner, values, side="right"), minlength=len(edges) - 1) / len(values)
    assert found.shares[0] == pytest.approx(expected, abs=1e-12)
    assert "Approximate" not in found.note
    assert 3 <= len(edges) - 1 <= 80


def test_two_charts_of_one_column_agree_on_what_lies_between_two_values():
    train, test = np.split(RNG.normal(3.31, 0.15, 3000).round(2), [2000])
    alone, pair = bins_of([profile(train)]), bins_of([profile(train), profile(test)])
    for found in (alone, pair):
        edges = np.array(found.edges)
        first, last = np.flatnonzero(np.isclose(edges, 3.1) | np.isclose(edges, 3.2))
        assert sum(found.shares[0][first:last]) == pytest.approx(((train >= 3.1) & (train < 3.2)).mean())


def test_few_values_have_a_bar_each():
    assert bins_of([profile([0, 1, 1, 1], "int")]).edges == (-0.5, 0.5, 1.5)
    found = bins_of([profile([0.0, 0.25, 0.25, 1.0])])
    assert found.edges == (-0.125, 0.125, 0.375, 0.625, 0.875, 1.125)
    assert found.shares == ((0.25, 0.5, 0, 0, 0.25),)


def test_bars_of_integers_hold_equally_many_of_them():
    found = bins_of([profile(np.arange(101), "int")])
    assert set(np.round(found.shares[0][:-1], 9)) == {round(5 / 101, 9)}
    assert found.edges[-2:] == (100, 105)


def test_what_lies_beyond_the_bars_is_said_by_side():
    middle = RNG.normal(size=2000)
    assert bins_of([profile([*middle, 500.0])]).note.endswith("(up to 500) are in the last bar.")
    both = bins_of([profile([*middle, 500.0, -900.0])]).note
    assert "(down to −900) are in the first bar" in both
    assert bins_of([profile(middle)]).note == ""


def test_what_is_only_estimated_says_so():
    assert bins_of([profile(RNG.normal(size=500), counted=False)]).note == INTERPOLATED
    fine, coarse = profile(RNG.normal(size=2000)), profile(RNG.normal(0, 1, 2000), counted=False)
    assert INTERPOLATED in bins_of([fine, coarse]).note
    apart = bins_of([profile(RNG.normal(size=2000)), profile(RNG.normal(1e6, 1e5, 2000))])
    assert apart.note == f"{FAR_APART} {DIVIDED}"


def test_a_data_set_without_values_has_bars_of_no_height():
    assert bins_of([profile([1.0, 2.0]), profile([])]).shares == ((0.5, 0.5), (0.0, 0.0))


def test_a_constant_is_one_bar_around_it():
    found = bins_of([profile(np.full(50, 3.3))])
    assert (found.edges, found.shares) == ((2.8, 3.8), ((1.0,),))
