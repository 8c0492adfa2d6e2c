"""Compile settings: images, and the placement of each component (resources, nodes, secrets, retries, timeouts).

images:
  registry: ghcr.io/acme
  tag: "1.4.0"
defaults:
  memory: 4Gi
  secrets:
    - {secret: mlflow, keys: {uri: MLFLOW_TRACKING_URI}}
components:
  train_model:
    memory: 64Gi
    accelerator: {type: nvidia.com/gpu, count: 1}
    node_selector: {pool: gpu}
    tolerations: [{key: nvidia.com/gpu, operator: Exists, effect: NoSchedule}]
deadline_seconds: 172800
deadlines: {continuous_delivery: 259200}
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Any, Literal

from kfp import kubernetes
from pydantic import Field, StringConstraints

from gauntlet import __version__
from gauntlet.errors import ConfigurationError
from gauntlet.orchestration.declaration import IMAGE_PREFIX
from gauntlet.settings import Settings

Quantity = Annotated[str, StringConstraints(pattern=r"^[0-9]+(\.[0-9]+)?(m|k|M|G|T|Ki|Mi|Gi|Ti)?$")]
EnvironmentName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]
Name = Annotated[str, StringConstraints(min_length=1)]


class Images(Settings, use_attribute_docstrings=True):
    """Location of the images. The reference of ``data`` is ``<registry>/<prefix>/data:<tag>``."""

    registry: str = ""
    """Host and path before the prefix, without a slash at the end; empty for the container runtime's own store."""
    prefix: Name = IMAGE_PREFIX
    tag: Name = __version__
    """Must never be moved to another image: Kubeflow's cache goes by this text."""
    references: Mapping[str, Name] = {}
    """Whole references by image name, e.g. with a digest; each wins over registry, prefix and tag."""

    def reference(self, image: str) -> str:
        """Image reference by the name of the image's folder."""
        if image in self.references:
            return self.references[image]
        return "/".join(part for part in (self.registry.rstrip("/"), self.prefix, f"{image}:{self.tag}") if part)


class Accelerator(Settings, use_attribute_docstrings=True):
    """Devices that a task requests, as a Kubernetes resource."""

    type: Name = "nvidia.com/gpu"
    count: int = Field(default=1, ge=1)


class Toleration(Settings, use_attribute_docstrings=True):
    """Taint that the task's pod tolerates."""

    key: str = ""
    operator: Literal["Equal", "Exists"] = "Equal"
    value: str = ""
    effect: Literal["", "NoSchedule", "PreferNoSchedule", "NoExecute"] = ""
    seconds: int | None = Field(default=None, ge=0)
    """How long a NoExecute taint is tolerated; forever when absent."""


class Secret(Settings, use_attribute_docstrings=True):
    """Keys of a Kubernetes secret, set as environment variables of the task."""

    secret: Name
    keys: Mapping[str, EnvironmentName] = Field(min_length=1)
    """Key in the secret → environment variable."""


class Placement(Settings, use_attribute_docstrings=True):
    """Placement of a component on a cluster. Absent fields are left to the cluster."""

    cpu: Quantity | None = None
    """Limit, in cores: ``"2"``, ``"500m"``."""
    memory: Quantity | None = None
    """Limit: ``"4Gi"``."""
    cpu_request: Quantity | None = "100m"
    """What the scheduler sets aside. Small: without it Kubernetes takes the limit, and most tasks need little of it."""
    memory_request: Quantity | None = "256Mi"
    accelerator: Accelerator | None = None
    node_selector: Mapping[str, str] = {}
    tolerations: tuple[Toleration, ...] = ()
    env: Mapping[EnvironmentName, str] = {}
    secrets: tuple[Secret, ...] = ()
    retries: int = Field(default=0, ge=0, le=10)
    """Attempts after the first one failed. A gate that stops a run fails its task: leave it 0 for ``enforce_gates``."""
    backoff_seconds: int = Field(default=30, ge=0)
    """Wait before the first retry; it doubles from there."""
    timeout_seconds: int | None = Field(default=None, ge=1)


