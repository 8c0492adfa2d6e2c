"""One component as a spec of its own, for teams that take it into a pipeline of theirs.

Of a spec whose pipeline is named like its one component, kfp makes a bare component, and forgets what the spec says
about caching; a spec of any other name stays a pipeline inside the pipeline, with its caching options. So a component
that acts or resolves is published under another name, and whoever loads it gets a task that no cache answers. One with
optional artifacts cannot be, since Kubeflow Pipelines passes none into a nested pipeline: it asks for its ``run_id``.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from google.protobuf import json_format
from kfp import dsl
from kfp.compiler.pipeline_spec_builder import write_pipeline_spec_to_file
from kfp.pipeline_spec.pipeline_spec_pb2 import PipelineSpec

from gauntlet.orchestration.declaration import RUN_ID, Declaration, image_reference
from gauntlet.orchestration.placement import Images

NAME_ENDING = "-component"


def standalone_text(component: Any, declared: Declaration, images: Images) -> str:
    """The YAML of a component's own spec.

    Args:
        component: the KFP component.
        declared: what ``@component`` said about it.
        images: where its image lies.
    """
    spec = json_format.MessageToDict(component.pipeline_spec)
    if not declared.caching.cached:
        _bind_to_its_run(spec)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "spec.yaml"
        message = json_format.ParseDict(spec, PipelineSpec())
        write_pipeline_spec_to_file(message, component.description, component.platform_spec, str(path))
        text = path.read_text()
    return text.replace(f"image: {image_reference(declared.image)}\n", f"image: {images.reference(declared.image)}\n")


def _bind_to_its_run(spec: dict[str, Any]) -> None:
    """Leave the one task uncached, and fill in its run's identifier, so that no form asks for it."""
    root = spec["root"]
    (task,) = root["dag"]["tasks"].values()
    task["cachingOptions"] = {"enableCache": False}
    task["inputs"]["parameters"][RUN_ID] = {"runtimeValue": {"constant": dsl.PIPELINE_JOB_ID_PLACEHOLDER}}
    del root["inputDefinitions"]["parameters"][RUN_ID]
    artifacts = root["inputDefinitions"].get("artifacts", {}).values()
    if not any(artifact.get("isOptional") for artifact in artifacts):
        spec["pipelineInfo"]["name"] += NAME_ENDING
