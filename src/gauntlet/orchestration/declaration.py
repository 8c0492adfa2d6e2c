"""Declaration of a component: caching class, image, interface. Imports nothing of kfp's compiler."""

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
"""Additional input of every component that is not pure: the identifier of the run.

Kubeflow Pipelines stores caching options on tasks, not on components: each pipeline that uses a component sets them
again, and ``create_run(enable_caching=True)`` overrides them for all tasks. Inputs are part of every cache key, so this
input prevents a cache hit from another run whatever the options say.
"""

ERROR_FILE = "GAUNTLET_ERROR_FILE"
"""Environment variable: the file to which a component writes a ``GauntletError`` as JSON."""

HTML_TYPE = "system.HTML"
"""Schema title of an output that is a page."""

RUN_ID_DESCRIPTION = "Identifier of the run, dsl.PIPELINE_JOB_ID_PLACEHOLDER: no cache entry of another run may answer."


class Caching(StrEnum):
    """Caching class of a component, see "Caching" in the documentation."""

    PURE = "pure"
    """Same inputs, same outputs: cached."""
    RESOLVING = "resolving"
    """Reads the outside world: never cached; returns an immutable version that its successors take."""
    ACTING = "acting"
    """Changes the outside world: never cached; idempotent, safe to retry."""

    @property
    def cached(self) -> bool:
        """Whether a task of this class may be cached."""
        return self is Caching.PURE


@dataclass(frozen=True)
class Declaration:
    """Declaration of a component under ``@component``.

    Attributes:
        function: its function's name: ``train_model``.
        image: the folder under ``containers/`` and ``components/``.
        caching: its class.
        file: its source file.
    """

    function: str
    image: str
    caching: Caching
    file: Path


def image_reference(image: str) -> str:
    """Image reference in compiled specs before a registry is chosen: ``gauntlet/data:0.1.0``."""
    return f"{IMAGE_PREFIX}/{image}:{__version__}"


def interface(function: Callable[..., Any], caching: Caching) -> inspect.Signature:
    """Signature of a component's function as Kubeflow Pipelines sees it.

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
