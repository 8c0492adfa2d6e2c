from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from gauntlet.features.diagnosis import Kind, diagnose_numbers, diagnose_texts
from hypothesis_profiles import examples

LINES = {Kind.NORMALIZATION, Kind.UNIT, Kind.SHIFT, Kind.SIGN, Kind.NOISE}
slopes = st.floats(1e-4, 1e4).flatmap(lambda size: st.sampled_from([size, -size]))
intercepts = st.floats(-1e4, 1e4)
seeds = st.integers(0, 2**31)
shapes = st.sampled_from(["normal", "lognormal", "uniform", "mostly zero", "integers"])


def column(shape: str, seed: int, rows: int = 400) -> np.ndarray:
    rng = np.random.default_rng(seed)
    made = {
        "normal": lambda: rng.normal(50, 12, rows),
        "lognormal": lambda: rng.lognormal(8, 1, rows),
        "uniform": lambda: rng.uniform(-1, 1, rows),
        "mostly zero": lambda: np.where(rng.random(rows) < 0.9, 0.0, rng.lognormal(8, 1, rows)),
        "integers": lambda: rng.integers(18, 80, rows).astype(float),
    }
    return made[shape]()


INCOME = column("lognormal", 1, 3_000)


@given(shape=shapes, slope=slopes, intercept=intercepts, seed=seeds)
@examples(150)
def test_any_line_is_recovered_within_one_percent(shape: str, slope: float, intercept: float, seed: int) -> None:
    stored = column(shape, seed)
    found = diagnose_numbers(stored, slope * stored + intercept)
    assert found.kind in LINES
    assert found.slope == pytest.approx(slope, rel=1e-4)
    assert found.intercept == pytest.approx(intercept, rel=0.01, abs=1e-4 * abs(slope) * stored.std())


@given(shape=shapes, slope=slopes, intercept=intercepts, seed=seeds)
@examples(60)
def test_the_order_of_rows_does_not_matter(shape: str, slope: float, intercept: float, seed: int) -> None:
    stored = column(shape, seed)
    new = slope * stored + intercept
    order = np.random.default_rng(seed).permutation(len(stored))
    assert diagnose_numbers(stored[order], new[order]) == diagnose_numbers(stored, new)


@given(unit=st.floats(1e-3, 1e3), slope=slopes, intercept=st.floats(-50, 50), seed=seeds)
@examples(60)
def test_stored_values_in_another_unit_change_the_slope_alone(
    unit: float, slope: float, intercept: float, seed: int
) -> None:
    stored = column("normal", seed)
    new = slope * stored + intercept
    first, second = diagnose_numbers(stored, new), diagnose_numbers(unit * stored, new)
    assert first.slope is not None
    assert second.slope is not None
    assert second.slope * unit == pytest.approx(first.slope, rel=1e-4)
    assert second.explained == pytest.approx(first.explained)


