"""Executor input and executor output: the two JSON messages between an orchestrator and a task.

The engine lets a task write into a temporary folder and moves it when the task has succeeded, so it rewrites the URIs
of outputs before and after the task. It passes inputs in the form in which a cluster's driver does, so that a task that
runs locally runs there as well.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gauntlet.storage import write_json

_OPTION = "--executor_input"
_STORE_SESSION = '{"Provider":"local","Params":{}}'


@dataclass(frozen=True)
class Artifact:
    """Artifact in an executor message.

    Attributes:
        name: the input's or output's name.
        type: schema title: ``system.HTML``.
        path: path of its content.
        metadata: scalars.
    """

    name: str
    type: str
    path: Path
    metadata: Mapping[str, Any]


@dataclass(frozen=True)
class ExecutorInput:
    """Executor input of a task."""

    message: Mapping[str, Any]

    @classmethod
    def of(cls, command: Sequence[str]) -> ExecutorInput:
        """Parse the executor input in a component's command line."""
        return cls(json.loads(command[command.index(_OPTION) + 1]))

    @property
    def parameters(self) -> Mapping[str, Any]:
        """Input parameters by name."""
        return dict(self.message.get("inputs", {}).get("parameterValues", {}))

    @property
    def inputs(self) -> tuple[Artifact, ...]:
        """Input artifacts, without missing optional ones."""
        return tuple(_artifacts(self.message.get("inputs", {}).get("artifacts", {})))

    @property
    def outputs(self) -> tuple[Artifact, ...]:
        """Output artifacts, to be written."""
        return tuple(_artifacts(self.message["outputs"].get("artifacts", {})))

    @property
    def output_file(self) -> Path:
        """Path at which the executor output is expected."""
        return Path(self.message["outputs"]["outputFile"])

    @property
    def job(self) -> str:
        """kfp.local's name of the run."""
        return self.output_file.parent.parent.name

    @property
    def task_key(self) -> str:
        """kfp.local's name of the task."""
        return self.output_file.parent.name

    def as_on_cluster(self, folder: Path, job: str, identity: Callable[[str], int]) -> ExecutorInput:
        """Rewrite the input as a cluster's driver would pass it, with output artifacts under ``folder``.

        As there, the job's name is replaced only where it is the whole value of a parameter, and input artifacts come
        from the metadata store (see ``as_stored``).

        Args:
            folder: folder for the task's output artifacts.
            job: the run's name, in place of kfp's own.
            identity: URI of an artifact → its number in the metadata store.
        """
        message = json.loads(json.dumps(self.message))
        for name, listed in message["outputs"].get("artifacts", {}).items():
            listed["artifacts"][0]["uri"] = str(folder / name)
        inputs = message.get("inputs", {})
        for listed in inputs.get("artifacts", {}).values():
            listed["artifacts"] = [as_stored(artifact, identity(artifact["uri"])) for artifact in listed["artifacts"]]
        parameters = inputs.get("parameterValues", {})
        parameters.update({name: job for name, value in parameters.items() if value == self.job})
        return ExecutorInput(message)

    def in_command(self, command: Sequence[str]) -> list[str]:
        """Replace the executor input in a command."""
        words = list(command)
        words[words.index(_OPTION) + 1] = json.dumps(self.message)
        return words


@dataclass(frozen=True)
class ExecutorOutput:
    """Executor output of a task."""

    message: Mapping[str, Any]

    @classmethod
    def read(cls, path: Path) -> ExecutorOutput:
        """Read a task's executor output; a task without outputs may write none."""
        return cls(json.loads(path.read_text()) if path.is_file() else {})

    @property
    def parameters(self) -> Mapping[str, Any]:
        """Output parameters by name."""
        return dict(self.message.get("parameterValues", {}))

    @property
    def artifacts(self) -> tuple[Artifact, ...]:
        """Output artifacts as written, without types (the executor input has them)."""
        return tuple(_artifacts(self.message.get("artifacts", {})))

    def moved(self, before: Path, after: Path) -> ExecutorOutput:
        """Rewrite the URIs for a move of the folder ``before`` to ``after``."""
        message = json.loads(json.dumps(self.message))
        for listed in message.get("artifacts", {}).values():
            for artifact in listed["artifacts"]:
                path = Path(artifact["uri"])
                if path.is_relative_to(before):
                    artifact["uri"] = str(after / path.relative_to(before))
        return ExecutorOutput(message)

    def write(self, path: Path) -> None:
        """Write the executor output to the path that kfp.local reads."""
        write_json(path, self.message)


def as_stored(artifact: Mapping[str, Any], number: int) -> dict[str, Any]:
    """Rewrite an input artifact as the driver of Kubeflow Pipelines 2.17 passes it to a task.

    Its name is its number in the metadata store, its type is dropped, numbers among its metadata are doubles, and two
    entries are added. Observed on a server; kfp.local passes on what was written instead.
    """
    metadata = {
        key: float(value) if isinstance(value, int) and not isinstance(value, bool) else value
        for key, value in artifact.get("metadata", {}).items()
    }
    added = {"display_name": artifact.get("name", ""), "store_session_info": _STORE_SESSION}
    return {
        "name": str(number),
        "type": {"instanceSchema": ""},
        "uri": artifact["uri"],
        "metadata": {**metadata, **added},
    }


def _artifacts(listing: Mapping[str, Any]) -> Iterator[Artifact]:
    for name, listed in sorted(listing.items()):
        for artifact in listed["artifacts"]:
            kind = artifact.get("type", {}).get("schemaTitle", "")
            yield Artifact(name, kind, Path(artifact["uri"]), artifact.get("metadata", {}))
