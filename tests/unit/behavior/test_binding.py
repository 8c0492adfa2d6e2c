"""Names and types in a behavior file against a model and its data."""

from __future__ import annotations

import json
from typing import Any

import pytest

from builders.behavior import subject_of, suite_of
from gauntlet.behavior.binding import require_bound
from gauntlet.errors import ConfigurationError


def bind(section: str, one: dict[str, Any], task: str = "binary", threshold: float | None = None) -> None:
    suite = suite_of(json.dumps({section: [{"name": "a", **one}]}))
    require_bound(suite, subject_of(task=task, threshold=threshold))


def bind_change(change: dict[str, Any], **more: Any) -> None:
    bind("invariance", {"change": [change], "expect": {"max_change": 0.1}, **more})


CHANGE = "suite.invariance.0.change.0"


@pytest.mark.parametrize(
    ("change", "words", "mend"),
    [
        ({"add": {"column": "incom", "by": 1}}, f"{CHANGE}.add: no such column; found 'incom'", "'income'"),
        ({"add": {"column": "zzz", "by": 1}}, f"{CHANGE}.add: no such column", "The columns are: income, late"),
        ({"shuffle": {"columns": ["region"], "within": ["yaer"]}}, f"{CHANGE}.shuffle: no such column", "'year'"),
        ({"case": {"column": "income", "to": "upper"}}, "case changes text, and income is float", "text column"),
        ({"whitespace": {"column": "late"}}, "whitespace changes text, and late is int", "text column"),
        ({"typo": {"column": "member"}}, "typo changes text, and member is bool", "text column"),
        ({"add": {"column": "region", "by": 1}}, "add changes numbers, and region is string", "number column"),
        ({"noise": {"column": "member", "sd": 1}}, "noise changes numbers, and member is bool", "number column"),
        ({"add": {"column": "late", "by": 0.5}}, f"{CHANGE}.add.by: late holds whole numbers", "whole"),
        ({"noise": {"column": "late", "sd": 1, "min": 0.5}}, f"{CHANGE}.noise.min: late holds whole", "whole"),
        ({"set": {"column": "late", "to": "two"}}, f"{CHANGE}.set.to: is not of the column's type, int", "type int"),
        ({"set": {"column": "region", "to": 5}}, f"{CHANGE}.set.to: is not of the column's type", "quotes"),
        ({"swap": {"columns": ["income", "late"]}}, "income is float, late is int", "one type"),
        ({"set": {"column": "sex", "to": "female"}}, "the model does not read sex", "income, late, region, member"),
        ({"add": {"column": "year", "by": 1}}, "the rule would hold whatever the model does", "income"),
    ],
)
def test_a_change_that_cannot_be_made(change, words, mend):
    with pytest.raises(ConfigurationError) as caught:
        bind_change(change)
    assert words in str(caught.value)
    assert caught.value.mend
    assert mend in caught.value.mend


def test_an_unread_column_in_a_later_change_is_found_there():
    changes = [{"add": {"column": "late", "by": 1}}, {"set": {"column": "sex", "to": "female"}}]
    with pytest.raises(ConfigurationError, match=r"change.1.set: the model does not read sex"):
        bind("invariance", {"change": changes, "expect": {"max_change": 0.1}})


def test_columns_that_only_group_or_filter_need_not_be_read():
    bind_change({"shuffle": {"columns": ["region"], "within": ["sex"]}}, where="sex == 'female' and year > 2021")


