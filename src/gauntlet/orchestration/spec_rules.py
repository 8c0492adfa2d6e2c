"""Rules for compiled specs: names, caching, images, accelerators, deadlines, descriptions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from gauntlet.orchestration.declaration import Declaration
from gauntlet.orchestration.definition import NAME
from gauntlet.orchestration.graph import Spec, tasks_of
from gauntlet.orchestration.placement import CompileSettings

ACCELERATED = frozenset({"train_model"})
"""Components that may request an accelerator; in any other the device would be paid for and idle."""

LARGEST_BYTES = 32 * 1024 * 1024
"""The Kubeflow Pipelines API rejects a larger upload."""

_COMMAND = ["python3", "-m", "kfp.dsl.executor_main"]


def violations(spec: Spec, text: str, declared: Mapping[str, Declaration], settings: CompileSettings) -> list[str]:
    """List the rules that a compiled pipeline breaks.

    Args:
        spec: the spec as JSON, with ``platforms`` if it has a platform document.
        text: its YAML.
        declared: the components' declarations by function name.
        settings: the compile settings.

    Returns:
        One sentence for each violation; empty if there is none. A spec without a task is a violation.
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
        yield f"The name {name!r} is not valid: use lower case letters, digits and hyphens."
    if len(text.encode()) > LARGEST_BYTES:
        yield f"The spec has {len(text.encode()):,} bytes; an upload may have {LARGEST_BYTES:,}."


def _task_rules(spec: Spec, declared: Mapping[str, Declaration], settings: CompileSettings) -> Iterator[str]:
    tasks = tasks_of(spec)
    if not tasks:
        yield "The spec contains no task."
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
            yield f"{task.name}: requests {task.accelerator}; only {', '.join(sorted(ACCELERATED))} may."
        expected = settings.images.reference(declaration.image)
        if task.image != expected:
            yield f"{task.name}: runs in {task.image}, not in {expected}."
    for name, executor in spec["deploymentSpec"]["executors"].items():
        if executor.get("container", {}).get("command") != _COMMAND:
            yield f"{name}: has a custom command; a component's code belongs into its image."


def _deadline_rules(spec: Spec) -> Iterator[str]:
    """No task's timeout may exceed the run's deadline: a rollout would be killed half way."""
    kubernetes = spec.get("platforms", {}).get("kubernetes", {})
    deadline = int(kubernetes.get("pipelineConfig", {}).get("activeDeadlineSeconds", 0))
    for name, pod in kubernetes.get("deploymentSpec", {}).get("executors", {}).items():
        timeout = int(pod.get("activeDeadlineSeconds", 0))
        if deadline and timeout > deadline:
            yield f"{name}: timeout {timeout:,} s exceeds the run's {deadline:,} s: raise deadline_seconds."


def _description_rules(spec: Spec) -> Iterator[str]:
    places = {"the pipeline": spec["root"], **spec["components"]}
    for place, component in places.items():
        if "dag" in component and component is not spec["root"]:
            continue  # a condition or loop: the compiler generates its inputs
        for name in _undescribed(component.get("inputDefinitions", {})):
            yield f"{place.removeprefix('comp-')}: input {name} has no description; add it under Args."
        if component is spec["root"]:
            continue  # its outputs are those of its tasks
        for name in _undescribed(component.get("outputDefinitions", {})):
            yield f"{place.removeprefix('comp-')}: output {name} has no description; add it under Args or Returns."


def _undescribed(inputs: Mapping[str, Any]) -> Iterator[str]:
    for kind in ("parameters", "artifacts"):
        for name, definition in inputs.get(kind, {}).items():
            if not definition.get("description", "").strip():
                yield name
