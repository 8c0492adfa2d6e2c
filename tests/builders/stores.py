"""What every store must do, as a class of tests for each to inherit; and a store in memory that does it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

import pytest

from gauntlet.data.objects import schemes
from gauntlet.data.objects.patterns import matcher, names_one
from gauntlet.data.objects.store import ObjectStore, StoredFile, gone, visible
from gauntlet.errors import ConfigurationError, DataError

FIELD = "sources[0].uri"


class MemoryStore:
    """An ``ObjectStore`` of ``mem://…`` that keeps every version of every file."""

    SCHEME = "mem"

    def __init__(self) -> None:
        self.versions: dict[str, list[bytes | None]] = {}

    def put(self, uri: str, content: bytes) -> None:
        self.versions.setdefault(uri, []).append(content)

    def remove(self, uri: str) -> None:
        self.versions[uri].append(None)

    @property
    def _present(self) -> list[str]:
        return sorted(uri for uri, versions in self.versions.items() if versions[-1] is not None)

    def find(self, uri: str, *, field: str) -> list[StoredFile]:
        if names_one(uri):
            return [self.pin(uri, field=field)]
        is_meant = matcher(uri)
        below = uri if uri.endswith("/") else ""
        meant = [name for name in self._present if name.startswith(below) and is_meant(name)]
        if not meant:
            raise ConfigurationError("names nothing", field=field, value=uri, mend="Correct it")
        return [self.pin(name, field=field) for name in meant]

    def pin(self, uri: str, *, field: str) -> StoredFile:
        if uri not in self._present:
            raise ConfigurationError("there is no such file", field=field, value=uri, mend="Correct its name")
        content = self.versions[uri][-1] or b""
        return StoredFile(uri, str(len(self.versions[uri])), len(content))

    def files_at(self, uri: str, *, field: str) -> list[str] | None:
        if uri in self._present:
            return [uri]
        folder = uri.rstrip("/") + "/"
        below = [name for name in self._present if name.startswith(folder)]
        return [name for name in below if visible(name.removeprefix(folder))] if below else None

    @contextmanager
    def lend(self, uri: str, version: str | None, scratch: Path, *, field: str) -> Iterator[Path]:
        versions = self.versions.get(uri, [None])
        number = len(versions) if version is None else int(version)
        content = versions[number - 1] if number <= len(versions) else None
        if content is None:
            raise gone(uri)
        target = scratch / hashlib.sha256(f"{uri}#{number}".encode()).hexdigest()
        target.write_bytes(content)
        try:
            yield target
        finally:
            target.unlink()


def add_memory_store(monkeypatch: pytest.MonkeyPatch) -> MemoryStore:
    """Put a store in memory behind ``mem://``: one line more in the table of schemes, as any new kind would be."""
    store = MemoryStore()
    monkeypatch.setitem(schemes._STORES, MemoryStore.SCHEME, lambda: store)
    return store


class Place(Protocol):
    """An empty folder in some storage, and the means to change what lies in it."""

    store: ObjectStore
    root: str

    def put(self, name: str, content: bytes) -> None: ...

    def remove(self, name: str) -> None: ...


