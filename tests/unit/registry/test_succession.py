"""What is delivered, and what the registry says afterwards."""

import pytest

from gauntlet.errors import ConfigurationError, DataError
from gauntlet.registry.store import DIGEST_TAG
from gauntlet.registry.succession import find_candidate, record_promotion, record_rollback


@pytest.fixture
def registered(store, name, parts):
    """Three versions: the first is champion, the third challenger."""
    for digest in ("one", "two", "three"):
        store.create(name, parts, {DIGEST_TAG: f"sha256:{digest}"}, "")
    store.move(name, {"champion": 1, "challenger": 3}, ())
    return store


def test_the_challenger_is_delivered_unless_a_version_is_named(registered, name):
    assert find_candidate(registered, name).number == 3
    assert find_candidate(registered, name, "2").digest == "sha256:two"


def test_without_a_challenger_it_is_the_champion(registered, name):
    registered.move(name, {}, ("challenger",))
    assert find_candidate(registered, name).number == 1


@pytest.mark.parametrize(("version", "words"), [("9", "no such version"), ("x", "no version number"), ("0", "number")])
def test_a_version_that_is_not_there_is_refused(registered, name, version, words):
    with pytest.raises(ConfigurationError, match=words):
        find_candidate(registered, name, version)


def test_nothing_registered_is_said(store, name):
    with pytest.raises(ConfigurationError, match="neither a challenger nor a champion"):
        find_candidate(store, name)


def test_what_nobody_can_verify_is_not_delivered(store, name, parts):
    store.describe(store.create(name, parts, {DIGEST_TAG: "sha256:one"}, ""), {}, {}, "")
    with pytest.raises(DataError, match="could not verify"):
        find_candidate(store, name, "1")


def test_a_promotion_moves_the_titles_once(registered, name):
    assert record_promotion(registered, name, "3") == 1
    assert registered.aliases(name) == {"champion": 3, "previous": 1}
    assert record_promotion(registered, name, "3") is None
    assert registered.aliases(name) == {"champion": 3, "previous": 1}


def test_a_rollback_gives_the_title_back_once(registered, name):
    record_promotion(registered, name, "3")
    assert record_rollback(registered, name, "3", "1")
    assert registered.aliases(name) == {"champion": 1}
    assert not record_rollback(registered, name, "3", "1")
    assert registered.aliases(name) == {"champion": 1}


def test_a_version_taken_back_during_its_rollout_is_no_challenger_any_more(registered, name):
    assert not record_rollback(registered, name, "3", "1")
    assert registered.aliases(name) == {"champion": 1}


def test_a_rollback_leaves_somebody_elses_promotion_alone(registered, name):
    record_promotion(registered, name, "3")
    record_promotion(registered, name, "2")
    assert not record_rollback(registered, name, "3", "1")
    assert registered.aliases(name)["champion"] == 2
