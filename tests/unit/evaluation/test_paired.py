import pytest

from gauntlet.evaluation.paired import PairedCounts, mcnemar, score_interval, score_test


def test_no_discordant_pair_still_leaves_doubt():
    # With b = c = 0 the score equation has the closed solution z² / (n + z²).
    c2 = 1.96**2
    low, high = score_interval(PairedCounts(50, 0, 0, 0), 1.96)
    assert (low, high) == pytest.approx((-c2 / (50 + c2), c2 / (50 + c2)), abs=1e-9)


def test_the_interval_inverts_the_test():
    counts = PairedCounts(60, 10, 16, 80)
    low, _ = score_interval(counts, 1.6448536269514722)
    assert score_test(counts, -low)[1] == pytest.approx(0.05, abs=1e-8)


def test_without_a_margin_it_is_mcnemars_statistic():
    counts = PairedCounts(60, 10, 16, 80)
    assert score_test(counts, 0.0)[0] == pytest.approx((10 - 16) / 26**0.5)


def test_exact_mcnemar_by_hand():
    # Two-sided binomial of 1 in 6 at one half: 2 · (1 + 6) / 64.
    assert mcnemar(PairedCounts(5, 1, 5, 5)) == pytest.approx(14 / 64)
    assert mcnemar(PairedCounts(5, 0, 0, 5)) == 1.0
