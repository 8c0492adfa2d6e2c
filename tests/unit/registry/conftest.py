"""One store of each kind for the whole session: starting MLflow takes seconds, so tests share it by model name."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

from builders.memory_registry import MemoryStore
from builders.mlflow_server import running_server
from gauntlet.registry.store import DIGEST_TAG, ModelStore

_numbers = itertools.count()


@pytest.fixture(scope="session")
def server_uri(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running_server(tmp_path_factory.mktemp("server")) as uri:
        yield uri


@pytest.fixture(scope="session")
def sqlite_uri(tmp_path_factory: pytest.TempPathFactory) -> str:
    return f"sqlite:///{tmp_path_factory.mktemp('sqlite')}/mlflow.db"


@pytest.fixture(params=["memory", "sqlite", "server"])
def store(request: pytest.FixtureRequest) -> ModelStore:
    """Every implementation of the store in turn."""
    if request.param == "memory":
        return MemoryStore()
    from gauntlet.registry.mlflow_store import MlflowStore

    uri = request.getfixturevalue(f"{request.param}_uri")
    return MlflowStore(uri, uri)


@pytest.fixture
def name() -> str:
    """A model name that no other test uses."""
    return f"loans {next(_numbers)}"


@pytest.fixture
def parts(tmp_path: Path) -> dict[str, Path]:
    files = {"model/MLmodel": "a", "model/deep/weights": "b", "statistics/train.pb": "c"}
    for path, text in files.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    return {"model": tmp_path / "model", "statistics": tmp_path / "statistics"}


@pytest.fixture
def registered(store, name, parts):
    """Three versions: the first is champion, the third challenger."""
    for digest in ("one", "two", "three"):
        store.create(name, parts, {DIGEST_TAG: f"sha256:{digest}"}, "")
    store.move(name, {"champion": 1, "challenger": 3}, ())
    return store
