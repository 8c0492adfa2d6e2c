"""Cache of pure tasks: restores a task's outputs when nothing it depends on has changed.

The cache key is computed from content alone: the component's name and code, the digest of its environment's lock
file, its parameters, the content and metadata of its input artifacts (a missing optional artifact is absent from the
key), and its outputs' names and types. Lineage is not part of the key: equal content is an equal input, whichever task
produced it.

An entry is a folder that is written atomically. Artifacts are copied in and copied out, so editing a run's artifacts
cannot change the entry (on file systems that share blocks between copies this costs no space), and every copy is
verified against the digest taken when the task succeeded: a damaged entry is a miss with a warning. Deleting the folder
is safe; entries unused for 30 days are evicted.
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
from gauntlet.orchestration.executor_messages import ExecutorInput, ExecutorOutput
from gauntlet.storage import whole_folder, write_json

FORMAT = "gauntlet.reuse/1"
_ENTRY = "entry.json"
_OUTPUTS = "outputs"
_MAX_UNUSED_DAYS = 30


@dataclass(frozen=True)
class TaskCache:
    """Cache of the outputs of pure tasks.

    Attributes:
        root: its folder; created when needed.
        warn: called with one sentence when an entry is damaged or cannot be written.
    """

    root: Path
    warn: Callable[[str], None]
    _digests: dict[Path, str] = field(default_factory=dict)
    """Digests of this run's artifacts, which do not change while it lasts."""

    def key(
        self, task: ExecutorInput, *, component: str, code: str, environment: str, variables: Mapping[str, str]
    ) -> str:
        """Compute the cache key of a task.

        Args:
            task: its executor input.
            component: the function's name.
            code: digest of the code it can reach.
            environment: digest of its environment's lock file.
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
                    artifact.name,
                    artifact.type,
                    self._digest(artifact.path),
                    {key: value for key, value in artifact.metadata.items() if key != LINEAGE_KEY},
                ]
                for artifact in task.inputs
            ],
            "outputs": [[artifact.name, artifact.type] for artifact in task.outputs],
            "results": sorted(task.message["outputs"].get("parameters", {})),
        }
        return digest_json(parts).removeprefix("sha256:")

    def restore(self, key: str, destination: Path) -> ExecutorOutput | None:
        """Copy the entry of ``key`` to the folder ``destination``.

        Returns:
            The task's output with its artifacts under ``destination``; ``None`` on a miss.
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
            self.warn(f"A cache entry is damaged and was not used ({error}): {entry}")
            shutil.rmtree(entry, ignore_errors=True)
            return None
        with suppress(OSError):
            os.utime(entry)  # marks it as used
        self._digests.update({destination / name: digest for name, digest in stored["artifacts"].items()})
        return ExecutorOutput(stored["output"]).moved(Path(_OUTPUTS), destination)

    def store(self, key: str, source: Path, output: ExecutorOutput) -> None:
        """Store a task's outputs. Failing to write is only a warning: the run itself is unaffected.

        Args:
            key: the task's key, computed before it ran.
            source: the folder that holds its artifacts.
            output: its executor output; with an artifact outside ``source`` it is not cached.
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
            self.warn(f"A result could not be written to the cache ({error})")

    def evict(self, days: float = _MAX_UNUSED_DAYS) -> None:
        """Remove entries that were neither stored nor restored for so many days."""
        oldest = time.time() - days * 24 * 3600
        for entry in self.root.iterdir() if self.root.is_dir() else ():
            with suppress(OSError):  # another run may remove it at the same time
                if entry.stat().st_mtime < oldest:
                    shutil.rmtree(entry)

    def _digest(self, path: Path) -> str:
        if path not in self._digests:
            self._digests[path] = digest_tree(path) if path.exists() else ""
        return self._digests[path]


def _copy(source: Path, destination: Path) -> None:
    if source.is_dir():
        shutil.copytree(source, destination)
    else:
        shutil.copy2(source, destination)