class CompileSettings(Settings, use_attribute_docstrings=True):
    """Site settings for compilation."""

    images: Images = Images()
    defaults: Placement = Placement()
    """For every component."""
    components: Mapping[str, Placement] = {}
    """By function name (``train_model``): what is written here replaces the default, field by field."""
    deadline_seconds: int = Field(default=172_800, ge=1)
    """Longest run, from its start. It ends what waits for a node that never comes; a task's own timeout does not."""
    deadlines: Mapping[str, Annotated[int, Field(ge=1)]] = {}
    """By pipeline file (``continuous_delivery``): another deadline than ``deadline_seconds``."""

    def of(self, function: str) -> Placement:
        """Placement of a component: its own fields over the defaults.

        A default request is capped at the limit.

        Raises:
            ConfigurationError: a configured request is larger than the limit.
        """
        override = self.components.get(function, Placement())
        overridden = {name: getattr(override, name) for name in override.model_fields_set}
        placement = self.defaults.model_copy(update=overridden)
        for resource in ("cpu", "memory"):
            name, limit = f"{resource}_request", getattr(placement, resource)
            request = getattr(placement, name)
            if limit is None or request is None or amount(request) <= amount(limit):
                continue
            if name in self.defaults.model_fields_set | overridden.keys():
                raise ConfigurationError(
                    f"exceeds the limit of {limit}; Kubernetes rejects such a pod",
                    field=f"components.{function}.{name}",
                    value=request,
                    mend=f"Lower {name}, or raise {resource}",
                )
            placement = placement.model_copy(update={name: limit})
        return placement

    def deadline(self, pipeline: str) -> int:
        """Deadline of a pipeline's run, in seconds."""
        return self.deadlines.get(pipeline, self.deadline_seconds)


_SUFFIXES = {
    "": Decimal(1),
    "m": Decimal("0.001"),
    **{letter: Decimal(1000) ** power for power, letter in enumerate("kMGT", start=1)},
    **{f"{letter}i": Decimal(1024) ** power for power, letter in enumerate("KMGT", start=1)},
}


def amount(quantity: str) -> Decimal:
    """Value of a Kubernetes quantity: cores, or bytes."""
    number = quantity.rstrip("mkKMGTi")
    return Decimal(number) * _SUFFIXES[quantity.removeprefix(number)]


def place(task: Any, placement: Placement) -> None:
    """Apply a placement to a task that is being traced."""
    setters = (
        (placement.cpu, task.set_cpu_limit),
        (placement.memory, task.set_memory_limit),
        (placement.cpu_request, task.set_cpu_request),
        (placement.memory_request, task.set_memory_request),
    )
    for value, setter in setters:
        if value is not None:
            setter(value)
    if placement.accelerator is not None:
        task.set_accelerator_type(placement.accelerator.type).set_accelerator_limit(placement.accelerator.count)
    for name, text in sorted(placement.env.items()):
        task.set_env_variable(name, text)
    if placement.retries:
        task.set_retry(placement.retries, backoff_duration=f"{placement.backoff_seconds}s", backoff_factor=2.0)
    _place_pod(task, placement)


def _place_pod(task: Any, placement: Placement) -> None:
    """Apply the Kubernetes-only fields, which go into the spec's platform document."""
    for key, value in sorted(placement.node_selector.items()):
        kubernetes.add_node_selector(task, label_key=key, label_value=value)
    for toleration in placement.tolerations:
        kubernetes.add_toleration(
            task,
            key=toleration.key or None,
            operator=toleration.operator,
            value=toleration.value or None,
            effect=toleration.effect or None,
            toleration_seconds=toleration.seconds,
        )
    for secret in placement.secrets:
        kubernetes.use_secret_as_env(
            task, secret_name=secret.secret, secret_key_to_env=dict(sorted(secret.keys.items()))
        )
    if placement.timeout_seconds is not None:
        kubernetes.set_timeout(task, seconds=placement.timeout_seconds)
