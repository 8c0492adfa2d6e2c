"""Files on this machine, pinned by the digest of their content. Relative paths start in the working folder."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from gauntlet.data.objects.store import StoredFile, gone, visible
from gauntlet.digest import digest_file
from gauntlet.errors import ConfigurationError, DataError, DependencyError
from gauntlet.storage import working_folder

_MOST_NAMED = 5
_WILDCARDS = frozenset("*?[")


class LocalFiles:
    """An ``ObjectStore`` of local paths; a URI is a path as the user wrote it, and relative ones stay relative."""

    def find(self, uri: str, *, field: str) -> list[StoredFile]:
        """Files by path, folder or pattern, sorted; a path that looks like a pattern but exists is itself."""
        return [_pinned(name) for name in _names(uri, field)]

    def pin(self, uri: str, *, field: str) -> StoredFile:
        """One file by its path."""
        if not _path(uri).is_file():
            raise ConfigurationError(
                "there is no such file", field=field, value=uri, mend=f"Looked at {_path(uri)}: correct the path"
            )
        return _pinned(uri)

    def files_at(self, uri: str, *, field: str) -> list[str] | None:
        """Absolute paths; links to folders are followed, and a folder that may not be read is an error."""
        path = _path(uri).resolve()
        if path.is_file():
            return [str(path)]
        if not path.is_dir():
            return None
        try:
            walk = list(os.walk(path, followlinks=True, onerror=_raise))
        except OSError as error:
            mend = "Give the account of this run read access to it"
            raise DependencyError("may not be read", field=field, value=str(error), mend=mend) from error
        files = (Path(folder, name) for folder, _, names in walk for name in names)
        return sorted(str(file) for file in files if visible(file.relative_to(path).as_posix()) and file.is_file())

    @contextmanager
    def lend(self, uri: str, version: str | None, scratch: Path, *, field: str) -> Iterator[Path]:
        """The file itself; with a version, checked at the start and again at the end."""
        path = _path(uri)
        if version is None:
            if not path.is_file():
                raise gone(uri)
            yield path
            return
        _require_version(path, uri, version)
        before = _size_and_time(path)
        yield path
        if _size_and_time(path) != before:
            raise _changed(uri, version)


def _path(uri: str) -> Path:
    return working_folder() / uri


def _names(uri: str, field: str) -> list[str]:
    path = _path(uri)
    if path.is_file():
        return [uri]
    if path.is_dir():
        names = [(Path(uri) / name).as_posix() for name in _below(path, uri)]
    elif _WILDCARDS & set(uri):
        matches = glob.glob(uri, root_dir=None if Path(uri).is_absolute() else working_folder(), recursive=True)
        names = sorted(name for name in matches if not _path(name).is_dir())
        _refuse_unreadable({name: _what_is_wrong(_path(name)) for name in names})
    elif os.path.lexists(path):
        _refuse_unreadable({uri: _what_is_wrong(path)})
        names = [uri]
    else:
        raise ConfigurationError(
            "there is no such file or folder", field=field, value=uri, mend=f"Looked at {path}: correct the path"
        )
    if not names:
        raise ConfigurationError(
            "names no file", field=field, value=uri, mend=f"Looked in {working_folder()}: correct it"
        )
    return names


def _below(folder: Path, uri: str) -> list[str]:
    """All files of a folder, relative to it, sorted: what is there and cannot be read is refused, not left out."""
    wrong: dict[str, str] = {}

    def unreadable(error: OSError) -> None:
        wrong[str(error.filename)] = f"a folder that cannot be read ({error.strerror})"

    names = []
    for place, folders, files in os.walk(folder, onerror=unreadable):
        inside = Path(place).relative_to(folder)
        for name in (*folders, *files):
            path, relative = Path(place, name), (inside / name).as_posix()
            if not visible(relative):
                continue
            if problem := _what_is_wrong(path):
                wrong[(Path(uri) / relative).as_posix()] = problem
            elif name in files:
                names.append(relative)
    _refuse_unreadable(wrong)
    return sorted(names)


def _what_is_wrong(path: Path) -> str:
    """Why what is there is no file or folder that can be read; empty where it is one."""
    try:
        os.fsencode(path).decode()
    except UnicodeDecodeError:
        return "a name that is not UTF-8"
    if path.is_symlink() and not path.exists():
        return f"a link to nothing ({path.readlink()})"
    if path.is_symlink() and path.is_dir():
        return "a link to a folder, which is not followed"
    return "" if path.is_file() or path.is_dir() else "no regular file (a pipe, socket or device)"


def _refuse_unreadable(found: Mapping[str, str]) -> None:
    """Raise for what is wrong with any of the names."""
    wrong = {name: problem for name, problem in sorted(found.items()) if problem}
    if not wrong:
        return
    (first, problem), count = next(iter(wrong.items())), len(wrong)
    named = [f"{_printable(name)}: {what}" for name, what in list(wrong.items())[:_MOST_NAMED]]
    raise DataError(
        f"is {problem}" + (f"; {count - 1} more cannot be read either" if count > 1 else ""),
        field=_printable(first),
        value=named if count > 1 else None,
        mend="Put the files themselves there, or take these away (what is hidden or begins with _ is left out)",
    )


def _printable(name: str) -> str:
    return os.fsencode(name).decode(errors="backslashreplace")


def _pinned(uri: str) -> StoredFile:
    path = _path(uri)
    try:
        return StoredFile(uri, digest_file(path), path.stat().st_size)
    except OSError as error:
        raise DataError("cannot be read", field=uri, value=error.strerror, mend="Check its permissions") from error


def _require_version(path: Path, uri: str, version: str) -> None:
    try:
        actual = digest_file(path)
    except OSError as error:
        raise DataError(
            "is not there any more", field=uri, value=error.strerror, mend="Resolve the sources again"
        ) from error
    if actual != version:
        raise _changed(uri, version)


def _changed(uri: str, version: str) -> DataError:
    return DataError("has changed since it was resolved", field=uri, value=version, mend="Resolve the sources again")


def _size_and_time(path: Path) -> tuple[int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_size, status.st_mtime_ns


def _raise(error: OSError) -> None:
    raise error
