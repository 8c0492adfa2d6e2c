"""House rules, held against compiled specs: what was written counts, not what was meant."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from gauntlet.orchestration.declaration import Declaration
from gauntlet.orchestration.definition import NAME
from gauntlet.orchestration.graph import Spec, tasks_of
from gauntlet.orchestration.placement import CompileSettings

ACCELERATED = frozenset({"train_model"})
"""The components that may ask for an accelerator: a device held by a task that does not compute on it is money."""

LARGEST_BYTES = 32 * 1024 * 1024
"""The Kubeflow Pipelines API refuses a larger upload."""

_COMMAND = ["python3", "-m", "kfp.dsl.executor_main"]


def violations(spec: Spec, text: str, declared: Mapping[str, Declaration], settings: CompileSettings) -> list[str]:
    """What a compiled pipeline does that it may not.

    Args:
        spec: the spec as JSON, with ``platforms`` if it has a platform document.
        text: the file it is written as.
        declared: the components' declarations by function name.
        settings: what it was compiled with.

    Returns:
        One sentence each; empty when all is well. A spec in which there is nothing to check is a violation.
    """
    return [
        *_pipeline_rules(spec, text),
        *_task_rules(spec, declared, settings),
        *_deadline_rules(spec),
        *_description_rules(spec),
    ]


def _pipeline_rules(spec: Spec, text: str) -> Iterator[str]:
    name = spec["pipelineInfo"]["name"]
    if not NAME.match(name):
        yield f"The name {name!r} would be refused: use lower case letters, digits and hyphens."
    if len(text.encode()) > LARGEST_BYTES:
        yield f"The spec has {len(text.encode()):,} bytes; an upload may have {LARGEST_BYTES:,}."


def _task_rules(spec: Spec, declared: Mapping[str, Declaration], settings: CompileSettings) -> Iterator[str]:
    tasks = tasks_of(spec)
    if not tasks:
        yield "No task was found."
    for task in tasks:
        declaration = declared.get(task.component)
        if declaration is None:
            yield f"{task.name}: {task.component or 'its container'} is not declared with @component."
            continue
        if task.cached is not declaration.caching.cached:
            yield f"{task.name}: is {declaration.caching.value} and {'cached' if task.cached else 'not cached'}."
        if not (declaration.caching.cached or task.bound):
            yield f"{task.name}: is {declaration.caching.value} and not bound to its run; a cache could answer it."
        if task.accelerator and task.component not in ACCELERATED:
            yield f"{task.name}: asks for {task.accelerator}; only {', '.join(sorted(ACCELERATED))} may."
        expected = settings.images.reference(declaration.image)
        if task.image != expected:
            yield f"{task.name}: runs in {task.image}, not in {expected}."
    for name, executor in spec["deploymentSpec"]["executors"].items():
        if executor.get("container", {}).get("command") != _COMMAND:
            yield f"{name}: carries a command of its own; components live in images."


def _deadline_rules(spec: Spec) -> Iterator[str]:
    """A run that ends before one of its tasks may has the wrong deadline: a rollout would be cut off half way."""
    kubernetes = spec.get("platforms", {}).get("kubernetes", {})
    deadline = int(kubernetes.get("pipelineConfig", {}).get("activeDeadlineSeconds", 0))
    for name, pod in kubernetes.get("deploymentSpec", {}).get("executors", {}).items():
        timeout = int(pod.get("activeDeadlineSeconds", 0))
        if deadline and timeout > deadline:
            yield f"{name}: may take {timeout:,} s, the whole run {deadline:,} s: raise deadline_seconds."


def _description_rules(spec: Spec) -> Iterator[str]:
    places = {"the pipeline": spec["root"], **spec["components"]}
    for place, component in places.items():
        if "dag" in component and component is not spec["root"]:
            continue  # a condition or loop: its inputs are made up by the compiler
        for name in _undescribed(component.get("inputDefinitions", {})):
            yield f"{place.removeprefix('comp-')}: input {name} has no description; add it under Args."


def _undescribed(inputs: Mapping[str, Any]) -> Iterator[str]:
    for kind in ("parameters", "artifacts"):
        for name, definition in inputs.get(kind, {}).items():
            if not definition.get("description", "").strip():
                yield name
