"""Expectations that cannot both hold are found, and those that can are left alone."""

from __future__ import annotations

from typing import Any

import pytest

from builders.behavior import suite_of
from gauntlet.errors import ConfigurationError

ADD = [{"add": {"column": "late", "by": 1}}]


def file(**sections: list[dict[str, Any]]) -> str:
    import json

    return json.dumps(sections)


def directional(name: str, **values: Any) -> dict[str, Any]:
    return {"name": name, "change": ADD, **values}


def golden(name: str, expect: dict[str, Any], row: dict[str, Any] | None = None) -> dict[str, Any]:
    return {"name": name, "row": row or {"late": 1, "income": 5}, "expect": expect}


@pytest.mark.parametrize(
    ("first", "second", "words"),
    [
        ({"score": "increases"}, {"score": "decreases"}, "increases the score and decreases the score"),
        ({"score": "increases"}, {"score": "not_increases"}, "increases the score and not increases the score"),
        ({"score": "increases", "by": 0.2}, {"score": "not_increases", "tolerance": 0.1}, "the same change"),
    ],
)
def test_two_rules_about_one_change(first, second, words):
    text = file(directional=[directional("a", expect=first), directional("b", expect=second)])
    with pytest.raises(
        ConfigurationError, match=r"line 1: suite.directional.1.expect: contradicts 'a': the same change"
    ):
        suite_of(text)
    with pytest.raises(ConfigurationError, match=words):
        suite_of(text)


def test_a_change_that_must_not_matter_and_must():
    still = {"name": "a", "change": ADD, "expect": {"max_change": 0.1}}
    moving = directional("b", expect={"score": "increases", "by": 0.1})
    with pytest.raises(ConfigurationError, match=r"moves the score by at most 0.1 and increases the score"):
        suite_of(file(invariance=[still], directional=[moving]))


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"score": "not_increases"}, {"score": "not_decreases"}),
        ({"score": "increases", "by": 0.05}, {"score": "not_increases", "tolerance": 0.1}),
        ({"score": "increases", "of": "gold"}, {"score": "decreases", "of": "silver"}),
    ],
)
def test_two_rules_that_some_move_keeps(first, second):
    found = suite_of(file(directional=[directional("a", expect=first), directional("b", expect=second)]))
    assert len(found.directional) == 2


def test_other_rows_are_another_matter():
    rules = [
        directional("a", expect={"score": "increases"}, where="income > 3"),
        directional("b", expect={"score": "decreases"}, where="income <= 3"),
    ]
    assert len(suite_of(file(directional=rules)).directional) == 2


def test_a_decision_that_stays_says_nothing_of_the_score():
    still = {"name": "a", "change": ADD, "expect": {"same_decision": True}}
    moving = directional("b", expect={"score": "increases"})
    assert len(suite_of(file(invariance=[still], directional=[moving])).rules) == 2


@pytest.mark.parametrize(
    ("first", "second", "words"),
    [
        ({"class": 1}, {"class": 0}, "the same row as 1 and as 0"),
        ({"class": True}, {"class": "false"}, "the same row as true and as false"),
        ({"score": {"min": 0.8}}, {"score": {"max": 0.2}}, "the same row at least 0.8 and at most 0.2"),
    ],
)
def test_two_answers_to_one_row(first, second, words):
    with pytest.raises(ConfigurationError, match=f"suite.golden.1.expect: contradicts 'a': {words}"):
        suite_of(file(golden=[golden("a", first), golden("b", second)]))


@pytest.mark.parametrize(
    ("first", "second", "row"),
    [
        ({"class": 1}, {"class": "1"}, None),
        ({"class": 1}, {"class": 0}, {"late": 2, "income": 5}),
        ({"score": {"min": 0.2}}, {"score": {"max": 0.8}}, None),
        ({"score": {"min": 0.8, "of": "a"}}, {"score": {"max": 0.1, "of": "b"}}, None),
    ],
)
def test_two_answers_that_agree(first, second, row):
    assert len(suite_of(file(golden=[golden("a", first), golden("b", second, row)])).golden) == 2