@pytest.mark.parametrize(
    ("where", "words"),
    [
        ("incom > 3", "suite.invariance.0.where: reads a column that is not there"),
        ("region > 3", "combines types that do not go together"),
        ("income +", "is not an expression"),
        ("open('x')", "not part of the language"),
        ("income + 1", "is a number or text, not a condition"),
        ("1 > 0", "reads no column"),
    ],
)
def test_a_filter_that_cannot_be_evaluated(where, words):
    with pytest.raises(ConfigurationError) as caught:
        bind_change({"add": {"column": "late", "by": 1}}, where=where)
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ({"incom": 5}, r"suite.golden.0.row.incom: no such column. Did you mean 'income'"),
        ({"income": "5"}, r"suite.golden.0.row.income: is not of the column's type, float"),
        ({"member": 3}, r"suite.golden.0.row.member: is not of the column's type, bool"),
    ],
)
def test_a_row_that_is_none(row, words):
    with pytest.raises(ConfigurationError, match=words):
        bind("golden", {"row": row, "expect": {"class": "yes"}})


def test_a_row_may_hold_columns_that_this_model_does_not_read():
    bind("golden", {"row": {"income": 5, "sex": "female"}, "expect": {"class": "yes"}})


@pytest.mark.parametrize(
    ("section", "expect", "task", "words"),
    [
        ("golden", {"class": "yess"}, "binary", "suite.golden.0.expect.class: the model has no such class"),
        ("golden", {"class": "yes"}, "regression", "the model predicts a number, not a class"),
        ("golden", {"score": {"min": 0.5}}, "multiclass", "does not say which class's probability is meant"),
        ("golden", {"score": {"min": 0.5, "of": "god"}}, "multiclass", "score.of: the model has no such class"),
        ("golden", {"score": {"min": 0.5, "of": "no"}}, "binary", "the model's score is that of yes"),
        ("golden", {"score": {"min": 5, "of": "yes"}}, "regression", "the model's score is the prediction"),
        ("directional", {"score": "increases"}, "multiclass", "does not say which class's probability is meant"),
        ("invariance", {"same_decision": True}, "regression", "a regression decides nothing unless a threshold"),
        ("golden", {"score": {"max": 80}}, "binary", "expect.score.max: the score is a probability, between 0 and 1"),
        ("golden", {"score": {"min": 0}}, "binary", "expect.score: limits nothing"),
        ("golden", {"score": {"min": -0.5, "max": 1, "of": "gold"}}, "multiclass", "score.min: the score is a prob"),
        ("invariance", {"max_change": 5}, "binary", "expect.max_change: limits nothing"),
        ("invariance", {"max_change": 1, "same_decision": True}, "multiclass", "expect.max_change: limits nothing"),
        ("directional", {"score": "not_increases", "tolerance": 1.5}, "binary", "expect.tolerance: limits nothing"),
        ("directional", {"score": "increases", "by": 1}, "binary", "expect.by: no model can keep this"),
    ],
)
def test_an_expectation_that_means_nothing_for_the_model(section, expect, task, words):
    one = {"row": {"income": 5}} if section == "golden" else {"change": [{"add": {"column": "late", "by": 1}}]}
    with pytest.raises(ConfigurationError) as caught:
        bind(section, {**one, "expect": expect}, task)
    assert words in str(caught.value)


def test_a_class_column_for_a_regression():
    one = {"rows": {"uri": "x", "sha256": "a" * 64}, "expect": {"class_column": "x"}}
    with pytest.raises(ConfigurationError, match=r"expect.class_column: the model predicts a number"):
        bind("golden", one, "regression")


def test_what_means_something_is_taken():
    bind("golden", {"row": {"income": 5}, "expect": {"score": {"min": 0.5, "of": "yes"}}})
    bind("golden", {"row": {"income": 5}, "expect": {"score": {"min": 0.5, "of": "gold"}}}, "multiclass")
    late = [{"add": {"column": "late", "by": 1}}]
    bind("directional", {"change": late, "expect": {"score": "increases", "of": "silver"}}, "multiclass")
    bind("invariance", {"change": late, "expect": {"same_decision": True}}, "regression", 1000.0)
    bind("invariance", {"change": late, "expect": {"max_change": 5}}, "regression")
    bind("golden", {"row": {"income": 5}, "expect": {"score": {"min": 0, "max": 80}}}, "regression")
    bind("golden", {"row": {"income": 5}, "expect": {"score": {"min": 0, "max": 0.8}}})
