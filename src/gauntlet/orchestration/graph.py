"""Task graph of a compiled pipeline: each task and its upstream tasks, with nested groups flattened."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from graphlib import TopologicalSorter
from typing import Any

from gauntlet.orchestration.declaration import RUN_ID

_JOB_ID = "{{$.pipeline_job_uuid}}"
"""``dsl.PIPELINE_JOB_ID_PLACEHOLDER``, without kfp's compiler."""
_FILE_NAME = re.compile(r"^[A-Za-z0-9][A-Za-z0-9._-]*$")

Spec = Mapping[str, Any]
"""Pipeline spec as JSON: ``json_format.MessageToDict`` of it, or the first document of its YAML."""


@dataclass(frozen=True)
class Task:
    """Task of a compiled pipeline.

    Attributes:
        name: its display name if that is unique and a valid file name, else ``key``.
        key: kfp's name, unique in the pipeline: ``batch-predict-2``.
        component: the component's function name: ``batch_predict``.
        image: image reference.
        cached: whether the spec enables caching.
        bound: whether the run's identifier, filled in by the backend, is among its inputs.
        accelerator: requested device type; empty if none.
        after: names of its upstream tasks.
    """

    name: str
    key: str
    component: str
    image: str
    cached: bool
    bound: bool = False
    accelerator: str = ""
    after: tuple[str, ...] = ()


def tasks_of(spec: Spec) -> tuple[Task, ...]:
    """List all tasks with a container in topological order, otherwise alphabetical.

    A task inside a condition or loop inherits the upstream tasks of the group; a task after a group depends on the
    group's last tasks. Groups themselves are not listed.
    """
    flat: dict[str, tuple[Mapping[str, Any], set[str]]] = {}
    _flatten(spec, spec["root"]["dag"]["tasks"], frozenset(), flat)
    by_key = {key: _task(spec, key, task) for key, (task, _) in flat.items()}
    name_counts = Counter(task.name for task in by_key.values())
    names = {
        key: task.name if name_counts[task.name] == 1 and task.name not in by_key else key
        for key, task in by_key.items()
    }
    order = TopologicalSorter({key: sorted(after) for key, (_, after) in sorted(flat.items())}).static_order()
    return tuple(
        replace(by_key[key], name=names[key], after=tuple(sorted(names[other] for other in flat[key][1])))
        for key in order
    )


def _flatten(
    spec: Spec,
    tasks: Mapping[str, Any],
    outer: frozenset[str],
    flat: dict[str, tuple[Mapping[str, Any], set[str]]],
) -> frozenset[str]:
    """Add the tasks of one group to ``flat``; ``outer`` are its upstream tasks. Returns the group's last tasks."""
    ends: dict[str, frozenset[str]] = {}
    upstream = {key: _producers(task) & tasks.keys() for key, task in tasks.items()}
    for key in TopologicalSorter(upstream).static_order():
        task = tasks[key]
        after = outer.union(*(ends[other] for other in upstream[key]))
        component = spec["components"][task["componentRef"]["name"]]
        if "dag" in component:
            ends[key] = _flatten(spec, component["dag"]["tasks"], after, flat)
        else:
            flat[_local_key(task)] = (task, set(after))
            ends[key] = frozenset({_local_key(task)})
    with_successors = set().union(*upstream.values()) if upstream else set()
    return frozenset().union(*(ends[key] for key in tasks if key not in with_successors))


def _producers(task: Mapping[str, Any]) -> set[str]:
    """Upstream tasks of a task within its group."""
    producers = set(task.get("dependentTasks", ()))
    inputs = task.get("inputs", {})
    for source in (*inputs.get("parameters", {}).values(), *inputs.get("artifacts", {}).values()):
        for kind in ("taskOutputParameter", "taskOutputArtifact", "taskFinalStatus"):
            if kind in source:
                producers.add(source[kind]["producerTask"])
    return producers


def _local_key(task: Mapping[str, Any]) -> str:
    """kfp.local's name of a task: its component's key, which is unique across groups."""
    return str(task["componentRef"]["name"]).removeprefix("comp-")


def _task(spec: Spec, key: str, task: Mapping[str, Any]) -> Task:
    component = spec["components"][task["componentRef"]["name"]]
    container = spec["deploymentSpec"]["executors"][component["executorLabel"]].get("container", {})
    label = task.get("taskInfo", {}).get("name", key)
    return Task(
        name=label if _FILE_NAME.match(label) else key,
        key=key,
        component=function_of([*container.get("command", ()), *container.get("args", ())]),
        image=container.get("image", ""),
        cached=bool(task.get("cachingOptions", {}).get("enableCache")),
        bound=_constant(task, RUN_ID) == _JOB_ID,
        accelerator=container.get("resources", {}).get("accelerator", {}).get("resourceType", ""),
    )


def _constant(task: Mapping[str, Any], parameter: str) -> Any:
    """Constant value of a task's parameter; ``None`` if it is not a constant."""
    source = task.get("inputs", {}).get("parameters", {}).get(parameter, {})
    return source.get("runtimeValue", {}).get("constant")


def function_of(command: Iterable[str]) -> str:
    """Name of the function in a component's command; empty for a container that is not a Python component."""
    words = list(command)
    return words[words.index("--function_to_execute") + 1] if "--function_to_execute" in words[:-1] else ""
