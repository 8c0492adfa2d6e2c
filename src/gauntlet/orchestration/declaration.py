"""What is declared of a component, without anything of kfp's compiler: its caching class, its image, its interface."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from gauntlet import __version__

IMAGE_PREFIX = "gauntlet"

RUN_ID = "run_id"
"""The input that every component has which is not pure, beside those of its function: the identifier of the run.

Kubeflow Pipelines keeps caching on a task, not on a component: whoever takes a component over decides again, and
``create_run(enable_caching=True)`` decides for all tasks of a pipeline. Inputs are part of every cache key, so this one
keeps the cache of another run from answering, whatever was decided.
"""

ERROR_FILE = "GAUNTLET_ERROR_FILE"
"""The environment variable that names the file in which a component leaves an error of Gauntlet's own, as JSON."""

RUN_ID_DESCRIPTION = "Identifier of the run, dsl.PIPELINE_JOB_ID_PLACEHOLDER: no cache entry of another run may answer."


class Caching(StrEnum):
    """What a component may be spared, see "Caching" in the documentation."""

    PURE = "pure"
    """Same inputs, same outputs: cached."""
    RESOLVING = "resolving"
    """Reads the outside world: never cached; returns an immutable version that its successors take."""
    ACTING = "acting"
    """Changes the outside world: never cached; idempotent, safe to retry."""

    @property
    def cached(self) -> bool:
        """Whether a task of this class may be answered by a cache."""
        return self is Caching.PURE


@dataclass(frozen=True)
class Declaration:
    """What ``@component`` says about a component.

    Attributes:
        function: its function's name: ``train_model``.
        image: the folder under ``containers/`` and ``components/``.
        caching: its class.
        file: where it is written.
    """

    function: str
    image: str
    caching: Caching
    file: Path


def image_reference(image: str) -> str:
    """The image's name in compiled specs before a registry is chosen: ``gauntlet/data:0.1.0``."""
    return f"{IMAGE_PREFIX}/{image}:{__version__}"


def interface(function: Callable[..., Any], caching: Caching) -> inspect.Signature:
    """The inputs and outputs that Kubeflow Pipelines sees of a component's function.

    Optional artifacts are declared without their ``Optional``, which their default says as well: the driver names no
    type, so at run time kfp instantiates the annotation itself, and ``Optional[X]`` cannot be instantiated.
    """
    from kfp.dsl.types.type_annotations import maybe_strip_optional_from_annotation

    signature = inspect.signature(function)
    parameters = [
        parameter.replace(annotation=maybe_strip_optional_from_annotation(parameter.annotation))
        for parameter in signature.parameters.values()
    ]
    if not caching.cached:
        parameters.append(inspect.Parameter(RUN_ID, inspect.Parameter.KEYWORD_ONLY, annotation=str))
    return signature.replace(parameters=parameters)
