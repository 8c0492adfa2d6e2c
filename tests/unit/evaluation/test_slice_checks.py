from __future__ import annotations

import math

import pytest

from gauntlet.evaluation.fairness import Demand
from gauntlet.evaluation.metrics import resolve
from gauntlet.evaluation.slice_checks import Measured, judge
from gauntlet.evaluation.slices import Slice
from gauntlet.verdict import Status

RATE, AUC, RECALL = resolve(["selection_rate", "auc", "true_positive_rate"], "binary")
CODE = "evaluate_slices.demographic_parity"
GAP = Demand("demographic_parity", RATE, "gap", -0.1, 0.1, code=CODE)
WOMEN = Slice("sex", "Female")


def measured(value: float, low: float, high: float, sides: tuple[float, float] = (0.234, 0.355)) -> Measured:
    return Measured(WOMEN, "the rest", value, (low, high), sides, rows=5000)


@pytest.mark.parametrize(
    ("value", "interval", "status"),
    [
        (-0.121, (-0.134, -0.108), Status.FAIL),
        (0.121, (0.108, 0.134), Status.FAIL),
        (0.02, (-0.01, 0.05), Status.PASS),
        (0.08, (0.05, 0.12), Status.INCONCLUSIVE),
        (0.0, (-0.12, 0.12), Status.INCONCLUSIVE),
        (math.nan, (math.nan, math.nan), Status.INCONCLUSIVE),
    ],
)
def test_a_gap_fails_on_either_side_and_passes_between(value, interval, status) -> None:
    assert judge(GAP, measured(value, *interval), 0.95).check.status is status


def test_the_sentence_says_who_how_much_how_sure_and_what_is_allowed() -> None:
    check = judge(GAP, measured(-0.121, -0.134, -0.108), 0.95).check
    assert check.name == "sex=Female: demographic_parity"
    assert check.reason == (
        "sex=Female: selection rate is 12.1 points lower than for the rest (23.4% against 35.5%; "
        "95% interval −13.4 to −10.8 points), more than the 10 points allowed."
    )
    assert (check.bound, check.direction) == (-0.1, "min")


def test_doubt_says_how_many_rows_would_end_it() -> None:
    check = judge(GAP, measured(0.08, 0.04, 0.12), 0.95).check
    assert check.rows_needed == pytest.approx(50_700, rel=0.002)
    assert "about 51,000 rows of this slice would tell" in check.reason


def test_a_worse_metric_fails_and_a_better_one_passes() -> None:
    worse = Demand("auc", AUC, "gap", low=-0.05, code=CODE)
    assert judge(worse, measured(-0.08, -0.1, -0.06), 0.95).check.status is Status.FAIL
    assert judge(worse, measured(0.08, 0.06, 0.1), 0.95).check.status is Status.PASS


def test_ratios_and_levels() -> None:
    ratio = Demand("demographic_parity (ratio)", RATE, "ratio", 0.8, 1.25, code=CODE)
    found = judge(ratio, measured(0.5, 0.46, 0.55), 0.95)
    assert found.check.status is Status.FAIL
    assert "is 0.500 times that of the rest" in found.check.reason
    least = Demand("auc (least)", AUC, "level", low=0.7, code=CODE)
    level = judge(least, Measured(WOMEN, "", 0.8, (0.75, 0.85), (0.8, math.nan), 100), 0.95)
    assert level.check.status is Status.PASS
    assert level.check.name == "sex=Female: auc (least)"
    undefined = judge(least, Measured(WOMEN, "", math.nan, (math.nan,) * 2, (math.nan,) * 2, 100), 0.95)
    assert undefined.check.status is Status.INCONCLUSIVE


OPPORTUNITY = Demand("equal_opportunity", RECALL, "gap", -0.1, 0.1, code="evaluate_slices.equal_opportunity")


def found_by(support: float, *, clustered: bool = False) -> Measured:
    return Measured(WOMEN, "the rest", -0.91, (-0.95, -0.6), (0.0, 0.91), 400, support, clustered)


def test_on_too_few_positives_a_rate_is_reported_and_not_judged() -> None:
    assert judge(OPPORTUNITY, found_by(20), 0.95, min_support=20).check.status is Status.FAIL
    check = judge(OPPORTUNITY, found_by(19), 0.95, min_support=20).check
    assert (check.status, check.code) == (Status.INCONCLUSIVE, "evaluate_slices.low_support")
    assert check.name == "sex=Female: equal_opportunity"
    assert check.reason == (
        "sex=Female: true-positive rate is 91 points lower than for the rest (0% against 91%; 95% interval −95 to −60 "
        "points), on 19 positives; fewer than 20 are reported and not judged."
    )
    assert (check.measured, check.interval, check.rows_needed) == (-0.91, (-0.95, -0.6), 422)


def test_what_would_pass_is_not_judged_either_and_levels_and_ratios_neither() -> None:
    wide = Demand("equal_opportunity", RECALL, "gap", -0.99, 0.99, code=CODE)
    ratio = Demand("equal_opportunity (ratio)", RECALL, "ratio", 0.8, 1.25, code=CODE)
    level = Demand("auc (least)", AUC, "level", low=0.7, code=CODE)
    for demand in (wide, ratio, level):
        check = judge(demand, found_by(7), 0.95, min_support=20).check
        assert (check.status, check.code) == (Status.INCONCLUSIVE, "evaluate_slices.low_support")
        assert "on 7 " in check.reason


def test_effective_numbers_and_clusters_are_called_so() -> None:
    weighted = judge(OPPORTUNITY, found_by(12.4), 0.95, min_support=20).check
    assert "on effectively 12 positives; fewer" in weighted.reason
    clustered = judge(OPPORTUNITY, found_by(12, clustered=True), 0.95, min_support=20).check
    assert "on 12 clusters of positives; fewer" in clustered.reason


def test_what_is_undefined_says_so_and_not_that_it_has_few_rows() -> None:
    nowhere = Measured(WOMEN, "the rest", math.nan, (math.nan,) * 2, (math.nan, 0.9), 400, 0.0)
    check = judge(OPPORTUNITY, nowhere, 0.95, min_support=20).check
    assert check.code == "evaluate_slices.equal_opportunity"
    assert "undefined without positives" in check.reason


def test_severity_is_one_at_the_limit() -> None:
    assert judge(GAP, measured(-0.1, -0.2, 0.0), 0.95).severity == pytest.approx(1)
    ratio = Demand("r", RATE, "ratio", 0.8, 1.25, code=CODE)
    assert judge(ratio, measured(1.25, 1.0, 1.5), 0.95).severity == pytest.approx(1)
    assert judge(GAP, measured(math.nan, 0, 0), 0.95).severity == -math.inf
