"""The document: what must never be routed cannot be written down, and what is written is read back."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from builders.local import release
from gauntlet.delivery.release import Release
from gauntlet.delivery.targets.local.spec import Desired, Mirror, in_force, is_rollback
from gauntlet.errors import ConfigurationError, DataError

V1, V2, V3 = (release(version) for version in "123")
BOTH = Desired(4, "1", {"1": V1, "2": V2, "3": V3}, {"1": 90, "2": 10}, Mirror("3", 0.25))


@pytest.mark.parametrize("desired", [Desired(), BOTH, replace(BOTH, mirror=None)], ids=["empty", "all", "no mirror"])
def test_what_is_written_is_read_back(desired):
    assert Desired.from_document(json.loads(json.dumps(desired.to_document()))) == desired


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"generation": -1}, "generation"),
        ({"generation": True}, "generation"),
        ({"stable": "7"}, "stable"),
        ({"stable": None}, "stable"),
        ({"weights": {"1": 90}}, "weights"),
        ({"weights": {"1": 90, "2": 11}}, "weights"),
        ({"weights": {"1": 110, "2": -10}}, "weights.1"),
        ({"weights": {"1": 99.5, "2": 0.5}}, "weights.1"),
        ({"weights": {"1": 90, "9": 10}}, "weights.9"),
        ({"mirror": Mirror("1")}, "mirror.version"),
        ({"mirror": Mirror("2")}, "mirror.version"),
        ({"mirror": Mirror("8")}, "mirror.version"),
        ({"mirror": Mirror("3", 0)}, "mirror.share"),
        ({"mirror": Mirror("3", 1.01)}, "mirror.share"),
        ({"mirror": Mirror("3", float("nan"))}, "mirror.share"),
        ({"revisions": {**BOTH.revisions, "4": Release("5", V1.digest, "x")}}, "revisions"),
        ({"revisions": {**BOTH.revisions, "../4": Release("../4", V1.digest, "x")}}, "revisions"),
        ({"revisions": {**BOTH.revisions, "4": Release("4", "sha256:short", "x")}}, "revisions.4.digest"),
        ({"revisions": {**BOTH.revisions, "4": Release("4", V1.digest, "gs://bucket/x")}}, "revisions.4.uri"),
        ({"revisions": {**BOTH.revisions, "4": Release("4", V1.digest, "")}}, "revisions.4.uri"),
    ],
)
def test_what_must_not_be_is_refused_by_name(change, field):
    with pytest.raises(ConfigurationError) as refused:
        replace(BOTH, **change)
    assert refused.value.field == f"desired.{field}"


@pytest.mark.parametrize(
    "document",
    [None, [], {}, {"format": "gauntlet.local/2"}, {**BOTH.to_document(), "revisions": []}, {"format": FutureWarning}],
    ids=["null", "list", "empty", "another format", "revisions no object", "format no text"],
)
def test_what_is_no_document_is_refused(document):
    with pytest.raises(DataError, match="is not the desired state of a local service"):
        Desired.from_document(document)


@pytest.mark.parametrize(
    ("change", "only_rolls_back"),
    [
        ({"weights": {"1": 100}}, True),
        ({"weights": {"1": 100}, "revisions": {"1": V1}, "mirror": None}, True),
        ({"weights": {"1": 95, "2": 5}}, False),
        ({"weights": {"2": 100}}, False),
        ({"weights": {"2": 100}, "stable": "2"}, False),
        ({"weights": {"1": 100}, "revisions": {**BOTH.revisions, "4": release("4")}}, False),
        ({"weights": {"1": 100}, "revisions": {**BOTH.revisions, "1": release("1", "elsewhere")}}, False),
        ({"weights": {"1": 100}, "mirror": Mirror("2")}, False),
    ],
    ids=["all to it", "it alone", "less to it", "all to another", "another stable", "one more", "moved", "a mirror"],
)
def test_a_change_that_only_rolls_back_is_told_from_others(change, only_rolls_back):
    assert is_rollback(BOTH, replace(BOTH, **change)) is only_rolls_back


def test_a_change_of_nothing_is_no_rollback():
    assert not is_rollback(Desired(), Desired())


def test_weights_of_nothing_are_none():
    assert Desired().weights == {}
    assert in_force(Desired(), frozenset()) == {}


@pytest.mark.parametrize(
    ("usable", "weights"),
    [
        ({"1", "2"}, {"1": 90, "2": 10}),
        ({"1"}, {"1": 100}),
        ({"2"}, {"1": 90, "2": 10}),  # the stable version has nobody to leave its share to
        (set(), {"1": 100}),
    ],
)
def test_who_never_answered_leaves_its_share_to_the_stable_version(usable, weights):
    assert in_force(BOTH, frozenset(usable)) == weights
