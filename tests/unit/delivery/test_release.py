"""From a registered version to something a target can fetch."""

import pytest

from builders.memory_registry import MemoryStore
from gauntlet.delivery.release import resolve_release
from gauntlet.errors import ConfigurationError, DataError
from gauntlet.model_digest import digest_model
from gauntlet.registry.store import DIGEST_TAG


@pytest.fixture
def model(tmp_path):
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "MLmodel").write_text("flavors: {}\n")
    return folder


def registered(model, digest=None, address=""):
    class Store(MemoryStore):
        def address(self, version):
            return address or super().address(version)

    store = Store()
    return store, store.create("loans", {"model": model}, {DIGEST_TAG: digest or digest_model(model)}, "")


def test_a_local_service_keeps_a_verified_copy_of_its_own(model, tmp_path):
    store, version = registered(model)
    release = resolve_release(store, version, f"local:{tmp_path / 'service'}")
    assert (release.version, release.digest) == ("1", digest_model(model))
    assert digest_model(tmp_path / "service" / "models" / release.uri.rpartition("/")[2]) == release.digest
    assert resolve_release(store, version, f"local:{tmp_path / 'service'}") == release


def test_a_relative_folder_is_where_the_user_stood(model, tmp_path, monkeypatch):
    monkeypatch.setenv("GAUNTLET_WORKDIR", str(tmp_path))
    store, version = registered(model)
    assert resolve_release(store, version, "local:here").uri.startswith(str(tmp_path / "here" / "models"))


def test_what_the_registry_changed_is_not_copied(model, tmp_path):
    store, version = registered(model, digest="sha256:" + "0" * 64)
    with pytest.raises(DataError, match="another model than expected"):
        resolve_release(store, version, f"local:{tmp_path / 'service'}")
    assert not list((tmp_path / "service" / "models").iterdir())


@pytest.mark.parametrize("uri", ["gs://bucket/loans/1", "s3://bucket/loans/1"])
def test_a_cluster_fetches_from_the_registrys_store(model, uri):
    store, version = registered(model, address=uri)
    assert resolve_release(store, version, "kserve:team/loans").uri == uri


@pytest.mark.parametrize("uri", ["mlflow-artifacts:/1/model", "models:/loans/1", "/mnt/registry/1", ""])
def test_what_a_cluster_cannot_fetch_is_refused(model, uri):
    store, version = registered(model, address=uri)
    with pytest.raises(ConfigurationError, match="lies where a cluster cannot fetch it"):
        resolve_release(store, version, "kserve:team/loans")
