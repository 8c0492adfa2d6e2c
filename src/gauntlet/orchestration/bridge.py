"""The one place that touches kfp.local's inside: running containerized components without containers.

kfp.local runs pipelines, but containerized Python components only through Docker, and it has no supported hook for
another runner. Its dispatcher looks up ``kfp.local.subprocess_task_handler.SubprocessTaskHandler`` at every task; for
the time of one run that attribute is ours. ``check_mechanism`` fails loudly if kfp moves it.
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
class Order:
    """What kfp.local asks for: run this.

    Attributes:
        image: the reference of the image it would run in.
        command: the container's command and arguments, placeholders replaced.
        env: environment variables from the spec.
    """

    image: str
    command: Sequence[str]
    env: Mapping[str, str]


Execute = Callable[[Order], bool]
"""Runs one task and says whether it succeeded."""


def check_mechanism() -> None:
    """Make sure that kfp is the version, and built the way, that ``kfp_local`` relies on.

    Raises:
        DependencyError: it is not.
    """
    moved = [
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
    if kfp.__version__ != KFP_VERSION or moved:
        raise DependencyError(
            f"the local engine relies on the inside of version {KFP_VERSION}",
            field="kfp",
            value=", ".join([kfp.__version__, *moved]),
            mend=f"Install kfp=={KFP_VERSION}",
        )


@contextmanager
def kfp_local(execute: Execute, *, root: Path, log: io.TextIOBase) -> Iterator[None]:
    """Make calls of a pipeline run here, each task through ``execute``.

    Args:
        execute: runs a task; called from several threads when a pipeline has a parallel loop.
        root: where kfp keeps the files it exchanges with tasks.
        log: takes everything kfp.local says.
    """
    check_mechanism()
    original, configured = subprocess_task_handler.SubprocessTaskHandler, config.LocalExecutionConfig.instance
    logger = logging.getLogger()
    handlers = logger.handlers[:]
    try:
        subprocess_task_handler.SubprocessTaskHandler = _handler(execute)
        local.init(runner=local.SubprocessRunner(use_venv=False), pipeline_root=str(root), raise_on_error=False)
        logger.handlers[:] = [logging.StreamHandler(log)]
        with redirect_stdout(log), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # one a task: resources have no effect locally
            yield
    finally:
        logger.handlers[:] = handlers
        subprocess_task_handler.SubprocessTaskHandler = original
        config.LocalExecutionConfig.instance = configured


def _handler(execute: Execute) -> type:
    class Handler:
        """An ``ITaskHandler`` that passes the task on."""

        def __init__(
            self, image: str, full_command: list[str], pipeline_root: str, runner: object, env_vars: dict[str, str]
        ) -> None:
            self._order = Order(image, tuple(full_command), dict(env_vars or {}))

        def run(self) -> Status:
            return Status.SUCCESS if execute(self._order) else Status.FAILURE

    return Handler
