from __future__ import annotations

import numpy as np
import pytest

from builders.loans import loans
from builders.predictions import scored
from gauntlet.errors import ConfigurationError, DataError
from gauntlet.evaluation.policies import SlicesPolicy
from gauntlet.evaluation.slices_gate import SlicesResult, judge_slices
from gauntlet.settings import parse
from gauntlet.verdict import Status

PARITY = {"fairness": {"demographic_parity": {"max_gap": 0.1}}}


def judge(rows, **policy) -> SlicesResult:
    return judge_slices(rows, parse(SlicesPolicy, policy, field="policy"))


def test_limits_that_nobody_wrote_are_measured_and_stop_nothing() -> None:
    data = loans(300)
    rows = scored(data.label, data.scores(1), slices=data.slices)
    found, written = judge(rows).verdict, judge(rows, performance={"accuracy": {"max_gap": 0.1}}).verdict
    assert found.status is Status.INCONCLUSIVE
    assert found.enforceable is Status.NOT_ASKED
    assert "defaults and stop nothing" in found.summary
    assert written.enforceable is written.status is Status.INCONCLUSIVE
    assert "defaults" not in written.summary


def test_two_slices_make_one_comparison_and_three_make_three() -> None:
    data = loans(3000)
    found = judge(scored(data.label, data.scores(1), slices=data.slices), columns=["sex", "race"], **PARITY)
    assert sorted(finding.measured.slice.name for finding in found.findings) == [
        "race=Asian",
        "race=Black",
        "race=White",
        "sex=Female",
    ]


def test_one_sided_demands_look_at_both_of_two_slices() -> None:
    data = loans(3000)
    found = judge(
        scored(data.label, data.scores(1), slices=data.slices), columns=["sex"], performance={"auc": {"max_gap": 0.1}}
    )
    assert len(found.findings) == 2


def test_the_gap_is_that_of_the_rows() -> None:
    data = loans(3000)
    score = data.scores(1)
    (finding,) = judge(scored(data.label, score, slices=data.slices), columns=["sex"], **PARITY).findings
    women = data.slices["sex"] == "Female"
    expected = (score[women] >= 0.5).mean() - (score[~women] >= 0.5).mean()
    assert finding.measured.value == pytest.approx(expected)
    assert finding.measured.interval[0] < expected < finding.measured.interval[1]


def test_rows_of_small_slices_still_count_among_the_rest() -> None:
    data = loans(3000, rare=50)
    score = data.scores(1)
    found = judge(scored(data.label, score, slices=data.slices), columns=["race"], **PARITY)
    white = data.slices["race"] == "White"
    (finding,) = (one for one in found.findings if one.measured.slice.level == "White")
    assert finding.measured.sides[1] == pytest.approx((score[~white] >= 0.5).mean())
    assert [row.slice.level for row in found.slices if not row.judged] == ["Other"]


def test_more_comparisons_widen_every_interval() -> None:
    data = loans(3000)
    rows = scored(data.label, data.scores(1), slices=data.slices)
    alone = judge(rows, columns=["sex"], **PARITY).findings[0]
    among = judge(rows, columns=["sex", "race", "age"], **PARITY).findings
    same = next(one for one in among if one.measured.slice == alone.measured.slice)
    width = [one.measured.interval[1] - one.measured.interval[0] for one in (alone, same)]
    assert width[1] > 1.1 * width[0]


def test_missing_values_are_a_slice() -> None:
    data = loans(3000)
    sex = data.slices["sex"].astype(object)
    sex[:500] = None
    found = judge(scored(data.label, data.scores(1), slices={"sex": sex}), **PARITY)
    assert {row.slice.level for row in found.slices} == {"Male", "Female", "(missing)"}


def test_small_clusters_make_a_slice_small() -> None:
    data = loans(3000)
    people = np.where(data.slices["sex"] == "Female", np.arange(3000) % 20, np.arange(3000) + 100)
    found = judge(scored(data.label, data.scores(1), slices=data.slices, clusters=people), columns=["sex"], **PARITY)
    assert found.verdict.status is Status.INCONCLUSIVE
    assert "sex=Female has 20 clusters" in found.verdict.checks[0].reason


def test_a_slice_where_a_rate_is_undefined_stays_open() -> None:
    data = loans(3000)
    label = np.where(data.slices["race"] == "Asian", 0.0, data.label)
    found = judge(
        scored(label, data.scores(1), slices=data.slices),
        columns=["race"],
        fairness={"equal_opportunity": {"max_gap": 0.5}},
    )
    (check,) = found.verdict.with_status(Status.INCONCLUSIVE)
    assert check.name == "race=Asian: equal_opportunity"
    assert "undefined without positives" in check.reason


