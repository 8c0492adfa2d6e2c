"""Task handler for kfp.local that runs containerized components without containers.

kfp.local runs containerized Python components only through Docker and has no supported hook for another runner. Its
dispatcher looks up ``kfp.local.subprocess_task_handler.SubprocessTaskHandler`` for every task; ``kfp_local`` replaces
that attribute for the duration of a run. This is the only module that depends on kfp's internals, and
``check_kfp_internals`` raises if they have moved.
"""

from __future__ import annotations

import io
import logging
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from pathlib import Path

import kfp
from kfp import local
from kfp.local import config, subprocess_task_handler, task_dispatcher
from kfp.local.status import Status

from gauntlet.errors import DependencyError

KFP_VERSION = "2.17.0"


@dataclass(frozen=True)
class ContainerSpec:
    """Container that kfp.local would run for a task.

    Attributes:
        image: image reference.
        command: the container's command and arguments, with placeholders replaced.
        env: environment variables from the spec.
    """

    image: str
    command: Sequence[str]
    env: Mapping[str, str]


Execute = Callable[[ContainerSpec], bool]
"""Runs one task and returns whether it succeeded."""


def check_kfp_internals() -> None:
    """Check kfp's version and the internals that ``kfp_local`` replaces.

    Raises:
        DependencyError: another version, or an attribute is missing.
    """
    missing = [
        name
        for name, present in (
            (
                "subprocess_task_handler.SubprocessTaskHandler",
                hasattr(subprocess_task_handler, "SubprocessTaskHandler"),
            ),
            ("task_dispatcher.subprocess_task_handler", hasattr(task_dispatcher, "subprocess_task_handler")),
            ("config.LocalExecutionConfig.instance", hasattr(config.LocalExecutionConfig, "instance")),
        )
        if not present
    ]
    if kfp.__version__ != KFP_VERSION or missing:
        raise DependencyError(
            f"the local engine relies on internals of version {KFP_VERSION}",
            field="kfp",
            value=", ".join([kfp.__version__, *missing]),
            mend=f"Install kfp=={KFP_VERSION}",
        )


@contextmanager
def kfp_local(execute: Execute, *, root: Path, log: io.TextIOBase) -> Iterator[None]:
    """Run pipelines on this machine, each task through ``execute``.

    Args:
        execute: runs a task; called from several threads when a pipeline has a parallel loop.
        root: where kfp keeps the files it exchanges with tasks.
        log: receives everything kfp.local prints or logs.
    """
    check_kfp_internals()
    original, configured = subprocess_task_handler.SubprocessTaskHandler, config.LocalExecutionConfig.instance
    logger = logging.getLogger()
    handlers = logger.handlers[:]
    try:
        subprocess_task_handler.SubprocessTaskHandler = _handler(execute)
        local.init(runner=local.SubprocessRunner(use_venv=False), pipeline_root=str(root), raise_on_error=False)
        logger.handlers[:] = [logging.StreamHandler(log)]
        with redirect_stdout(log), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # kfp warns for each task that resources have no effect locally
            yield
    finally:
        logger.handlers[:] = handlers
        subprocess_task_handler.SubprocessTaskHandler = original
        config.LocalExecutionConfig.instance = configured


def _handler(execute: Execute) -> type:
    class Handler:
        """``ITaskHandler`` that passes the task to ``execute``."""

        def __init__(
            self, image: str, full_command: list[str], pipeline_root: str, runner: object, env_vars: dict[str, str]
        ) -> None:
            self._container = ContainerSpec(image, tuple(full_command), dict(env_vars or {}))

        def run(self) -> Status:
            return Status.SUCCESS if execute(self._container) else Status.FAILURE

    return Handler
