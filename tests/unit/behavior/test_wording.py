"""Rules and cases in words."""

from __future__ import annotations

import json

import pytest

from builders.behavior import rule_of, suite_of
from gauntlet.behavior.wording import case_in_words, change_in_words, rule_in_words, value_in_words


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"set": {"column": "region", "to": None}}, "region set to missing"),
        ({"swap": {"columns": ["a", "b"]}}, "a and b exchanged"),
        ({"swap": {"column": "a"}}, "a exchanged between rows"),
        ({"add": {"column": "late", "by": 1, "max": 12}}, "late + 1 (at most 12)"),
        ({"add": {"column": "late", "by": -2, "min": 0, "max": 9}}, "late − 2 (at least 0, at most 9)"),
        ({"scale": {"column": "income", "by": 1.1}}, "income × 1.1"),
        ({"noise": {"column": "income", "sd": 5}}, "noise on income (standard deviation 5)"),
        ({"noise": {"column": "income", "share": 0.01}}, "noise on income (1% of the value)"),
        ({"shuffle": {"columns": ["a", "b", "c"], "within": ["d"]}}, "a, b and c shuffled within d"),
        ({"case": {"column": "region", "to": "upper"}}, "region in capitals"),
        ({"whitespace": {"column": "region"}}, "spaces around region"),
        ({"typo": {"column": "region"}}, "1 slip of the keyboard in region"),
        ({"typo": {"column": "region", "slips": 3}}, "3 slips of the keyboard in region"),
    ],
)
def test_changes(change, words):
    assert change_in_words(rule_of(change=[change]).change[0]) == words


LATE = {"change": [{"add": {"column": "late", "by": 1}}, {"set": {"column": "member", "to": True}}]}


@pytest.mark.parametrize(
    ("kind", "expect", "words"),
    [
        ("invariance", {"max_change": 0.1}, "must not move the score by more than 0.1"),
        ("invariance", {"max_change": 0.1, "same_decision": True}, "by more than 0.1 or turn the decision"),
        ("directional", {"score": "increases"}, "must raise the score"),
        ("directional", {"score": "decreases", "by": 0.2}, "must lower the score by more than 0.2"),
        ("directional", {"score": "not_increases", "tolerance": 0.01}, "must not raise the score by more than 0.01"),
        ("directional", {"score": "not_decreases", "of": "gold"}, "must not lower the score of gold"),
    ],
)
def test_rules(kind, expect, words):
    said = rule_in_words(rule_of(kind, expect=expect, where="income > 3", **LATE))
    assert said.startswith("late + 1, then member set to yes must")
    assert words in said
    assert said.endswith("; rows where income > 3")


@pytest.mark.parametrize(
    ("expect", "words"),
    [
        ({"class": 1}, "class 1"),
        ({"class": "paid", "score": {"min": 0.8}}, "class paid, score at least 0.8"),
        ({"score": {"min": 0.1, "max": 0.2, "of": "gold"}}, "score of gold at least 0.1 and at most 0.2"),
    ],
)
def test_cases(expect, words):
    case = suite_of(json.dumps({"golden": [{"name": "a", "row": {"x": 1}, "expect": expect}]})).golden[0]
    assert case_in_words(case) == words


def test_bulk_cases():
    expect = {"class_column": "answer", "score": {"column": "known", "tolerance": 0.1}}
    rows = {"uri": "x", "sha256": "a" * 64}
    case = suite_of(json.dumps({"golden": [{"name": "a", "rows": rows, "expect": expect}]})).golden[0]
    assert case_in_words(case) == "the class in answer, score within 0.1 of known"


@pytest.mark.parametrize(
    ("value", "words"),
    [(None, "missing"), (True, "yes"), (3, "3"), (1234567.891, "1234568"), (" a ", "“ a ”"), (0.1, "0.1")],
)
def test_values(value, words):
    assert value_in_words(value) == words
