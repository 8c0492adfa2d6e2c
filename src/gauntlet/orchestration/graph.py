"""The tasks of a compiled pipeline and what each one waits for, with nested groups laid flat."""

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
"""A pipeline spec as JSON: ``json_format.MessageToDict`` of it, or the first document of its YAML."""


@dataclass(frozen=True)
class Task:
    """One task of a pipeline.

    Attributes:
        name: what people call it: its display name where that is unique and fit for a file name, else ``key``.
        key: kfp's name, unique in the pipeline: ``batch-predict-2``.
        component: the component's function name: ``batch_predict``.
        image: the reference of its image.
        cached: whether the spec lets it be reused.
        bound: whether the identifier of the run is among its inputs, filled in by the backend.
        accelerator: device type it asks for; empty if none.
        after: names of the tasks it waits for.
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
    """All tasks that run something, each after those it waits for; otherwise in alphabetical order.

    A task inside a condition or loop waits for what the group waits for; a task after a group waits for the tasks
    that end it. Groups themselves do not appear.
    """
    flat: dict[str, tuple[Mapping[str, Any], set[str]]] = {}
    _flatten(spec, spec["root"]["dag"]["tasks"], frozenset(), flat)
    drawn = {key: _task(spec, key, task) for key, (task, _) in flat.items()}
    taken = Counter(task.name for task in drawn.values())
    usable = {
        key: task.name if taken[task.name] == 1 and task.name not in drawn else key for key, task in drawn.items()
    }
    order = TopologicalSorter({key: sorted(after) for key, (_, after) in sorted(flat.items())}).static_order()
    return tuple(
        replace(drawn[key], name=usable[key], after=tuple(sorted(usable[other] for other in flat[key][1])))
        for key in order
    )


def _flatten(
    spec: Spec,
    tasks: Mapping[str, Any],
    outer: frozenset[str],
    flat: dict[str, tuple[Mapping[str, Any], set[str]]],
) -> frozenset[str]:
    """Add the tasks of one group to ``flat``; ``outer`` is what the group waits for. Returns the tasks that end it."""
    ends: dict[str, frozenset[str]] = {}
    waiting = {key: _producers(task) & tasks.keys() for key, task in tasks.items()}
    for key in TopologicalSorter(waiting).static_order():
        task = tasks[key]
        after = outer.union(*(ends[other] for other in waiting[key]))
        component = spec["components"][task["componentRef"]["name"]]
        if "dag" in component:
            ends[key] = _flatten(spec, component["dag"]["tasks"], after, flat)
        else:
            flat[_folder(task)] = (task, set(after))
            ends[key] = frozenset({_folder(task)})
    followed = set().union(*waiting.values()) if waiting else set()
    return frozenset().union(*(ends[key] for key in tasks if key not in followed))


def _producers(task: Mapping[str, Any]) -> set[str]:
    """Sibling tasks whose end or output a task waits for."""
    found = set(task.get("dependentTasks", ()))
    inputs = task.get("inputs", {})
    for source in (*inputs.get("parameters", {}).values(), *inputs.get("artifacts", {}).values()):
        for kind in ("taskOutputParameter", "taskOutputArtifact", "taskFinalStatus"):
            if kind in source:
                found.add(source[kind]["producerTask"])
    return found


def _folder(task: Mapping[str, Any]) -> str:
    """What kfp.local names the task by: its component's key, which is unique over all groups."""
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
    """The constant that a parameter is given; ``None`` if it is none."""
    given = task.get("inputs", {}).get("parameters", {}).get(parameter, {})
    return given.get("runtimeValue", {}).get("constant")


def function_of(command: Iterable[str]) -> str:
    """The function a component's command executes; empty for a container that is not a Python component."""
    words = list(command)
    return words[words.index("--function_to_execute") + 1] if "--function_to_execute" in words[:-1] else ""
