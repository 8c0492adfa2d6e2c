"""Spec of a single component, for teams that load it into their own pipelines.

kfp loads a spec whose pipeline is named like its only component as a bare component and drops its caching options; a
spec of any other name becomes a nested pipeline that keeps them. So a component that acts or resolves is published
under another name, which keeps caching disabled wherever it is loaded. This is not possible for a component with
optional artifacts, since Kubeflow Pipelines passes none into a nested pipeline: its ``run_id`` is an input of the spec.
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

NAME_SUFFIX = "-component"


def standalone_text(component: Any, declared: Declaration, images: Images) -> str:
    """YAML of a component's own spec.

    Args:
        component: the KFP component.
        declared: its declaration.
        images: location of its image.
    """
    spec = json_format.MessageToDict(component.pipeline_spec)
    if not declared.caching.cached:
        _bind_to_run(spec)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "spec.yaml"
        message = json_format.ParseDict(spec, PipelineSpec())
        write_pipeline_spec_to_file(message, component.description, component.platform_spec, str(path))
        text = path.read_text()
    return text.replace(f"image: {image_reference(declared.image)}\n", f"image: {images.reference(declared.image)}\n")


def _bind_to_run(spec: dict[str, Any]) -> None:
    """Disable caching of the only task, and set its run identifier, so that the UI does not ask for it."""
    root = spec["root"]
    (task,) = root["dag"]["tasks"].values()
    task["cachingOptions"] = {"enableCache": False}
    task["inputs"]["parameters"][RUN_ID] = {"runtimeValue": {"constant": dsl.PIPELINE_JOB_ID_PLACEHOLDER}}
    del root["inputDefinitions"]["parameters"][RUN_ID]
    artifacts = root["inputDefinitions"].get("artifacts", {}).values()
    if not any(artifact.get("isOptional") for artifact in artifacts):
        spec["pipelineInfo"]["name"] += NAME_SUFFIX