def normalized_but_for(off: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """400 values, and the same normalized but for so many of them, which lie far from the line."""
    stored = column("lognormal", seed)
    new = (stored - 4_000) / 900
    new[np.random.default_rng([seed, off]).permutation(len(stored))[:off]] = 1e6
    return stored, new


@given(seed=seeds, off=st.integers(0, 20))
@example(seed=703613, off=20)
@examples(40)
def test_a_twentieth_of_the_rows_off_the_line_does_not_hide_it(seed: int, off: int) -> None:
    found = diagnose_numbers(*normalized_but_for(off, seed))
    assert found.kind is Kind.NORMALIZATION
    assert found.slope == pytest.approx(1 / 900, rel=0.01)
    assert found.explained == pytest.approx(1 - off / 400)


@given(seed=seeds, off=st.integers(21, 100))
@example(seed=703613, off=22)
@examples(40)
def test_more_rows_off_the_line_do(seed: int, off: int) -> None:
    assert diagnose_numbers(*normalized_but_for(off, seed)).kind not in LINES


@pytest.mark.parametrize(
    ("new", "kind"),
    [
        pytest.param(INCOME * 1000, Kind.UNIT, id="unit"),
        pytest.param(INCOME + 17, Kind.SHIFT, id="shift"),
        pytest.param(-INCOME, Kind.SIGN, id="sign"),
        pytest.param((INCOME - 3000) / 1200, Kind.NORMALIZATION, id="normalization"),
        pytest.param(np.round(INCOME, 0), Kind.NOISE, id="rounding"),
        pytest.param(np.log(INCOME), Kind.MONOTONE, id="log"),
        pytest.param(np.random.default_rng(0).permutation(INCOME), Kind.DIFFERENT, id="shuffled"),
        pytest.param(np.full(len(INCOME), 3.0), Kind.CONSTANT, id="constant"),
    ],
)
def test_each_relation_has_its_name(new: np.ndarray, kind: Kind) -> None:
    assert diagnose_numbers(INCOME, new).kind is kind


@pytest.mark.parametrize(
    ("new", "function"),
    [
        pytest.param(np.log(INCOME), "log", id="log"),
        pytest.param(3 * np.log1p(INCOME) - 2, "log(1 + x)", id="log1p"),
        pytest.param(np.sqrt(INCOME), "square root", id="root"),
        pytest.param(1 / INCOME, "reciprocal", id="reciprocal"),
        pytest.param(np.argsort(np.argsort(INCOME)) / len(INCOME), "rank", id="rank"),
        pytest.param(np.digitize(INCOME, [1000, 3000, 9000]).astype(float), "binned into 4 values", id="bins"),
    ],
)
def test_well_known_functions_are_named(new: np.ndarray, function: str) -> None:
    found = diagnose_numbers(INCOME, new)
    assert (found.kind, found.function) == (Kind.MONOTONE, function)


@pytest.mark.parametrize(
    ("new", "words"),
    [
        pytest.param((INCOME - INCOME.mean()) / INCOME.std(), "mean and standard deviation", id="standardized"),
        pytest.param((INCOME - INCOME.min()) / np.ptp(INCOME), "smallest value and range", id="scaled to 0-1"),
    ],
)
def test_a_scaling_by_the_values_own_statistics_is_recognised(new: np.ndarray, words: str) -> None:
    found = diagnose_numbers(INCOME, new)
    assert (found.kind, found.scaled) == (Kind.NORMALIZATION, words)


def test_codes_that_are_renumbered_are_relabelled_and_the_map_is_shown() -> None:
    stored = np.tile([101.0, 205.0, 310.0, 420.0], 50)
    new = np.tile([3.0, 0.0, 1.0, 2.0], 50)
    found = diagnose_numbers(stored, new, codes=True)
    assert (found.kind, found.function) == (Kind.RELABELLED, "one to one")
    assert set(found.mapping) == {("101", "3"), ("205", "0"), ("310", "1"), ("420", "2")}


def test_two_values_lie_on_every_line_and_are_called_relabelled() -> None:
    assert diagnose_numbers(np.tile([0.0, 1.0], 50), np.tile([1.0, 0.0], 50)).kind is Kind.RELABELLED


@pytest.mark.parametrize(
    ("stored", "new", "kind"),
    [
        pytest.param([], [], Kind.UNDECIDED, id="nothing"),
        pytest.param([1.0, 2.0], [3.0, 5.0], Kind.UNDECIDED, id="two rows"),
        pytest.param([np.nan, np.inf, 1.0, 2.0], [1.0, 1.0, np.nan, 2.0], Kind.UNDECIDED, id="not finite"),
        pytest.param([4.0] * 9, [7.0] * 9, Kind.CONSTANT, id="a constant became another"),
        pytest.param([4.0] * 9, list(range(9)), Kind.DIFFERENT, id="a constant became values"),
        pytest.param([1e200, 2e200, 3e200, 1.0], [1.0, 2.0, 3.0, 4.0], Kind.UNDECIDED, id="beyond all measure"),
    ],
)
def test_degenerate_columns_are_defined(stored: list[float], new: list[float], kind: Kind) -> None:
    assert diagnose_numbers(np.array(stored, dtype=float), np.array(new, dtype=float)).kind is kind


@given(
    mapping=st.dictionaries(st.sampled_from("abcdefgh"), st.sampled_from("uvwxyz"), min_size=2),
    seed=seeds,
)
@examples(80)
def test_a_map_between_categories_is_recovered(mapping: dict[str, str], seed: int) -> None:
    assume(len(set(mapping.values())) > 1)
    keys = sorted(mapping)
    stored = [*keys, *np.random.default_rng(seed).choice(keys, 200).tolist()]
    found = diagnose_texts(stored, [mapping[one] for one in stored])
    assert found.kind is Kind.RELABELLED
    assert dict(found.mapping) == mapping
    assert found.function == ("one to one" if len(set(mapping.values())) == len(mapping) else "many to one")


def test_texts_without_a_map_mean_something_else() -> None:
    rng = np.random.default_rng(0)
    assert (
        diagnose_texts(rng.choice(list("ab"), 300).tolist(), rng.choice(list("xy"), 300).tolist()).kind
        is Kind.DIFFERENT
    )


def test_texts_that_become_one_value_are_constant() -> None:
    assert diagnose_texts(["a", "b", "c"] * 20, ["x"] * 60).kind is Kind.CONSTANT


def test_too_few_texts_tell_nothing() -> None:
    assert diagnose_texts(["a"], ["b"]).kind is Kind.UNDECIDED
    assert diagnose_texts([f"id-{i}" for i in range(50)], [f"x-{i}" for i in range(50)]).kind is Kind.DIFFERENT
