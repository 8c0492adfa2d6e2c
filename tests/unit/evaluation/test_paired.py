import numpy as np
import pytest

from gauntlet.evaluation.paired import PairedCounts, mcnemar, score_limits


def limits(first_only: int, second_only: int, pairs: int, critical: float) -> tuple[float, float]:
    low, high = score_limits(*(np.array(float(value)) for value in (first_only, second_only, pairs, critical)))
    return float(low), float(high)


def test_no_discordant_pair_still_leaves_doubt():
    # With b = c = 0 the score equation has the closed solution z² / (n + z²).
    c2 = 1.96**2
    low, high = limits(0, 0, 50, 1.96)
    assert (low, high) == pytest.approx((-c2 / (50 + c2), c2 / (50 + c2)), abs=1e-9)


def test_a_limit_at_no_difference_is_where_mcnemars_statistic_is_critical():
    # At a difference of 0 the restricted variance is (b + c) / n², and the statistic McNemar's.
    critical = (16 - 10) / 26**0.5
    low, high = limits(10, 16, 166, critical)
    assert high == pytest.approx(0.0, abs=1e-9)
    assert low < (10 - 16) / 166


def test_exact_mcnemar_by_hand():
    # Two-sided binomial of 1 in 6 at one half: 2 · (1 + 6) / 64.
    assert mcnemar(PairedCounts(5, 1, 5, 5)) == pytest.approx(14 / 64)
    assert mcnemar(PairedCounts(5, 0, 0, 5)) == 1.0
