"""The two JSON messages between an orchestrator and a task: executor input and executor output.

The engine lets a task write into a folder of its own and moves the folder when all is well, so it rewrites where
outputs go before the task and where they are after it. And it hands inputs over as the driver of a cluster does, so
that a task that runs here runs there.
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
    """An artifact as the messages show it.

    Attributes:
        name: the input's or output's name.
        type: schema title: ``system.HTML``.
        path: where its content lies or will lie.
        metadata: scalars.
    """

    name: str
    type: str
    path: Path
    metadata: Mapping[str, Any]


@dataclass(frozen=True)
class TaskInput:
    """An executor input."""

    message: Mapping[str, Any]

    @classmethod
    def of(cls, command: Sequence[str]) -> TaskInput:
        """Read it from a component's command line."""
        return cls(json.loads(command[command.index(_OPTION) + 1]))

    @property
    def parameters(self) -> Mapping[str, Any]:
        """Input parameters by name."""
        return dict(self.message.get("inputs", {}).get("parameterValues", {}))

    @property
    def inputs(self) -> tuple[Artifact, ...]:
        """Input artifacts; an optional one that was not given is not among them."""
        return tuple(_artifacts(self.message.get("inputs", {}).get("artifacts", {})))

    @property
    def outputs(self) -> tuple[Artifact, ...]:
        """Output artifacts, to be written."""
        return tuple(_artifacts(self.message["outputs"].get("artifacts", {})))

    @property
    def output_file(self) -> Path:
        """Where the executor output is expected."""
        return Path(self.message["outputs"]["outputFile"])

    @property
    def job(self) -> str:
        """The name that kfp.local gave this run."""
        return self.output_file.parent.parent.name

    @property
    def task_key(self) -> str:
        """The name that kfp.local gave this task."""
        return self.output_file.parent.name

    def settled(self, folder: Path, job: str, identity: Callable[[str], int]) -> TaskInput:
        """The same input as a cluster would give it, with output artifacts under ``folder``.

        As there, the job's name is known only as the whole value of a parameter, and input artifacts come out of the
        metadata store (see ``as_stored``).

        Args:
            folder: where the task may write.
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
        return TaskInput(message)

    def into(self, command: Sequence[str]) -> list[str]:
        """The command with this input in place of its own."""
        words = list(command)
        words[words.index(_OPTION) + 1] = json.dumps(self.message)
        return words


@dataclass(frozen=True)
class TaskOutput:
    """An executor output."""

    message: Mapping[str, Any]

    @classmethod
    def read(cls, path: Path) -> TaskOutput:
        """Read what a task said; a task without outputs may say nothing."""
        return cls(json.loads(path.read_text()) if path.is_file() else {})

    @property
    def parameters(self) -> Mapping[str, Any]:
        """Output parameters by name."""
        return dict(self.message.get("parameterValues", {}))

    @property
    def artifacts(self) -> tuple[Artifact, ...]:
        """Output artifacts as written; their types are left to the input."""
        return tuple(_artifacts(self.message.get("artifacts", {})))

    def moved(self, before: Path, after: Path) -> TaskOutput:
        """The same output after the folder ``before`` became ``after``."""
        message = json.loads(json.dumps(self.message))
        for listed in message.get("artifacts", {}).values():
            for artifact in listed["artifacts"]:
                path = Path(artifact["uri"])
                if path.is_relative_to(before):
                    artifact["uri"] = str(after / path.relative_to(before))
        return TaskOutput(message)

    def write(self, path: Path) -> None:
        """Write it where kfp.local looks for it."""
        write_json(path, self.message)


def as_stored(artifact: Mapping[str, Any], number: int) -> dict[str, Any]:
    """An artifact as the driver of Kubeflow Pipelines 2.17 hands it to the task that reads it.

    Its name is its number in the metadata store, its type is lost, numbers among its metadata are doubles, and two
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
