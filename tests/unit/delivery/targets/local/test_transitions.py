"""The verbs of a rollout on the document: what they ask, that they may be repeated, and what they refuse."""

from __future__ import annotations

import pytest

from builders.local import release
from gauntlet.delivery.release import Release
from gauntlet.delivery.targets.local import transitions
from gauntlet.delivery.targets.local.spec import Desired, Mirror
from gauntlet.errors import ConfigurationError, DependencyError

V1, V2, V3 = (release(version) for version in "123")
OTHER_MODEL = Release("2", "sha256:" + "f" * 64, V2.uri)
FULL_TRAFFIC = transitions.install(Desired(), V1)
BESIDE = transitions.deploy(FULL_TRAFFIC, V2, V1)
TENTH = transitions.weigh(BESIDE, V2, V1, 10)
ALL = transitions.weigh(BESIDE, V2, V1, 100)
PROMOTED = transitions.promote(ALL, V2, V1)


def seen(desired: Desired) -> tuple[str | None, set[str], dict[str, int]]:
    return desired.stable, set(desired.revisions), dict(desired.weights)


@pytest.mark.parametrize(
    ("desired", "expected"),
    [
        (FULL_TRAFFIC, ("1", {"1"}, {"1": 100})),
        (BESIDE, ("1", {"1", "2"}, {"1": 100})),
        (TENTH, ("1", {"1", "2"}, {"1": 90, "2": 10})),
        (ALL, ("1", {"1", "2"}, {"2": 100})),
        (PROMOTED, ("2", {"2"}, {"2": 100})),
        (transitions.roll_back(TENTH, V1), ("1", {"1"}, {"1": 100})),
        (transitions.restore(PROMOTED, V1), ("2", {"1", "2"}, {"2": 100})),
        (transitions.roll_back(transitions.restore(PROMOTED, V1), V1), ("1", {"1"}, {"1": 100})),
        (transitions.roll_back(PROMOTED, V1), ("1", {"1"}, {"1": 100})),
        (transitions.install(TENTH, V3, again=True), ("3", {"3"}, {"3": 100})),
        (transitions.shadow(FULL_TRAFFIC, V2, 0.5), ("1", {"1", "2"}, {"1": 100})),
        (transitions.without_mirror(transitions.shadow(FULL_TRAFFIC, V2, 0.5)), ("1", {"1", "2"}, {"1": 100})),
        (transitions.without_mirror(TENTH), ("1", {"1", "2"}, {"1": 90, "2": 10})),
    ],
)
def test_what_each_verb_asks(desired, expected):
    assert seen(desired) == expected


@pytest.mark.parametrize(
    ("before", "verb"),
    [
        (Desired(), lambda one: transitions.install(one, V1)),
        (FULL_TRAFFIC, lambda one: transitions.deploy(one, V2, V1)),
        (BESIDE, lambda one: transitions.weigh(one, V2, V1, 25)),
        (ALL, lambda one: transitions.promote(one, V2, V1)),
        (PROMOTED, lambda one: transitions.restore(one, V1)),
        (TENTH, lambda one: transitions.roll_back(one, V1)),
        (FULL_TRAFFIC, lambda one: transitions.shadow(one, V2, 0.5)),
        (transitions.shadow(FULL_TRAFFIC, V2, 0.5), transitions.without_mirror),
    ],
)
def test_each_verb_may_be_repeated(before, verb):
    once = verb(before)
    assert once != before
    assert verb(once) == once


@pytest.mark.parametrize(
    "verb",
    [
        lambda: transitions.install(FULL_TRAFFIC, V2),
        lambda: transitions.deploy(FULL_TRAFFIC, V3, V2),
        lambda: transitions.deploy(Desired(), V2, V1),
        lambda: transitions.weigh(TENTH, V3, V2, 5),
        lambda: transitions.shadow(Desired(), V1, 1.0),
        lambda: transitions.shadow(TENTH, V2, 1.0),
        lambda: transitions.shadow(FULL_TRAFFIC, V1, 1.0),
    ],
)
def test_what_cannot_be_is_refused(verb):
    with pytest.raises(ConfigurationError):
        verb()


@pytest.mark.parametrize("field", ["digest", "uri"])
def test_another_model_of_the_same_number_is_refused(field):
    other = {"digest": OTHER_MODEL, "uri": Release("2", V2.digest, "elsewhere")}[field]
    with pytest.raises(ConfigurationError, match=rf"release\.{field}: another model runs as version 2"):
        transitions.deploy(BESIDE, other, V1)


@pytest.mark.parametrize("desired", [FULL_TRAFFIC, BESIDE, TENTH])
def test_what_has_not_all_requests_is_not_promoted(desired):
    with pytest.raises(DependencyError, match="does not have all requests yet"):
        transitions.promote(desired, V2, V1)


def test_who_begins_to_answer_callers_is_no_longer_asked_behind_their_backs():
    shadowed = transitions.shadow(FULL_TRAFFIC, V2, 1.0)
    assert shadowed.mirror == Mirror("2", 1.0)
    assert transitions.weigh(shadowed, V2, V1, 0).mirror == Mirror("2", 1.0)
    assert transitions.weigh(shadowed, V2, V1, 5).mirror is None
