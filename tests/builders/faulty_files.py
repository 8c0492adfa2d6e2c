"""Files of a folder on which any operation may fail, in this process, whoever runs the test."""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

Fault = Callable[[str, str], None]
"""Called with ``read`` or ``write``, and the path; raises what the operation then fails with."""
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT


def nothing(kind: str, path: str) -> None:
    """No fault."""


def failing(number: int, *kinds: str) -> Fault:
    """Every operation of these kinds fails with this error number."""

    def fault(kind: str, path: str) -> None:
        if kind in kinds:
            raise OSError(number, os.strerror(number), path)

    return fault


class FaultyFiles:
    """Operations on the files below a folder, with ``fault`` before each; others are as ever."""

    def __init__(self, folder: Path) -> None:
        self.fault: Fault = nothing
        self._below = str(folder)

    @contextmanager
    def installed(self) -> Iterator[FaultyFiles]:
        with pytest.MonkeyPatch.context() as patch:
            opened, opened_low = io.open, os.open

            def open_file(file: Any, mode: str = "r", *arguments: Any, **named: Any) -> Any:
                self._passed("write" if set(mode) & set("wax+") else "read", file)
                return opened(file, mode, *arguments, **named)

            def open_low(path: Any, flags: int, *arguments: Any, **named: Any) -> int:
                self._passed("write" if flags & _WRITING else "read", path)
                return opened_low(path, flags, *arguments, **named)

            patch.setattr(os, "fsync", lambda file: None)  # a test survives no loss of power
            patch.setattr(io, "open", open_file)
            patch.setattr(os, "open", open_low)
            for name in ("mkdir", "replace", "rename", "unlink", "truncate"):
                patch.setattr(os, name, self._writing(getattr(os, name)))
            yield self

    def _writing(self, operation: Callable[..., Any]) -> Callable[..., Any]:
        def call(path: Any, *arguments: Any, **named: Any) -> Any:
            self._passed("write", path)
            return operation(path, *arguments, **named)

        return call

    def _passed(self, kind: str, path: Any) -> None:
        if isinstance(path, str | os.PathLike) and str(path).startswith(self._below):
            self.fault(kind, str(path))
