"""Deployment mode of an InferenceService: Knative or Standard."""

from __future__ import annotations

import json
from enum import StrEnum

from gauntlet.delivery.rollout.ports import Conflict
from gauntlet.delivery.targets.kserve.api import Api, Json
from gauntlet.delivery.targets.kserve.resources import CONFIG_MAPS
from gauntlet.errors import ConfigurationError, DependencyError

ANNOTATION = "serving.kserve.io/deploymentMode"
KSERVE_NAMESPACE = "kserve"
_CONFIGURATION = "inferenceservice-config"


class Mode(StrEnum):
    """How revisions of a model run side by side."""

    KNATIVE = "Knative"
    STANDARD = "Standard"


_OLD_NAMES = {"Serverless": Mode.KNATIVE, "RawDeployment": Mode.STANDARD}


def mode_of(api: Api, isvc: Json | None) -> Mode:
    """The mode of an InferenceService: that of its status, else of its annotation, else the cluster's default.

    Args:
        api: the cluster.
        isvc: the InferenceService; ``None`` for one that is yet to come.

    Raises:
        ConfigurationError: it is in a mode that has no rollouts (ModelMesh).
    """
    status, metadata = (isvc or {}).get("status") or {}, (isvc or {}).get("metadata") or {}
    mode = status.get("deploymentMode") or (metadata.get("annotations") or {}).get(ANNOTATION) or _default(api)
    try:
        return _OLD_NAMES.get(mode) or Mode(mode)
    except ValueError as error:
        raise ConfigurationError(
            "is a mode without rollouts",
            field=ANNOTATION,
            value=mode,
            mend=f"Serve in {Mode.STANDARD} or {Mode.KNATIVE} mode",
        ) from error


def _default(api: Api) -> str:
    """The cluster's default; KServe's own (Standard) where this account may not read it."""
    try:
        document = api.get(CONFIG_MAPS, KSERVE_NAMESPACE, _CONFIGURATION) or {}
        deploy = json.loads((document.get("data") or {}).get("deploy", "{}"))
    except (ConfigurationError, DependencyError, Conflict, ValueError):
        return Mode.STANDARD
    return str(deploy.get("defaultDeploymentMode") or Mode.STANDARD)
