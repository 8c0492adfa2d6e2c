"""Processes that call components, and the model server, again and again, each in its image's environment.

A run of a pipeline starts Python once a task and imports TensorFlow or MLflow anew each time, which takes most of it.
Hundreds of drawn tables go through the same components with the imports paid once. As a script: the process itself.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

ROOT = Path(__file__).resolve().parents[2]


class ComponentFailedError(AssertionError):
    """A component ended in an error: what it wrote on standard error."""


class Worker:
    """A process in the environment of an image. Use it as a context manager.

    Args:
        environment: the image's name.
        folder: where it runs and writes ``ENVIRONMENT.log``.
    """

    def __init__(self, environment: str, folder: Path) -> None:
        self._environment, self._folder = environment, folder

    def __enter__(self) -> Self:
        path = ":".join(str(ROOT / part) for part in ("src", "tests", ".environments/test-tools"))
        variables = {
            **os.environ,
            "PYTHONPATH": path,
            "_KFP_RUNTIME": "true",
            "OMP_NUM_THREADS": "1",
            "MLFLOW_TRACKING_URI": f"sqlite:///{self._folder}/mlflow.db",
        }
        python = ROOT / ".environments" / self._environment / "bin" / "python"
        self._log = (self._folder / f"{self._environment}.log").open("w")
        self._process = subprocess.Popen(
            [python, __file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            cwd=self._folder,
            env=variables,
            text=True,
        )
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()
        self._log.close()

    def call(self, name: str, artifacts: Mapping[str, tuple[str, Path, Mapping[str, Any]]], **parameters: Any) -> Any:
        """Call ``image/component``, ``answers`` or ``scores``.

        Args:
            name: what to call.
            artifacts: argument → type, path, metadata; what the component adds to the metadata is added here.
            parameters: the others.

        Raises:
            ComponentFailedError: it did not end well.
        """
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        given = {argument: (kind, str(path), dict(found)) for argument, (kind, path, found) in artifacts.items()}
        self._process.stdin.write(json.dumps({"name": name, "artifacts": given, "parameters": parameters}) + "\n")
        self._process.stdin.flush()
        answer = json.loads(self._process.stdout.readline())
        if answer["error"]:
            raise ComponentFailedError(f"{name}: {answer['error']}")
        for argument, (_, _, found) in artifacts.items():
            if isinstance(found, dict):
                found.update(answer["metadata"][argument])
        return answer["result"]


def _answers(model: Any, snapshot: Any, digest: str) -> list[list[float]]:
    """Scores of the test split as the server gives them: by v1's instances and inputs, and by v2."""
    from gauntlet.data.snapshot import Snapshot
    from gauntlet.serving import protocol_v1, protocol_v2
    from gauntlet.serving.loading import open_served

    names = Snapshot.open(Path(snapshot.path)).features
    table = Snapshot.open(Path(snapshot.path)).table("test", list(names))
    held = {name: table.column(name).to_pylist() for name in names}
    tensors = [{"name": name, **_tensor(values)} for name, values in held.items()]
    with open_served(Path(model.path), digest) as served:
        # Through JSON, as requests come.
        instances = json.loads(json.dumps({"instances": table.to_pylist()}))
        rows = [
            protocol_v1.parse(instances, served.contract),
            protocol_v1.parse(json.loads(json.dumps({"inputs": held})), served.contract),
            protocol_v2.parse(json.loads(json.dumps({"inputs": tensors})), served.contract).rows,
        ]
        return [served.answer(one).columns[1].tolist() for one in rows]


def _scores(predictions: Any) -> list[float]:
    """Scores of a prediction, in the order of its rows."""
    from gauntlet.prediction.format import read_rows

    scores: list[float] = read_rows(Path(predictions.path)).column("score").to_pylist()
    return scores


_BESIDES = {"answers": _answers, "scores": _scores}
"""What can be called beside components."""


def _tensor(values: list[Any]) -> dict[str, Any]:
    kinds = {str: "BYTES", bool: "BOOL", int: "INT64", float: "FP64"}
    return {"datatype": kinds[type(values[0])], "shape": [len(values)], "data": values}


def _call(asked: Mapping[str, Any]) -> dict[str, Any]:
    from builders.artifacts import artifact, load_component

    given = {
        argument: artifact(kind, Path(path), **found) for argument, (kind, path, found) in asked["artifacts"].items()
    }
    try:
        function = _BESIDES.get(asked["name"]) or load_component(*asked["name"].split("/"))
        result = function(**given, **asked["parameters"])
        error = ""
    except BaseException as caught:  # a component ends its process with SystemExit
        traceback.print_exc()
        result, error = None, str(caught.__cause__ or caught) or type(caught).__name__
    return {
        "result": result,
        "error": error,
        "metadata": {argument: dict(one.metadata) for argument, one in given.items()},
    }


def _serve_calls() -> None:
    # Libraries print on standard output, which answers go through: they get standard error instead.
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    for line in sys.stdin:
        answers.write(json.dumps(_call(json.loads(line))) + "\n")
        answers.flush()


if __name__ == "__main__":
    _serve_calls()
