"""Plays KServe 0.20, or what follows it, against a real API server: each InferenceService in its mode.

One ``step`` is one pass of KServe's controller and of those below it (Knative, Deployments, the gateway). Each sees
what the pass before left, so that a change takes a few steps to show, as it takes a few passes in a cluster.

    controller = KServeController(api)
    controller.behave("loans", broken={"s3://models/bad"})
    controller.settle()              # or: with controller.running(): ...
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from builders import knative_objects, kserve_knative, kserve_objects, kserve_standard, kserve_status
from builders.cluster import ApiServer, Refused
from builders.gateway_controller import accept_routes, rfc3339
from builders.knative import KnativeService
from builders.kserve_behavior import Behavior

INFERENCE_SERVICES = "/apis/serving.kserve.io/v1beta1"
_FINALIZER = "inferenceservice.finalizers"
OLD_MODES = {"Serverless": "Knative", "RawDeployment": "Standard"}
_GONE_OR_CHANGED = (404, 409)


@dataclass
class _Memory:
    """What a controller knows of one InferenceService from one step to the next."""

    service: KnativeService
    published: knative_objects.Published = field(default_factory=dict)
    ages: kserve_standard.Ages = field(default_factory=dict)
    generation: int = 0
    unseen: int = 0


class KServeController:
    """The controllers of a cluster with KServe, Knative and a gateway.

    Args:
        api: the server; requests are the administrator's.
        default_mode: of an InferenceService without the annotation: ``Standard`` or ``Knative``.
        release: of KServe; the two differ in Standard mode only.
        namespace: to look after nothing else.
        makes_routes: whether Standard mode creates HTTPRoutes of its own, as it does with Gateway API enabled.
    """

    def __init__(
        self,
        api: ApiServer,
        default_mode: str = "Standard",
        *,
        release: kserve_standard.Release = "0.20",
        namespace: str | None = None,
        makes_routes: bool = True,
    ) -> None:
        self._api = api
        self._scope = f"/namespaces/{namespace}" if namespace else ""
        self._default_mode = default_mode
        self._release = release
        self.makes_routes = makes_routes
        self._behaviors: dict[str | None, Behavior] = {None: Behavior()}
        self._refused_routes: frozenset[str] = frozenset()
        self._memories: dict[str, _Memory] = {}
        self._lock = threading.Lock()

    def behave(self, name: str | None = None, *, broken: Collection[str] | None = None, **changes: Any) -> None:
        """Change the behavior for one InferenceService, or for all that have none of their own.

        Args:
            name: of the InferenceService.
            broken: as in ``Behavior``.
            **changes: the other fields of ``Behavior``.
        """
        with self._lock:
            now = self._behaviors.get(name, self._behaviors[None])
            broken = now.broken if broken is None else frozenset(broken)
            self._behaviors[name] = replace(now, broken=broken, **changes)

    def refuse_routes(self, *names: str) -> None:
        """HTTPRoutes that the gateway does not take from now on."""
        with self._lock:
            self._refused_routes = frozenset(names)

    # -- running -----------------------------------------------------------------------------------------------------
    def step(self) -> bool:
        """Reconcile everything once, and say whether anything was written or is under way."""
        with self._lock:
            listed = self._api.request("GET", f"{INFERENCE_SERVICES}{self._scope}/inferenceservices")["items"]
            moved = [self._reconcile(item) for item in listed]
            return accept_routes(self._api, self._scope, refuse=self._refused_routes) or any(moved)

    def settle(self, limit: int = 100) -> None:
        """Step until a step changes nothing.

        Raises:
            RuntimeError: something still moves after ``limit`` steps.
        """
        for _ in range(limit):
            if not self.step():
                return
        raise RuntimeError(f"still moving after {limit} steps")

    @contextlib.contextmanager
    def running(self, interval: float = 0.05) -> Iterator[None]:
        """Step on a thread, ``interval`` seconds apart, until the block ends; an error of its own is raised there."""
        done = threading.Event()
        errors: list[BaseException] = []

        def loop() -> None:
            try:
                while not done.wait(interval):
                    self.step()
            except BaseException as error:
                errors.append(error)

        thread = threading.Thread(target=loop, name="kserve-controller", daemon=True)
        thread.start()
        try:
            yield
        finally:
            done.set()
            thread.join()
        if errors:
            raise errors[0]

    # -- one InferenceService ----------------------------------------------------------------------------------------
    def _reconcile(self, isvc: dict[str, Any]) -> bool:
        metadata = isvc["metadata"]
        behavior = self._behaviors.get(metadata["name"], self._behaviors[None])
        if behavior.paused:
            return False
        memory = self._memories.setdefault(metadata["uid"], _Memory(_knative_service(isvc)))
        try:
            if "deletionTimestamp" in metadata:
                return self._finalize(isvc)
            if _FINALIZER not in metadata.get("finalizers", []):
                self._set_finalizers(isvc, [*metadata.get("finalizers", []), _FINALIZER])
                return True
            return _is_unseen(memory, metadata["generation"], behavior.lag) or self._pass(isvc, memory, behavior)
        except Refused as refused:
            if refused.status not in _GONE_OR_CHANGED:
                raise
            return True  # somebody wrote meanwhile: the next step reads it again

    def _pass(self, isvc: dict[str, Any], memory: _Memory, behavior: Behavior) -> bool:
        status = kserve_status.parsed(isvc.get("status"))
        # Decided once: an annotation that is changed later changes nothing.
        mode = status.get("deploymentMode") or _mode(isvc, self._default_mode)
        status["deploymentMode"] = mode
        if mode == "Knative":
            moved = kserve_knative.reconcile(memory.service, isvc, status, behavior)
            knative_objects.publish(self._api, memory.service, memory.published)
        else:
            moved = kserve_standard.reconcile(
                self._api,
                isvc,
                status,
                memory.ages,
                behavior,
                release=self._release,
                makes_routes=self.makes_routes,
            )
        return self._write_status(isvc, status) or moved

    def _write_status(self, isvc: dict[str, Any], status: dict[str, Any]) -> bool:
        before = isvc.get("status", {})
        after = kserve_status.rendered(status, rfc3339(), before.get("conditions", ()))
        if after == before:
            return False
        self._api.request("PUT", _path(isvc) + "/status", {**isvc, "status": after})
        return True

    def _finalize(self, isvc: dict[str, Any]) -> bool:
        kserve_standard.drop_others(self._api, isvc, set())
        self._memories.pop(isvc["metadata"]["uid"], None)
        self._set_finalizers(isvc, [item for item in isvc["metadata"]["finalizers"] if item != _FINALIZER])
        return True

    def _set_finalizers(self, isvc: dict[str, Any], finalizers: list[str]) -> None:
        self._api.request("PUT", _path(isvc), {**isvc, "metadata": {**isvc["metadata"], "finalizers": finalizers}})


def _is_unseen(memory: _Memory, generation: int, lag: int) -> bool:
    """Whether a changed specification has yet to reach the controller."""
    if generation == memory.generation:
        return False
    if memory.unseen < lag:
        memory.unseen += 1
        return True
    memory.generation, memory.unseen = generation, 0
    return False


def _mode(isvc: Mapping[str, Any], default: str) -> str:
    asked = isvc["metadata"].get("annotations", {}).get(kserve_objects.MODE_ANNOTATION, default)
    return OLD_MODES.get(asked, asked)


def _knative_service(isvc: Mapping[str, Any]) -> KnativeService:
    metadata = isvc["metadata"]
    name = kserve_objects.predictor_name(metadata["name"], isvc["spec"]["predictor"].get("name"))
    return KnativeService(name, metadata["namespace"])


def _path(isvc: Mapping[str, Any]) -> str:
    metadata = isvc["metadata"]
    return f"{INFERENCE_SERVICES}/namespaces/{metadata['namespace']}/inferenceservices/{metadata['name']}"
