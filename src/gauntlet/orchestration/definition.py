"""Components and pipelines as definitions that settings turn into specs (compile time only)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kfp import dsl

from gauntlet.orchestration.component import Caching, image_reference


def define_component(function: Callable[..., Any], *, image: str, caching: Caching) -> Any:
    """Make the KFP component of ``function``; one that is not pure is never cached."""
    reference = image_reference(image)
    defined = dsl.component(base_image=reference, target_image=reference)(function)
    defined.gauntlet_image = image
    defined.gauntlet_caching = caching
    return defined
