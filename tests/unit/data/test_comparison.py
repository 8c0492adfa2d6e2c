"""Shares of one column held against their limits: exact error rates of few rows, and whether the rows named decide."""

from __future__ import annotations

import numpy as np
import pytest

from gauntlet.data.comparison import _missing_check, _Sides, _unseen_check
from gauntlet.data.profile import Profile
from gauntlet.verdict import Check, Status

NAMES = ("training", "serving")
TRAINING = 20_000


def category(known: int, unseen: int) -> Profile:
    """A sample in which so many values are of a category that training has, and so many of another."""
    rows = known + unseen
    counts = {value: count for value, count in (("known", known), ("unseen", unseen)) if count}
    return Profile(
        "c", "string", rows, rows, True, values=tuple(counts), counts=np.array(list(counts.values()), dtype=float)
    )


def unseen_check(rows: int, unseen: int, *, alpha: float, limit: float = 0.01) -> Check:
    sides = _Sides("c", category(TRAINING, 0), category(rows - unseen, unseen), "serving", NAMES)
    (check,) = _unseen_check(sides, limit, alpha)
    return check


def missing_check(before: tuple[int, int], after: tuple[int, int], *, alpha: float, limit: float = 0.05) -> Check:
    """Each sample as (rows without a value, rows)."""
    profiles = [Profile("x", "float", rows, rows - missing, categorical=False) for missing, rows in (before, after)]
    return _missing_check(_Sides("x", *profiles, "serving", NAMES), limit, alpha)


def chances(rows: int, share: float) -> np.ndarray:
    """Of 0, 1, … hits in a binomial sample, shape (rows + 1,); by recurrence, for there is no SciPy beside TFDV."""
    steps = np.log([share / (1 - share) * (rows - hits) / (hits + 1) for hits in range(rows)])
    return np.exp(rows * np.log1p(-share) + np.concatenate([[0.0], np.cumsum(steps)]))


@pytest.mark.parametrize("columns", [1, 10, 30])
@pytest.mark.parametrize("rows", [5, 10, 20, 50, 200])
def test_unseen_categories_within_the_limit_fail_no_more_often_than_alpha(rows, columns):
    alpha = 0.05 / columns
    statuses = [unseen_check(rows, unseen, alpha=alpha).status for unseen in range(min(rows, 25) + 1)]
    failed = np.array([status is Status.FAIL for status in statuses])
    assert failed.any()
    for share in (0.002, 0.005, 0.01):
        assert chances(rows, share)[: len(failed)][failed].sum() <= alpha / 2


@pytest.mark.parametrize("columns", [1, 10, 30])
@pytest.mark.parametrize("rows", [5, 50, 400, 1500])
def test_unseen_categories_beyond_the_limit_pass_no_more_often_than_alpha(rows, columns):
    alpha = 0.05 / columns
    passed = np.array([unseen_check(rows, unseen, alpha=alpha).status is Status.PASS for unseen in range(4)])
    assert chances(rows, 0.0101)[:4][passed].sum() <= alpha / 2


def test_one_unseen_value_among_five_rows_proves_nothing():
    check = unseen_check(5, 1, alpha=0.05)
    assert check.status is Status.INCONCLUSIVE
    assert check.reason.endswith("never seen in training; allowed: 1.0%. These rows cannot tell.")


def test_a_few_rows_without_an_unseen_category_do_not_show_that_there_is_none():
    few, many = unseen_check(5, 0, alpha=0.05), unseen_check(368, 0, alpha=0.05)
    assert (few.status, few.rows_needed) == (Status.INCONCLUSIVE, 368)
    assert many.status is Status.PASS


def test_where_no_unseen_category_is_allowed_these_rows_decide():
    assert unseen_check(5, 0, alpha=0.05, limit=0.0).status is Status.PASS
    assert unseen_check(5, 1, alpha=0.05, limit=0.0).status is Status.FAIL


@pytest.mark.parametrize("missing", [0.02, 0.1, 0.3, 0.5])
def test_the_rows_named_for_missing_values_decide(missing):
    """Three points more than in training, of five allowed: what was named was 369 rows, which decided in 0 to 33 %."""
    before = (round(missing * TRAINING), TRAINING)
    rows = missing_check(before, (round((missing + 0.03) * 200), 200), alpha=0.05).rows_needed
    found = chances(rows, missing + 0.03)
    likely = np.flatnonzero(found > 1e-4)
    decided = [
        missing_check(before, (int(hits), rows), alpha=0.05).status is not Status.INCONCLUSIVE for hits in likely
    ]
    assert found[likely][np.array(decided)].sum() >= 0.6


def test_no_rows_are_named_where_the_training_rows_are_too_few():
    assert missing_check((10, 100), (130, 1000), alpha=0.05).rows_needed is None


@pytest.mark.parametrize("rows", [5, 10, 20])
def test_missing_values_in_few_rows_fail_no_more_often_than_alpha(rows):
    for missing in (0.01, 0.1, 0.3, 0.5):
        before = (round(missing * TRAINING), TRAINING)
        for alpha in (0.05, 0.005):
            failed = np.array(
                [missing_check(before, (hits, rows), alpha=alpha).status is Status.FAIL for hits in range(rows + 1)]
            )
            assert chances(rows, missing + 0.05)[failed].sum() <= alpha
