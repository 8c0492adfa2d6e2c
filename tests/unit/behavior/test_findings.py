"""From counts to a status and a sentence."""

from __future__ import annotations

import numpy as np
import pytest

from builders.behavior import rule_of
from gauntlet.behavior.findings import RULE, judge_rule, untried_rule
from gauntlet.behavior.policy import BehaviorPolicy
from gauntlet.behavior.trial import Trial
from gauntlet.errors import DataError
from gauntlet.verdict import Status


def check(failures: int, units: int, *, rules: int = 1, limit: float | None = None, clustered=False, matched=None):
    trial = Trial(matched or units, units, units, units, failures, failures, clustered, np.zeros(units), ())
    more = {} if limit is None else {"max_failures": limit}
    rule = rule_of(change=[{"add": {"column": "late", "by": 1}}], **more)
    return judge_rule(rule, trial, BehaviorPolicy(), rules=rules).check


@pytest.mark.parametrize(
    ("failures", "units", "status"),
    [
        (0, 299, Status.PASS),
        (0, 298, Status.INCONCLUSIVE),
        (2, 3, Status.FAIL),
        (1, 101, Status.INCONCLUSIVE),
        (0, 1, Status.INCONCLUSIVE),
        (1, 1, Status.FAIL),
        (5, 2000, Status.PASS),
        (60, 2000, Status.FAIL),
        (22, 2000, Status.INCONCLUSIVE),
    ],
)
def test_the_whole_interval_decides_and_not_the_rate(failures, units, status):
    """299 is the classical number for 1 % at 95 %: 0.99^299 < 0.05 < 0.99^298."""
    found = check(failures, units)
    assert found.status is status
    assert found.interval is not None
    assert found.interval[0] <= failures / units <= found.interval[1]
    assert (found.rows_needed is not None) == (status is Status.INCONCLUSIVE)
    assert found.direction == "max"
    assert found.bound == 0.01


def test_the_lower_end_shares_the_error_between_the_rules_and_the_upper_end_does_not():
    alone, among = check(10, 400), check(10, 400, rules=40)
    assert alone.interval is not None
    assert among.interval is not None
    assert among.interval[0] < alone.interval[0]
    assert among.interval[1] == alone.interval[1]
    assert alone.status is Status.FAIL
    assert among.status is Status.INCONCLUSIVE


def test_a_rules_own_limit_counts():
    assert check(20, 400).status is Status.FAIL
    assert check(20, 400, limit=0.1).status is Status.PASS


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (check(5, 2000), "a rule: 5 of 2,000 rows (0.25%) break it; at 95% confidence at most 0.52% do, within"),
        (check(60, 2000, clustered=True), "60 of 2,000 clusters (3%) break it; at 95% confidence at least 2.4% do"),
        (check(0, 50), "as many as 5.8% may, and 1% is allowed; about 920 rows would tell."),
        (check(0, 50, matched=900), "about 920 rows would tell, and policy.max_rows lets no more be tried."),
        (check(1, 100), "as many as 4.7% may, and 1% is allowed; about 2,200 rows would tell."),
    ],
)
def test_sentences(found, words):
    assert words in found.reason


def test_a_change_that_changed_nothing_is_an_error():
    trial = Trial(70, 60, 0, 0, 0, 0, False, np.empty(0), ())
    rule = rule_of(change=[{"add": {"column": "late", "by": 1}}])
    found = judge_rule(rule, trial, BehaviorPolicy(), rules=1).check
    assert found.status is Status.ERROR
    assert "the change left all 60 matching rows as they were, so nothing was tried." in found.reason


def test_what_the_model_would_not_answer_is_an_error():
    refusal = DataError("the model failed to score", field="model", mend="Try it")
    found = untried_rule(rule_of(change=[{"add": {"column": "late", "by": 1}}]), refusal)
    assert (found.check.status, found.check.code, found.check.subject) == (Status.ERROR, RULE, "a rule")
    assert found.sentence == "could not be checked: model: the model failed to score. Try it."
    assert found.check.reason == f"a rule: {found.sentence}"
