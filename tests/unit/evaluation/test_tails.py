import numpy as np
import pytest

from gauntlet.evaluation.tails import (
    MOST_KEPT,
    Tail,
    degrees_of_freedom,
    fourth,
    joined,
    kept,
    largest_by_group,
    powers,
    tail_of,
)


def tail(values, number=None):
    """The tail of one sample, as arrays of one."""
    ordered = np.sort(values)[::-1][:MOST_KEPT]
    return Tail(*(np.array([part]) for part in tail_of(ordered, number or len(values))))


def products(u, v):
    return np.array([part.sum() for part in powers(u, v)])


def test_fourth_powers_of_influences_come_from_sums_of_products():
    rng = np.random.default_rng(1)
    u, v = rng.gamma(2, size=50), rng.gamma(3, size=50)
    ratio, total = u.sum() / v.sum(), v.sum()
    found = fourth(products(u, v), ratio, total)
    assert found == pytest.approx((((u - ratio * v) / total) ** 4).sum(), rel=1e-9)
    np.testing.assert_allclose(products(u, None), products(u, np.ones(50)))


def test_a_fourth_power_that_is_lost_in_rounding_is_unknown():
    u, v = np.full(50, 0.1) + 1e-9 * np.arange(50), np.ones(50)
    assert np.isnan(fourth(products(u, v), u.mean(), 50.0))


@pytest.mark.parametrize(
    ("influences", "expected"),
    [
        (np.random.default_rng(2).normal(size=200_000), 200_000),
        (np.where(np.arange(100_000) < 10, 1.0, 0.0), 20),
        (np.where(np.arange(100_000) < 1, 1.0, 0.0), 2),
        (np.random.default_rng(3).uniform(-1, 1, size=1000), 999),
    ],
    ids=["normal", "ten among zeros", "one among zeros", "at most one less than the units"],
)
def test_degrees_of_freedom_are_those_of_the_units_that_matter(influences, expected):
    concentration = (influences**4).sum() / (influences**2).sum() ** 2
    found = degrees_of_freedom(np.array([concentration]), np.array([float(len(influences))]))
    assert found[0] == pytest.approx(expected, rel=0.02)


def test_unknown_concentration_leaves_the_units():
    assert degrees_of_freedom(np.array([0.0, 0.0]), np.array([30.0, 0.0])).tolist() == [29.0, 0.0]


@pytest.mark.parametrize("index", [1.5, 2.5, 4.0])
def test_the_mean_of_an_unseen_share_is_found_for_a_pareto_tail(index):
    values = (1 - (np.arange(20_000) + 0.5) / 20_000) ** (-1 / index)
    share = 4 / 20_000
    expected = share ** (-1 / index) * index / (index - 1)
    found = tail(values).unseen(np.array([20_000.0]), np.array([share]))[0]
    assert expected * 0.98 < found < expected * 1.5, "a little heavier than estimated, never lighter"


def test_a_tail_without_a_mean_is_unbounded():
    values = (1 - (np.arange(500) + 0.5) / 500) ** -1.1
    assert np.isinf(tail(values).unseen(np.array([500.0]), np.array([0.01]))[0])


def test_what_was_seen_is_never_forgotten():
    values = np.append(np.ones(999), 50.0)
    assert tail(values).unseen(np.array([1000.0]), np.array([0.001]))[0] >= 50


def test_equal_losses_have_a_tail_that_ends_there():
    assert tail(np.full(100, 0.3)).unseen(np.array([100.0]), np.array([0.04]))[0] == pytest.approx(0.3)
    assert tail(np.zeros(100)).unseen(np.array([100.0]), np.array([0.04]))[0] == 0


@pytest.mark.parametrize("rows", [3000, 100_000])
def test_the_largest_of_groups_and_of_none_are_kept_and_join_as_if_they_were_one(rows):
    """Of 100,000 rows the small group's largest are not among the largest of all."""
    rng = np.random.default_rng(4)
    codes = np.where(rng.random(rows) < 0.02, -1, rng.integers(0, 2, size=rows))
    values = rng.normal(size=rows) - 5 * (codes == 1)
    ((first, second, none), (everything, nothing)) = largest_by_group(values, [codes, np.zeros(rows, int)], [2, 1])
    for code, part in ((0, first), (1, second), (-1, none)):
        assert part.tolist() == sorted(values[codes == code], reverse=True)[:MOST_KEPT]
    assert everything.tolist() == sorted(values, reverse=True)[:MOST_KEPT]
    assert joined([first, second, none]).tolist() == everything.tolist()
    assert (nothing.tolist(), joined([]).tolist()) == ([], [])


def test_more_rows_rest_on_more_of_their_largest():
    assert [kept(n) for n in (1, 50, 200, 2000, 10**7)] == [5, 8, 20, 102, MOST_KEPT - 1]
    assert np.isnan(tail_of(np.empty(0), 0)[0])
