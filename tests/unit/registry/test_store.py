"""The contract of a model store, held against every implementation: in memory, SQLite, a real MLflow server."""

from pathlib import Path

import pytest

from gauntlet.errors import ConfigurationError, DataError, DependencyError
from gauntlet.registry.store import (
    DIGEST_TAG,
    TAG_VALUE_LIMIT,
    Version,
    find_candidate,
    require_model_name,
    require_version,
)

TAGS = {DIGEST_TAG: "sha256:one", "gauntlet.run": "r1"}


def files(folder: Path) -> dict[str, str]:
    found = {p.relative_to(folder).as_posix(): p.read_text() for p in folder.rglob("*") if p.is_file()}
    found.pop("registered_model_meta", None)
    return found


def test_a_model_that_does_not_exist_has_no_aliases_and_no_versions(store, name):
    assert store.aliases(name) == {}
    assert store.get(name, 1) is None
    assert store.with_digest(name, "sha256:one") == ()


def test_a_version_has_its_tags_from_the_first_moment_and_is_found_by_digest(store, name, parts):
    made = store.create(name, parts, TAGS, "words")
    assert (made.name, made.number, made.digest) == (name, 1, "sha256:one")
    assert store.with_digest(name, "sha256:one") == (made,)
    assert store.with_digest(name, "sha256:other") == ()
    assert store.get(name, 1) == made
    assert store.get(name, 2) is None


def test_versions_of_one_digest_come_oldest_first(store, name, parts):
    made = [store.create(name, parts, TAGS, "") for _ in range(3)]
    assert store.with_digest(name, "sha256:one") == tuple(made)


def test_parts_come_back_byte_for_byte(store, name, parts, tmp_path):
    version = store.create(name, parts, TAGS, "")
    for part, source in parts.items():
        destination = tmp_path / f"back-{part}"
        destination.mkdir()
        assert store.download(version, part, destination)
        assert files(destination) == files(source)


def test_where_a_model_lies_is_a_path_or_an_address(store, name, parts):
    address = store.address(store.create(name, parts, TAGS, ""))
    if address.startswith("/"):
        assert (Path(address) / "MLmodel").read_text() == "a"
    else:
        assert address.partition(":")[0] in {"memory", "mlflow-artifacts"}


def test_a_part_that_was_not_stored_is_reported_missing(store, name, parts, tmp_path):
    version = store.create(name, parts, TAGS, "")
    assert store.download(version, "lineage", tmp_path) is False


def test_aliases_move_and_go(store, name, parts):
    for digest in ("sha256:one", "sha256:two"):
        store.create(name, parts, {DIGEST_TAG: digest}, "")
    store.move(name, {"champion": 1, "challenger": 2}, ())
    assert store.aliases(name) == {"champion": 1, "challenger": 2}
    store.move(name, {"champion": 2}, ("challenger",))
    assert store.aliases(name) == {"champion": 2}


def test_an_alias_cannot_name_a_version_that_is_not_there(store, name, parts):
    store.create(name, parts, TAGS, "")
    with pytest.raises(DependencyError):
        store.move(name, {"champion": 9}, ())


def test_describing_again_makes_the_tags_exactly_these_and_renews_parts(store, name, parts, tmp_path):
    version = store.create(name, parts, {**TAGS, "gauntlet.metric.auc": "0.9"}, "old")
    (parts["statistics"] / "train.pb").write_text("renewed")
    store.describe(version, {"statistics": parts["statistics"]}, {**TAGS, "gauntlet.run": "r2"}, "new")
    again = store.get(name, 1)
    assert again.tags == {DIGEST_TAG: "sha256:one", "gauntlet.run": "r2"}
    assert store.download(again, "statistics", tmp_path / "statistics")
    assert files(parts["statistics"]) == {"train.pb": "renewed"}


def test_a_discarded_version_is_gone_and_its_number_is_not_an_alias(store, name, parts):
    store.create(name, parts, TAGS, "")
    younger = store.create(name, parts, TAGS, "")
    store.discard(younger)
    assert [version.number for version in store.with_digest(name, "sha256:one")] == [1]


def test_tag_values_of_the_full_length_are_kept(store, name, parts):
    store.create(name, parts, {**TAGS, "gauntlet.sources": "x" * TAG_VALUE_LIMIT}, "")
    assert len(store.get(name, 1).tags["gauntlet.sources"]) == TAG_VALUE_LIMIT


@pytest.mark.parametrize("bad", ["", " loans", "a/b", "a:b", "it's", "x" * 251, "..", "lo\nans", "été"])
def test_model_names_that_a_registry_would_misread_are_refused(bad):
    with pytest.raises(ConfigurationError, match="model_name"):
        require_model_name(bad)


@pytest.mark.parametrize("good", ["loans", "Loan model v2", "a", "0.1-x_y", "x" * 250])
def test_ordinary_model_names_pass(good):
    assert require_model_name(good) == good


def test_a_version_deleted_between_two_looks_is_a_retryable_error(store, name):
    with pytest.raises(DependencyError, match="not there") as caught:
        require_version(store, name, 3)
    assert caught.value.retryable


def test_a_version_without_our_tag_has_no_digest():
    assert Version("loans", 1, {"team": "credit"}).digest is None


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