def west(positives: int, found_there: int = 0):
    """Three thousand rows; 300 in the west with so many positives, of whom so many are found; 90 % elsewhere."""
    rng = np.random.default_rng(4)
    region = np.repeat(["west", "east"], [300, 2700])
    label = np.concatenate([np.arange(300) < positives, rng.random(2700) < 0.3]).astype(float)
    decided = rng.random(3000) < np.where(label == 1, 0.9, 0.05)
    decided[:positives] = np.arange(positives) < found_there
    return scored(label, np.where(decided, 0.8, 0.2), slices={"region": region})


OPPORTUNITY = {"fairness": {"equal_opportunity": {"max_gap": 0.1}}}


def test_a_slice_with_too_few_positives_is_reported_and_not_judged_by_its_true_positive_rate() -> None:
    judged, reported = (judge(west(number), **OPPORTUNITY) for number in (20, 19))
    assert judged.verdict.status is Status.FAIL
    assert reported.verdict.status is Status.INCONCLUSIVE
    check = reported.verdict.checks[0]
    assert (check.code, check.subject) == ("evaluate_slices.low_support", "region=west")
    assert "(0% against 89%;" in check.reason
    assert "on 19 positives" in reported.verdict.summary
    assert reported.verdict.facts["comparisons_low_support"] == 1
    assert reported.verdict.facts["slices_too_small"] == judged.verdict.facts["comparisons_low_support"] == 0
    assert judge(west(19), min_support=10, **OPPORTUNITY).verdict.status is Status.FAIL


def test_positives_do_not_matter_to_shares_of_all_rows() -> None:
    found = judge(west(3), performance={"accuracy": {"max_gap": 0.5}})
    assert found.verdict.status is Status.PASS


def test_a_reference_with_too_few_positives_judges_nobody() -> None:
    found = judge(west(12), reference={"region": "west"}, **OPPORTUNITY)
    (check,) = found.verdict.checks
    assert (check.code, check.subject) == ("evaluate_slices.low_support", "region=east")


def test_weights_make_rows_few() -> None:
    rows = west(25)
    weights = np.ones(3000)
    weights[:5] = 100.0
    found = judge(scored(rows.labels, rows.scores, slices=rows.columns, weights=weights), **OPPORTUNITY)
    assert "on effectively 5 positives" in found.verdict.checks[0].reason


def test_a_reference_too_small_is_an_error_and_an_unknown_one_is_refused() -> None:
    data = loans(3000, rare=20)
    rows = scored(data.label, data.scores(1), slices=data.slices)
    found = judge(rows, columns=["race"], reference={"race": "Other"}, **PARITY)
    assert found.verdict.status is Status.ERROR
    with pytest.raises(ConfigurationError, match=r"policy\.reference: is not sliced by"):
        judge(rows, columns=["sex"], reference={"race": "White"}, **PARITY)


def test_labels_of_one_class_are_refused_where_labels_count() -> None:
    data = loans(500)
    rows = scored(np.zeros(500), data.scores(1), slices={"sex": data.slices["sex"]})
    assert judge(rows, **PARITY).findings
    with pytest.raises(DataError, match="all 500 rows have the same label"):
        judge(rows, fairness={"equal_opportunity": {"max_gap": 0.1}})


def test_too_many_slices_are_refused() -> None:
    rng = np.random.default_rng(0)
    slices = {name: rng.integers(0, 40, 40_000).astype(str) for name in "ab"}
    rows = scored(rng.integers(0, 2, 40_000).astype(float), rng.random(40_000), slices=slices)
    with pytest.raises(ConfigurationError, match="Cross fewer columns"):
        judge(rows, crossings=[["a", "b"]], min_rows=10, **PARITY)


def test_a_column_may_be_called_as_crossings_are_written() -> None:
    data = loans(3000)
    rows = scored(data.label, data.scores(1), slices={"sex × race": data.slices["race"], "sex": data.slices["sex"]})
    found = judge(rows, reference={"sex × race": "White", "sex": "Male"}, **PARITY)
    assert {finding.measured.against for finding in found.findings} == {"sex × race=White", "sex=Male"}
    both = scored(data.label, data.scores(1), slices={**data.slices, "sex × race": data.slices["race"]})
    with pytest.raises(ConfigurationError, match=r"policy\.crossings: a column is called as this crossing would be"):
        judge(both, crossings=[["sex", "race"]], **PARITY)
