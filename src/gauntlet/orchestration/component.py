"""``@component``: one function, the same at compile time and inside its container.

At compile time it makes a containerized KFP component: the spec holds an image and a function name, no source code.
Inside a container (``_KFP_RUNTIME=true``) there is no pipeline compiler, only kfp's small executor, which imports the
component's file and calls the function; there the decorator adds lineage and turns Gauntlet's errors into exit codes,
and into JSON where the environment names a file for it.
"""

from __future__ import annotations

import functools
import inspect
import json
import os
import sys
import traceback
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from gauntlet.digest import digest_tree
from gauntlet.errors import GauntletError, InternalError
from gauntlet.lineage.record import DIGEST_KEY, LINEAGE_KEY, Record, extend
from gauntlet.orchestration.declaration import ERROR_FILE, RUN_ID, Caching, interface
from gauntlet.storage import write_json

__all__ = ["Caching", "component"]


def component(*, image: str, caching: Caching) -> Callable[[Callable[..., Any]], Any]:
    """Declare a function as a component.

    Args:
        image: name of the folder under ``containers/`` that holds everything the function imports.
        caching: the component's class.

    Returns:
        A decorator: at compile time the KFP component, at run time the function with lineage around it.
    """

    def decorate(function: Callable[..., Any]) -> Any:
        if os.environ.get("_KFP_RUNTIME") == "true":
            return _at_run_time(function, image, caching)
        from gauntlet.orchestration.definition import define_component

        return define_component(function, image=image, caching=caching)

    return decorate


def _at_run_time(function: Callable[..., Any], image: str, caching: Caching) -> Callable[..., Any]:
    @functools.wraps(function)
    def run(**arguments: Any) -> Any:
        if not caching.cached:
            arguments.pop(RUN_ID, None)
        try:
            result = function(**arguments)
            _record_lineage(function, image, arguments)
        except GauntletError as error:
            if error.__cause__ is not None:
                traceback.print_exception(error.__cause__)
            sys.stderr.write(f"\n{error.line}\n")
            if place := os.environ.get(ERROR_FILE):
                with suppress(OSError):  # on a full disk the exit code still says who has to act
                    write_json(Path(place), error.to_json())
            raise SystemExit(error.exit_code) from error
        return result

    # kfp's executor reads the signature for what to pass, and the annotations for what to make of an artifact.
    signature = interface(function, caching)
    run.__signature__ = signature  # type: ignore[attr-defined]
    run.__annotations__ = {name: parameter.annotation for name, parameter in signature.parameters.items()}
    if signature.return_annotation is not inspect.Signature.empty:
        run.__annotations__["return"] = signature.return_annotation
    return run


def _record_lineage(function: Callable[..., Any], image: str, arguments: dict[str, Any]) -> None:
    from kfp.dsl.types.type_annotations import is_artifact_wrapped_in_Output

    artifacts = {name: value for name, value in arguments.items() if hasattr(value, "metadata")}
    is_output = {name: is_artifact_wrapped_in_Output(function.__annotations__[name]) for name in artifacts}
    inputs = {name: artifact for name, artifact in artifacts.items() if not is_output[name]}
    outputs = {
        name: artifact
        for name, artifact in artifacts.items()
        if is_output[name] and _carries_lineage(artifact) and os.path.exists(artifact.path)
    }
    record = Record(
        component=function.__name__,
        image=image,
        environment=os.environ.get("GAUNTLET_LOCK_DIGEST", ""),
        code=os.environ.get("GAUNTLET_CODE_REVISION", ""),
        parameters=_parameters(function, arguments, artifacts),
        inputs={name: _digest_of(artifact) for name, artifact in inputs.items()},
        outputs={name: _digest_of(artifact) for name, artifact in outputs.items()},
    )
    chains = [str(artifact.metadata.get(LINEAGE_KEY, "")) for artifact in inputs.values()]
    for name, artifact in artifacts.items():
        if is_output[name]:
            _require_portable(name, artifact.metadata)
    for name, artifact in outputs.items():
        own = str(artifact.metadata.get(LINEAGE_KEY, ""))  # a component that fetches brings the history along
        artifact.metadata[DIGEST_KEY] = record.outputs[name]
        artifact.metadata[LINEAGE_KEY] = extend(record, (*chains, own))


def _require_portable(output: str, metadata: Mapping[str, Any]) -> None:
    """Refuse metadata that a cluster's launcher could not read: there, the task would fail after its work was done."""
    for key, value in metadata.items():
        try:
            json.dumps(value, allow_nan=False)
        except (TypeError, ValueError):
            portable = False
        else:
            portable = value is not None
        if not portable:
            raise InternalError(
                "is not a finite number, text or truth value, which Kubeflow Pipelines cannot keep",
                field=f"metadata of {output}: {key}",
                value=value,
                mend="Leave it out",
            )


def _parameters(
    function: Callable[..., Any], arguments: dict[str, Any], artifacts: Mapping[str, Any]
) -> dict[str, Any]:
    """The parameters a task ran with, defaults included: a seed left at its default is a seed.

    ``None`` is an optional artifact that is not connected; parameters are never ``None``.
    """
    bound = inspect.signature(function).bind(**arguments)
    bound.apply_defaults()
    return {name: value for name, value in bound.arguments.items() if name not in artifacts and value is not None}


def _carries_lineage(artifact: Any) -> bool:
    """Reports and metrics end a chain; and a Metrics artifact's metadata are the metrics."""
    return artifact.schema_title in {"system.Dataset", "system.Model", "system.Artifact"}


def _digest_of(artifact: Any) -> str:
    known = artifact.metadata.get(DIGEST_KEY)
    return str(known) if known else digest_tree(Path(artifact.path))
