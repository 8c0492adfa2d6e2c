"""A disk so small that a test can fill it."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

_BALLAST = "ballast"


@contextmanager
def small_disk(folder: Path, size: str = "2m") -> Iterator[Path]:
    """A file system of its own at a folder, for as long as the block; skips the test where none may be mounted."""
    if os.geteuid() != 0:
        pytest.skip("only root may mount a small disk: run as root")
    folder.mkdir(parents=True, exist_ok=True)
    words = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)]
    mounted = subprocess.run(words, capture_output=True, text=True, check=False)
    if mounted.returncode != 0:
        pytest.skip(f"no small disk can be mounted here: {mounted.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fill(folder: Path) -> None:
    """Leave no room on the disk of a folder."""
    with (folder / _BALLAST).open("wb", buffering=0) as ballast:
        for size in (1 << 16, 1 << 12, 1):
            try:
                while True:
                    ballast.write(b"x" * size)
            except OSError:
                continue


def set_read_only(folder: Path) -> None:
    """Have the small disk of a folder take no more writes; a process that was just killed may hold it for a moment."""
    place = next(path for path in (folder, *folder.parents) if path.is_mount())
    for _ in range(100):
        if subprocess.run(["mount", "-o", "remount,ro", str(place)], capture_output=True, check=False).returncode == 0:
            return
        time.sleep(0.05)
    raise AssertionError(f"{place} is written to all the time")


def make_room(folder: Path) -> None:
    """Undo ``fill``."""
    (folder / _BALLAST).unlink()
