"""Fetching the champion: verified, whole, or absent with a reason."""

import pytest

from builders.memory_registry import MemoryStore
from builders.submission import digest_of, make_submission
from gauntlet.errors import ConfigurationError, DataError, DependencyError
from gauntlet.lineage.record import parse_chain
from gauntlet.registry.aliases import Promote
from gauntlet.registry.champion import Champion, fetch_champion, fetch_lineage
from gauntlet.registry.enforcement import EnforcementPolicy
from gauntlet.registry.registration import register
from gauntlet.registry.store import DIGEST_TAG, Version
from gauntlet.settings import parse
from gauntlet.storage import absence


def registered(store, root, name="loans", promote=Promote.FIRST):
    submission = make_submission(root, model_name=name)
    return submission, register(store, submission, promote, parse(EnforcementPolicy, {}, field="policy")).version


def fetch(store, folder, name="loans"):
    return fetch_champion(store, name, model=folder / "model", statistics=folder / "statistics")


@pytest.fixture
def back(tmp_path):
    (tmp_path / "back").mkdir()
    return tmp_path / "back"


def test_what_was_registered_comes_back_with_its_history(store, name, tmp_path, back):
    submission, version = registered(store, tmp_path / "in", name)
    champion = fetch(store, back, name)
    assert champion.version == str(version.number)
    assert digest_of(back / "model", "model") == champion.model_digest == version.digest
    assert (back / "statistics/train.pb").read_text() == "statistics"
    assert champion.statistics_digest == submission.document.artifacts["statistics"]
    made = [record.component for record in parse_chain(champion.model_chain)]
    assert made == ["import_snapshot", "compute_statistics", "infer_schema", "train_model"]
    described = [record.component for record in parse_chain(champion.statistics_chain)]
    assert described == ["import_snapshot", "compute_statistics"]


def test_no_registered_model_is_absence_with_a_reason(store, name, back):
    assert fetch(store, back, name) == Champion()
    assert absence(back / "model") == absence(back / "statistics") == f"{name} has no champion yet"


def test_a_registered_model_without_a_champion_is_absence_too(store, name, tmp_path, back):
    registered(store, tmp_path / "in", name, Promote.NEVER)
    assert fetch(store, back, name).version == ""
    assert absence(back / "model")


def test_files_changed_in_the_store_are_found_out_and_nothing_appears(tmp_path, back):
    store = MemoryStore()
    _, version = registered(store, tmp_path / "in")
    store.describe(version, {"model": make_other(tmp_path)}, version.tags, "")
    with pytest.raises(DataError, match="not what was registered"):
        fetch(store, back)
    assert not (back / "model").exists()
    assert list(back.iterdir()) == []


def make_other(root):
    other = root / "other"
    other.mkdir()
    (other / "MLmodel").write_text("flavors:\n  python_function:\n    loader_module: evil\n")
    return other


def test_changed_statistics_are_found_out(tmp_path, back):
    store = MemoryStore()
    _, version = registered(store, tmp_path / "in")
    (tmp_path / "in/statistics/train.pb").write_text("forged")
    store.describe(version, {"statistics": tmp_path / "in/statistics"}, version.tags, "")
    with pytest.raises(DataError, match="its statistics is not what was registered"):
        fetch(store, back)
    assert not (back / "statistics").exists()


def test_a_champion_that_somebody_registered_without_a_digest_is_not_loaded(tmp_path, back):
    store = MemoryStore()
    store.create("loans", {"model": make_other(tmp_path)}, {}, "")
    store.move("loans", {"champion": 1}, ())
    with pytest.raises(DataError, match=f"no tag {DIGEST_TAG}"):
        fetch(store, back)
    assert list(back.iterdir()) == []


def test_a_champion_registered_by_hand_with_a_digest_comes_without_history(tmp_path, back):
    store, folder = MemoryStore(), make_other(tmp_path)
    store.create("loans", {"model": folder}, {DIGEST_TAG: digest_of(folder, "model")}, "")
    store.move("loans", {"champion": 1}, ())
    champion = fetch(store, back)
    assert (champion.version, champion.model_chain, champion.statistics_chain) == ("1", "", "")
    assert "without training statistics" in absence(back / "statistics")


def test_a_lineage_document_of_another_model_is_found_out(tmp_path):
    store = MemoryStore()
    _, version = registered(store, tmp_path / "in")
    other = Version(version.name, version.number, {**version.tags, DIGEST_TAG: "sha256:other"})
    with pytest.raises(DataError, match="its lineage is not what was registered"):
        fetch_lineage(store, other)


def test_a_champion_without_lineage_has_no_document(tmp_path):
    store = MemoryStore()
    version = store.create("loans", {"model": make_other(tmp_path)}, {}, "")
    assert fetch_lineage(store, version) is None


def test_a_champion_deleted_behind_its_alias_is_a_clear_error(tmp_path, back):
    store = MemoryStore()
    registered(store, tmp_path / "in")
    store._entries.clear()
    with pytest.raises(DependencyError, match="names a version that is not there"):
        fetch(store, back)


def test_an_impossible_name_is_refused(back):
    with pytest.raises(ConfigurationError, match="model_name"):
        fetch(MemoryStore(), back, "a:b")
