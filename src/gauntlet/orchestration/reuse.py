"""Reusing what a pure task made before, when nothing it depends on has changed.

The key is made of content alone: the component's name and code, the digest of its environment's lock, its parameters,
the content and metadata of its input artifacts (an optional one that is not given is absent from the key), and its
outputs' names and types. Lineage stays out of it: the same content is the same input, whoever made it.

An entry is a folder that appears whole. Artifacts are copied in and copied out, so editing a run's artifacts cannot
reach the entry (on file systems that share blocks between copies this costs no space), and every copy is held against
the digest taken when the task succeeded: an entry that was damaged is a miss, and says so. Deleting the folder is safe;
what nobody used for a month goes by itself.
"""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gauntlet.digest import digest_json, digest_tree
from gauntlet.lineage.record import LINEAGE_KEY
from gauntlet.orchestration.exchange import TaskInput, TaskOutput
from gauntlet.storage import whole_folder, write_json

FORMAT = "gauntlet.reuse/1"
_ENTRY = "entry.json"
_OUTPUTS = "outputs"
_KEPT_DAYS = 30


@dataclass(frozen=True)
class Reuse:
    """A store of what pure tasks made.

    Attributes:
        root: its folder; made when needed.
        warn: takes one sentence when an entry is damaged or cannot be written.
    """

    root: Path
    warn: Callable[[str], None]
    _seen: dict[Path, str] = field(default_factory=dict)
    """Digests of artifacts of this run, which nobody changes while it lasts."""

    def key(self, task: TaskInput, *, component: str, code: str, environment: str, variables: Mapping[str, str]) -> str:
        """The key of a task.

        Args:
            task: its executor input.
            component: the function's name.
            code: digest of the code it can reach.
            environment: digest of its environment's lock.
            variables: environment variables that may change what it does.
        """
        parts = {
            "format": FORMAT,
            "component": component,
            "code": code,
            "environment": environment,
            "variables": dict(variables),
            "parameters": task.parameters,
            "inputs": [
                [
                    one.name,
                    one.type,
                    self._digest(one.path),
                    {k: v for k, v in one.metadata.items() if k != LINEAGE_KEY},
                ]
                for one in task.inputs
            ],
            "outputs": [[one.name, one.type] for one in task.outputs],
            "results": sorted(task.message["outputs"].get("parameters", {})),
        }
        return digest_json(parts).removeprefix("sha256:")

    def restore(self, key: str, destination: Path) -> TaskOutput | None:
        """Copy what was stored under ``key`` to the folder ``destination``.

        Returns:
            The task's output with its artifacts under ``destination``, or ``None`` if there is nothing usable.
        """
        entry = self.root / key
        if not entry.is_dir():
            return None
        try:
            stored = json.loads((entry / _ENTRY).read_text())
            if stored["digest"] != digest_json([stored["output"], stored["artifacts"]]):
                raise ValueError("its description was changed")
            with whole_folder(destination) as work:
                for name, digest in stored["artifacts"].items():
                    _copy(entry / _OUTPUTS / name, work / name)
                    if digest_tree(work / name) != digest:
                        raise ValueError(f"{name} was changed")
        except (OSError, ValueError, KeyError, TypeError) as error:
            self.warn(f"A stored result is damaged and was not used ({error}): {entry}")
            shutil.rmtree(entry, ignore_errors=True)
            return None
        with suppress(OSError):
            os.utime(entry)  # used today
        self._seen.update({destination / name: digest for name, digest in stored["artifacts"].items()})
        return TaskOutput(stored["output"]).moved(Path(_OUTPUTS), destination)

    def store(self, key: str, source: Path, output: TaskOutput) -> None:
        """Keep what a task made. A store that cannot be written is a warning: the run itself is fine.

        Args:
            key: the task's key, computed before it ran.
            source: the folder that holds its artifacts.
            output: its executor output; an artifact outside ``source`` makes it impossible to keep.
        """
        present = [artifact for artifact in output.artifacts if artifact.path.exists()]
        if any(artifact.path.parent != source for artifact in present):
            return
        digests = {artifact.path.name: self._digest(artifact.path) for artifact in present}
        message: Mapping[str, Any] = output.moved(source, Path(_OUTPUTS)).message
        try:
            with whole_folder(self.root / key) as work:
                (work / _OUTPUTS).mkdir()
                for name in digests:
                    _copy(source / name, work / _OUTPUTS / name)
                entry = {"format": FORMAT, "output": message, "artifacts": digests}
                write_json(work / _ENTRY, {**entry, "digest": digest_json([message, digests])})
        except OSError as error:
            self.warn(f"A result could not be stored for reuse ({error})")

    def forget(self, days: float = _KEPT_DAYS) -> None:
        """Remove what was neither made nor used for so many days."""
        oldest = time.time() - days * 24 * 3600
        for entry in self.root.iterdir() if self.root.is_dir() else ():
            with suppress(OSError):  # another run may be at it too
                if entry.stat().st_mtime < oldest:
                    shutil.rmtree(entry)

    def _digest(self, path: Path) -> str:
        if path not in self._seen:
            self._seen[path] = digest_tree(path) if path.exists() else ""
        return self._seen[path]


def _copy(source: Path, destination: Path) -> None:
    if source.is_dir():
        shutil.copytree(source, destination)
    else:
        shutil.copy2(source, destination)
