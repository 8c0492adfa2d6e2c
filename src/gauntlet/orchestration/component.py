"""``@component``: declares a function as a component, at compile time and inside its container.

At compile time it makes a containerized KFP component: the spec holds an image and a function name, no source code.
Inside a container (``_KFP_RUNTIME=true``) there is no pipeline compiler, only kfp's executor, which imports the
component's file and calls the function; there the decorator hands over whole numbers as the user wrote them, records
lineage, says on pages what they are about, and turns a ``GauntletError`` into an exit code, and into JSON if
``GAUNTLET_ERROR_FILE`` is set; the error of a full disk, a quota or a permission as well.
"""

from __future__ import annotations

import functools
import inspect
import json
import math
import os
import sys
import traceback
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from gauntlet.digest import digest_tree
from gauntlet.errors import GauntletError, InternalError, environment_error
from gauntlet.lineage.origin import origin_of
from gauntlet.lineage.record import DIGEST_KEY, LINEAGE_KEY, Record, extend, merge
from gauntlet.orchestration.declaration import ERROR_FILE, HTML_TYPE, RUN_ID, Caching, interface
from gauntlet.orchestration.users_keys import in_users_keys
from gauntlet.redaction import without_secrets
from gauntlet.storage import write_json, write_text

__all__ = ["Caching", "component", "with_whole_numbers"]

_VERDICT = "verdict"
"""The output of every gate that holds its verdict."""
_LARGEST_EXACT = 2**53
"""Beyond it a double may stand for several whole numbers."""


def component(*, image: str, caching: Caching) -> Callable[[Callable[..., Any]], Any]:
    """Declare a function as a component.

    Args:
        image: name of the folder under ``containers/`` that holds everything the function imports.
        caching: the component's class.

    Returns:
        A decorator: at compile time it returns the KFP component, at run time the function with lineage recording.
    """

    def decorate(function: Callable[..., Any]) -> Any:
        if os.environ.get("_KFP_RUNTIME") == "true":
            return _wrap_at_run_time(function, image, caching)
        from gauntlet.orchestration.definition import define_component

        return define_component(function, image=image, caching=caching)

    return decorate


def _wrap_at_run_time(function: Callable[..., Any], image: str, caching: Caching) -> Callable[..., Any]:
    @functools.wraps(function)
    def run(**arguments: Any) -> Any:
        if not caching.cached:
            arguments.pop(RUN_ID, None)
        arguments = {name: with_whole_numbers(value) for name, value in arguments.items()}
        try:
            result = function(**arguments)
            _show_verdict(arguments)
            record, behind = _record_lineage(function, image, arguments)
            _say_what_pages_are_about(arguments, record, behind)
        except (GauntletError, OSError) as raised:
            error = environment_error(raised) if isinstance(raised, OSError) else raised
            if error is None:
                raise
            if error is not raised:
                error.__cause__ = raised
            error = in_users_keys(error, function.__name__)
            if error.__cause__ is not None:
                # Libraries quote addresses in their errors, with the passwords in them.
                sys.stderr.write(without_secrets("".join(traceback.format_exception(error.__cause__))))
            sys.stderr.write(f"\n{without_secrets(error.line)}\n")
            if error_file := os.environ.get(ERROR_FILE):
                with suppress(OSError):  # on a full disk the exit code still gives the kind of error
                    write_json(Path(error_file), {**error.to_json(), "error": without_secrets(error.line)})
            raise SystemExit(error.exit_code) from error
        return result

    # kfp's executor reads the arguments from the signature, and the artifact classes from the annotations.
    signature = interface(function, caching)
    run.__signature__ = signature  # type: ignore[attr-defined]
    run.__annotations__ = {name: parameter.annotation for name, parameter in signature.parameters.items()}
    if signature.return_annotation is not inspect.Signature.empty:
        run.__annotations__["return"] = signature.return_annotation
    return run


def with_whole_numbers(value: Any) -> Any:
    """Undo what Kubeflow Pipelines does to lists and mappings, whose numbers it passes as doubles: 8 arrives as 8.0.

    A number of its own is passed by its type and stays as it is; so does -0.0, which no whole number is.
    """
    if isinstance(value, dict):
        return {key: _whole(part) for key, part in value.items()}
    return [_whole(part) for part in value] if isinstance(value, list) else value


def _whole(value: Any) -> Any:
    if isinstance(value, float):
        exact = value.is_integer() and abs(value) <= _LARGEST_EXACT and (value != 0 or math.copysign(1, value) > 0)
        return int(value) if exact else value
    return with_whole_numbers(value)


def _record_lineage(
    function: Callable[..., Any], image: str, arguments: dict[str, Any]
) -> tuple[Record, tuple[Record, ...]]:
    """Record a task's lineage on its outputs.

    Returns:
        Its record, and those behind its inputs.
    """
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
        fetched = str(artifact.metadata.get(LINEAGE_KEY, ""))  # lineage of an artifact fetched from a store
        artifact.metadata[DIGEST_KEY] = record.outputs[name]
        artifact.metadata[LINEAGE_KEY] = extend(record, (*chains, fetched))
    return record, merge(chains)


def _show_verdict(arguments: Mapping[str, Any]) -> None:
    """Put what a gate found into the metadata of its verdict, where a list of artifacts shows it."""
    artifact: Any = arguments.get(_VERDICT)
    if hasattr(artifact, "metadata") and os.path.isfile(artifact.path):
        from gauntlet.verdict import Verdict

        found = Verdict.read(Path(artifact.path))
        artifact.metadata |= {"gate": found.gate, "status": found.status.value, "summary": found.summary}


def _say_what_pages_are_about(arguments: dict[str, Any], record: Record, behind: tuple[Record, ...]) -> None:
    """Fill in the model, label, data and split on the pages that the task wrote."""
    pages = [value for value in arguments.values() if getattr(value, "schema_title", "") == HTML_TYPE]
    for page in (Path(page.path) for page in pages):
        if page.is_file():
            from gauntlet.reports.masthead import with_facts

            write_text(page, with_facts(page.read_text(), origin_of(record, behind).facts))


def _require_portable(output: str, metadata: Mapping[str, Any]) -> None:
    """Reject metadata that a cluster's launcher cannot read: there the task would fail after its work was done."""
    for key, value in metadata.items():
        try:
            json.dumps(value, allow_nan=False)
        except (TypeError, ValueError):
            portable = False
        else:
            portable = value is not None
        if not portable:
            raise InternalError(
                "is not a finite number, string or boolean, which Kubeflow Pipelines cannot store",
                field=f"metadata of {output}: {key}",
                value=value,
                mend="Remove it",
            )


def _parameters(
    function: Callable[..., Any], arguments: dict[str, Any], artifacts: Mapping[str, Any]
) -> dict[str, Any]:
    """Parameters of a task, defaults included (a default seed belongs into the lineage).

    ``None`` is an optional artifact that is not connected; parameters are never ``None``.
    """
    bound = inspect.signature(function).bind(**arguments)
    bound.apply_defaults()
    return {name: value for name, value in bound.arguments.items() if name not in artifacts and value is not None}


def _carries_lineage(artifact: Any) -> bool:
    """Whether lineage is recorded on an artifact: not on reports, nor on Metrics, whose metadata are the metrics."""
    return artifact.schema_title in {"system.Dataset", "system.Model", "system.Artifact"}


def _digest_of(artifact: Any) -> str:
    recorded = artifact.metadata.get(DIGEST_KEY)
    return str(recorded) if recorded else digest_tree(Path(artifact.path))
