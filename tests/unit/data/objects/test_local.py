"""Local files as a store: the contract of every store, and what only a file system has."""

import os
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from builders.stores import FIELD, StoreContract
from gauntlet.data.objects.local import LocalFiles
from gauntlet.errors import ConfigurationError, DataError, DependencyError
from gauntlet.storage import WORKDIR


@dataclass
class Folder:
    path: Path
    store: LocalFiles = field(default_factory=LocalFiles)

    @property
    def root(self):
        return str(self.path)

    def put(self, name, content):
        (self.path / name).parent.mkdir(parents=True, exist_ok=True)
        (self.path / name).write_bytes(content)

    def remove(self, name):
        (self.path / name).unlink()


@pytest.fixture
def place(tmp_path_factory):
    return Folder(tmp_path_factory.mktemp("place"))


class TestLocalFiles(StoreContract):
    @pytest.fixture
    def place(self, place):
        return place


def test_paths_that_are_pinned_stay_as_the_user_wrote_them(place, monkeypatch):
    monkeypatch.setenv(WORKDIR, place.root)
    place.put("d/a.csv", b"x")
    assert place.store.pin("d/a.csv", field=FIELD).uri == "d/a.csv"
    assert [file.uri for file in place.store.find("d", field=FIELD)] == ["d/a.csv"]


def test_files_that_are_listed_for_reading_are_absolute(place, monkeypatch):
    monkeypatch.setenv(WORKDIR, place.root)
    place.put("d/a.csv", b"x")
    assert place.store.files_at("d", field=FIELD) == [str(place.path.resolve() / "d/a.csv")]
    assert place.store.files_at("d/a.csv", field=FIELD) == [str(place.path.resolve() / "d/a.csv")]


def test_a_missing_path_says_where_it_was_looked_for(place, monkeypatch):
    monkeypatch.setenv(WORKDIR, place.root)
    with pytest.raises(ConfigurationError, match="there is no such file") as caught:
        place.store.pin("x.csv", field=FIELD)
    assert caught.value.mend == f"Looked at {place.path / 'x.csv'}: correct the path"


def test_a_change_while_it_is_lent_is_noticed_at_the_end(place, tmp_path):
    place.put("a.csv", b"x")
    uri = f"{place.root}/a.csv"
    version = place.store.pin(uri, field=FIELD).version
    with (
        pytest.raises(DataError, match="has changed since it was resolved"),
        place.store.lend(uri, version, tmp_path, field=FIELD),
    ):
        place.put("a.csv", b"longer than before")
    with place.store.lend(uri, None, tmp_path, field=FIELD) as path:
        place.put("a.csv", b"and again, but nobody asked for a version")
    assert path.read_bytes().startswith(b"and again")


def test_a_listing_follows_links_to_folders(place, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "a.csv").write_text("x")
    place.put("d/b.csv", b"x")
    (place.path / "d" / "linked").symlink_to(tmp_path / "elsewhere")
    (place.path / "d" / "dangling").symlink_to(tmp_path / "nowhere")
    names = [
        file.removeprefix(f"{place.path.resolve()}/d/") for file in place.store.files_at(f"{place.root}/d", field=FIELD)
    ]
    assert names == ["b.csv", "linked/a.csv"]


def test_a_folder_that_may_not_be_read_is_no_folder_without_files(place, monkeypatch):
    place.put("d/a.csv", b"x")

    def refuse(*_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(DependencyError, match="may not be read") as caught:
        place.store.files_at(f"{place.root}/d", field="outcomes.uri")
    assert caught.value.field == "outcomes.uri"
    assert caught.value.mend