class StoreContract:
    """Inherit it in a class whose fixture ``place`` gives a ``Place``."""

    @pytest.fixture
    def place(self) -> Place:
        raise NotImplementedError

    def found(self, place, pattern):
        files = place.store.find(f"{place.root}/{pattern}", field=FIELD)
        return [file.uri.removeprefix(f"{place.root}/") for file in files]

    def test_a_file_is_pinned_and_lent_as_it_was(self, place, tmp_path):
        place.put("a.csv", b"one")
        uri = f"{place.root}/a.csv"
        pinned = place.store.pin(uri, field=FIELD)
        assert (pinned.uri, pinned.size) == (uri, 3)
        assert place.store.find(uri, field=FIELD) == [pinned]
        with place.store.lend(uri, pinned.version, tmp_path, field=FIELD) as path:
            assert path.read_bytes() == b"one"

    @pytest.mark.parametrize("spoil", ["replace", "remove"])
    def test_what_was_pinned_is_lent_or_refused_but_nothing_else(self, place, tmp_path, spoil):
        place.put("a.csv", b"one")
        uri = f"{place.root}/a.csv"
        version = place.store.pin(uri, field=FIELD).version
        if spoil == "remove":
            place.remove("a.csv")
        else:
            place.put("a.csv", b"another")
            assert place.store.pin(uri, field=FIELD).version != version
        try:
            with place.store.lend(uri, version, tmp_path, field=FIELD) as path:
                outcome = path.read_bytes()
        except DataError as error:
            outcome = error.field
        assert outcome in (b"one", uri)

    def test_without_a_version_the_current_one_is_lent(self, place, tmp_path):
        for content in (b"one", b"another"):
            place.put("a.csv", content)
            with place.store.lend(f"{place.root}/a.csv", None, tmp_path, field=FIELD) as path:
                assert path.read_bytes() == content

    def test_a_download_does_not_outlive_its_context(self, place, tmp_path):
        place.put("a.csv", b"one")
        with place.store.lend(f"{place.root}/a.csv", None, tmp_path, field=FIELD):
            pass
        assert list(tmp_path.iterdir()) == []
        assert self.found(place, "a.csv") == ["a.csv"], "the file itself stays"

    def test_a_file_that_is_gone_is_a_data_error(self, place, tmp_path):
        place.put("a.csv", b"one")
        place.remove("a.csv")
        uri = f"{place.root}/a.csv"
        with (
            pytest.raises(DataError, match="is not there any more") as caught,
            place.store.lend(uri, None, tmp_path, field=FIELD),
        ):
            pass
        assert caught.value.field == uri
        assert caught.value.mend

    def test_a_folder_is_all_that_is_visible_below_it(self, place):
        for name in ("d/b.csv", "d/a.csv", "d/sub/c.csv", "d/_SUCCESS", "d/.hidden", "d/_tmp/x.csv", "other/a.csv"):
            place.put(name, b"x")
        assert self.found(place, "d/") == ["d/a.csv", "d/b.csv", "d/sub/c.csv"]
        for folder in (f"{place.root}/d", f"{place.root}/d/"):
            files = place.store.files_at(folder, field=FIELD)
            assert [file.removeprefix(f"{place.root}/") for file in files] == ["d/a.csv", "d/b.csv", "d/sub/c.csv"]

    def test_a_pattern_stays_within_a_level_unless_it_says_otherwise(self, place):
        for name in ("d/b.csv", "d/a.csv", "d/sub/c.csv", "d/a.json", "other/a.csv"):
            place.put(name, b"x")
        assert self.found(place, "d/*.csv") == ["d/a.csv", "d/b.csv"]
        assert self.found(place, "**/*.csv") == ["d/a.csv", "d/b.csv", "d/sub/c.csv", "other/a.csv"]
        assert self.found(place, "d/[!b].csv") == ["d/a.csv"]
        assert self.found(place, "d/?.json") == ["d/a.json"]

    def test_names_are_literal_but_where_files_are_looked_for(self, place):
        for name in ("d/a.csv", "d/b.csv"):
            place.put(name, b"x")
        assert place.store.files_at(f"{place.root}/d/*.csv", field=FIELD) is None
        for name in ("d/*.csv", "d/", "d"):
            with pytest.raises(ConfigurationError, match="there is no such"):
                place.store.pin(f"{place.root}/{name}", field=FIELD)

    @pytest.mark.parametrize("name", ["nothing.csv", "no/*.csv"])
    def test_what_is_not_there_is_a_configuration_error_of_the_option(self, place, name):
        place.put("a.csv", b"x")
        with pytest.raises(ConfigurationError) as caught:
            place.store.find(f"{place.root}/{name}", field=FIELD)
        assert caught.value.field == FIELD
        assert caught.value.value == f"{place.root}/{name}"
        assert caught.value.mend

    def test_a_file_a_folder_without_files_and_nothing_are_told_apart(self, place):
        place.put("a.csv", b"x")
        place.put("empty/_SUCCESS", b"")
        assert place.store.files_at(f"{place.root}/a.csv", field=FIELD) == [f"{place.root}/a.csv"]
        assert place.store.files_at(f"{place.root}/empty", field=FIELD) == []
        assert place.store.files_at(f"{place.root}/nothing", field=FIELD) is None
