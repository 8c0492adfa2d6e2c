"""The identity of a model folder, and the check that has to come before loading one.

Loading a model runs what it holds: a pickle, or the module that its ``MLmodel`` names. So whoever knows which model to
expect verifies the digest first, on a copy of their own (``copy_model``), and loads that copy.

The digest covers every file but ``registered_model_meta``, which MLflow adds when a registered model is downloaded. It
says nothing of what lies elsewhere, so a folder that points elsewhere has none: by a link, or by a path in its
``MLmodel`` (code, data, artifacts) that leads out of it.
"""

from __future__ import annotations

import os
import re
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

from gauntlet.digest import digest_tree, short
from gauntlet.errors import BrokenArtifact, DataError

MLMODEL_FILE = "MLmodel"
ADDED_BY_DOWNLOAD = "registered_model_meta"
_SPECIAL = {stat.S_IFIFO: "a pipe", stat.S_IFSOCK: "a socket", stat.S_IFCHR: "a device", stat.S_IFBLK: "a device"}
_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:/")
_BY_LAST_NAME = "model_code_path"
"""Where the code lay when the model was saved; MLflow loads the file of that name from the model's folder."""
_NOT_OPENED = frozenset({"uri", "config", "loader_module"})
"""Keys of a flavor whose texts are no paths, or paths that nobody opens: MLflow notes where an artifact came from."""


def copy_model(folder: Path, to: Path) -> None:
    """Copy a model folder, after a look at what is in it: a link or a device would have no end.

    Args:
        folder: an MLflow model folder.
        to: the copy; must not exist.

    Raises:
        DataError: no model, or something in it is no file or folder of its own.
    """
    _require_model(folder)
    _require_plain(folder)
    # What became a link since is copied as one, and has no digest.
    shutil.copytree(folder, to, symlinks=True)


def digest_model(folder: Path) -> str:
    """Content digest of a model folder: the same bytes give the same digest wherever they lie.

    Raises:
        DataError: the folder holds no ``MLmodel``, something in it is no file or folder of its own, or its ``MLmodel``
            cannot be read or names what lies outside.
    """
    _require_model(folder)
    _require_plain(folder)
    _require_own_files(folder)
    return digest_tree(folder, keep=lambda name: name != ADDED_BY_DOWNLOAD)


def verify_model(folder: Path, expected: str) -> None:
    """Make sure that a model is the one expected. Reads files, loads nothing.

    Raises:
        DataError: as ``digest_model``, or its content differs.
    """
    found = digest_model(folder)
    if found != expected:
        raise BrokenArtifact(
            f"holds another model than expected ({short(expected)}…); it was not loaded",
            field=str(folder),
            value=found,
            mend="Fetch or train the model again, and find out who changed it",
        )


def _require_model(folder: Path) -> None:
    if not (folder / MLMODEL_FILE).is_file():
        raise DataError("is not an MLflow model", field=str(folder), mend="Give a folder that holds an MLmodel file")


def _require_plain(folder: Path) -> None:
    for entry in _entries(folder):
        shown = entry.path.encode(errors="surrogateescape").decode(errors="backslashreplace")
        if shown != entry.path:
            raise DataError("has a name that is not UTF-8", field=shown, mend="Rename it, or save the model again")
        if entry.is_symlink():
            raise DataError(
                "is a link; a model's digest covers only files of its own",
                field=shown,
                mend="Put the file itself there, or save the model again",
            )
        kind = stat.S_IFMT(entry.stat(follow_symlinks=False).st_mode)
        if kind not in (stat.S_IFREG, stat.S_IFDIR):
            what = _SPECIAL.get(kind, "no file")
            raise DataError(f"is {what}, which is no part of a model", field=shown, mend="Remove it")


def _entries(folder: Path) -> Iterator[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            found = sorted(entries, key=lambda entry: entry.name)
    except OSError as error:
        raise DataError(
            "cannot be read", field=str(folder), value=error.strerror, mend="Check who may read it"
        ) from error
    for entry in found:
        yield entry
        if entry.is_dir(follow_symlinks=False):
            yield from _entries(Path(entry.path))


def _require_own_files(folder: Path) -> None:
    document = _document(folder)
    flavors = document.get("flavors")
    example = document.get("saved_input_example_info")
    for path, value in (*_texts(flavors, "flavors"), *_texts(example, "saved_input_example_info")):
        key = path.rpartition(".")[2]
        inside = (folder / PurePosixPath(value).name).is_file() if key == _BY_LAST_NAME else not _leads_out(value)
        if not inside:
            raise DataError(
                "leads out of the model's folder, so the model's digest would not cover what it loads",
                field=f"{MLMODEL_FILE}: {path}",
                value=value,
                mend="Save the model with everything it loads inside its folder",
            )


def _document(folder: Path) -> dict[str, Any]:
    import yaml

    try:
        document = yaml.safe_load((folder / MLMODEL_FILE).read_text())
    except (OSError, UnicodeDecodeError, yaml.YAMLError, RecursionError) as error:
        raise DataError("its MLmodel cannot be read", field=str(folder), mend="Save the model again") from error
    return document if isinstance(document, dict) else {}


def _texts(value: object, path: str) -> Iterator[tuple[str, str]]:
    """Every text below a value that may be a path, with the way to it: ``flavors.python_function.code``."""
    waiting, seen = [(path, value)], set()
    while waiting:
        path, value = waiting.pop()
        if isinstance(value, str):
            yield path, value
        elif isinstance(value, dict | list) and id(value) not in seen:
            seen.add(id(value))  # YAML may name one list a billion times
            entries = value.items() if isinstance(value, dict) else enumerate(value)
            waiting.extend((f"{path}.{key}", one) for key, one in entries if key not in _NOT_OPENED)


def _leads_out(value: str) -> bool:
    posix, windows = PurePosixPath(value), PureWindowsPath(value)
    elsewhere = posix.is_absolute() or windows.is_absolute() or ".." in windows.parts
    return elsewhere or value.startswith("~") or _ADDRESS.match(value) is not None
