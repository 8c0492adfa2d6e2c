"""Writing so that an output appears whole or not at all, and saying that there is none.

Everything is written beside its destination under a temporary name and renamed into place at the end; a failure on the
way leaves nothing behind.

**Absence.** Pipelines are static, so an optional input (no champion yet, no serving log) is still an artifact: a
folder that holds nothing but ``absent.json``, which says why. Whoever reads an optional input asks ``absence`` first.
"""

from __future__ import annotations

import json
import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

ABSENT_FILE = "absent.json"
WORKDIR = "GAUNTLET_WORKDIR"


@contextmanager
def whole_folder(destination: Path) -> Iterator[Path]:
    """Yield a fresh folder that becomes ``destination`` when the block ends without an error.

    An existing ``destination`` is replaced at the end; until then it is untouched.
    """
    work = _beside(destination)
    work.mkdir(parents=True)
    try:
        yield work
        if destination.is_dir():
            shutil.rmtree(destination)
        elif destination.exists():
            destination.unlink()
        work.rename(destination)
    except BaseException:
        shutil.rmtree(work, ignore_errors=True)
        raise


def write_text(destination: Path, text: str) -> None:
    """Write a text file whole or not at all."""
    write_bytes(destination, text.encode())


def write_bytes(destination: Path, content: bytes, *, durable: bool = False) -> None:
    """Write a file whole or not at all.

    Args:
        destination: the file.
        content: of it.
        durable: whole also after a loss of power, which may otherwise keep the new name and lose the content.
    """
    destination.parent.mkdir(parents=True, exist_ok=True)
    work = _beside(destination)
    try:
        with work.open("wb") as stream:
            stream.write(content)
            if durable:
                stream.flush()
                os.fsync(stream.fileno())
        os.replace(work, destination)
    except BaseException as error:
        with suppress(OSError):
            work.unlink(missing_ok=True)
        if isinstance(error, OSError) and error.filename is None:
            error.filename = str(destination)  # what a full disk refuses names no file
        raise


def write_json(destination: Path, value: object, *, durable: bool = False) -> None:
    """Write readable JSON (sorted keys, two spaces, no NaN) whole or not at all; ``durable`` as of ``write_bytes``."""
    text = json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False)
    write_bytes(destination, (text + "\n").encode(), durable=durable)


def write_absent(destination: Path, reason: str) -> None:
    """Write the artifact that says there is none, and why (``reason``: one sentence)."""
    with whole_folder(destination) as folder:
        write_json(folder / ABSENT_FILE, {"absent": reason})


def absence(path: Path) -> str | None:
    """Why there is nothing at ``path``, or ``None`` when there is something."""
    marker = path / ABSENT_FILE
    if not marker.is_file():
        return None
    return str(json.loads(marker.read_text())["absent"])


def _beside(destination: Path) -> Path:
    return destination.with_name(f".{destination.name}.{uuid.uuid4().hex[:8]}.partial")


def working_folder() -> Path:
    """Where relative paths start: the engine runs tasks in folders of their own and says here where the user stood."""
    return Path(os.environ.get(WORKDIR, "."))
