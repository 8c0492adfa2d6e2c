"""Preflight of an InferenceService: what a cluster, a service or an account lacks for a rollout."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from gauntlet.delivery.preflight import Obstacle
from gauntlet.delivery.targets.kserve.api import Api, Json
from gauntlet.delivery.targets.kserve.modes import ANNOTATION, Mode, mode_of
from gauntlet.delivery.targets.kserve.predictors import DIGEST, PERCENT, VERSION, release_in
from gauntlet.delivery.targets.kserve.resources import (
    ACCESS_REVIEWS,
    CLUSTER_SERVING_RUNTIMES,
    CONFIG_MAPS,
    DEPLOYMENTS,
    HTTP_ROUTES,
    INFERENCE_SERVICES,
    KNATIVE_REVISIONS,
    KNATIVE_SERVICES,
    LEASES,
    RUNTIME,
    SERVING_RUNTIMES,
    Resource,
    route_name,
    split,
)
from gauntlet.delivery.targets.kserve.standard import routes
from gauntlet.errors import ConfigurationError

Needs = Mapping[Resource, Sequence[str]]

_ALWAYS: Needs = {
    INFERENCE_SERVICES: ("get", "patch"),
    CONFIG_MAPS: ("get", "create", "patch"),
    LEASES: ("get", "create", "patch"),
}
NEEDS: Mapping[Mode, Needs] = {
    Mode.KNATIVE: {**_ALWAYS, KNATIVE_SERVICES: ("get",), KNATIVE_REVISIONS: ("get",)},
    Mode.STANDARD: {**_ALWAYS, DEPLOYMENTS: ("get",), HTTP_ROUTES: ("get", "patch")},
}
"""Every verb that a rollout uses, by mode: what the Roles of ``manifests/`` grant."""
_FIRST: Needs = {**_ALWAYS, INFERENCE_SERVICES: ("get", "create")}
"""Every verb that installing the first version of a service uses."""


def preflight(api: Api, service: str) -> tuple[Obstacle, ...]:
    """Find everything that a rollout lacks here, or that a person should know; empty if nothing.

    Args:
        api: the cluster, as the account that runs the rollout.
        service: ``NAMESPACE/NAME``.

    Raises:
        DependencyError: the cluster does not answer.
        ConfigurationError: the service is not of that form.
    """
    namespace, name = split(service)
    try:
        isvc = api.get(INFERENCE_SERVICES, namespace, name)
        if isvc is None:
            return tuple(_first(api, namespace, service))
        mode = mode_of(api, isvc)
    except ConfigurationError as error:
        return (Obstacle(error.field or "the cluster", error.message, error.mend or "Ask who runs the cluster"),)
    # The rest is read with these permissions, so a lack of them is all there is to say.
    if missing := tuple(_permissions(api, namespace, NEEDS[mode])):
        return missing
    particular = _knative if mode is Mode.KNATIVE else _standard
    return (*_model(api, namespace, isvc), *particular(api, namespace, isvc))


def _first(api: Api, namespace: str, service: str) -> Iterator[Obstacle]:
    """Where nothing serves yet: the first version is installed, if this account may."""
    if missing := tuple(_permissions(api, namespace, _FIRST)):
        mend = "Create it with its first version, as manifests/examples shows, or let this account create it"
        yield Obstacle(f"InferenceService {service}", "is not there", mend)
        yield from missing
        return
    yield Obstacle(f"InferenceService {service}", "is not there", "Nothing: the first version makes it", blocks=False)
    if not _has_runtime(api, namespace, RUNTIME):
        yield Obstacle("ServingRuntime", f"{RUNTIME} is not there", "Apply the one of manifests/")


def _permissions(api: Api, namespace: str, needs: Needs) -> Iterator[Obstacle]:
    for resource, verbs in needs.items():
        for verb in verbs:
            attributes = {"namespace": namespace, "verb": verb, "group": resource.group, "resource": resource.plural}
            review = {
                "apiVersion": "authorization.k8s.io/v1",
                "kind": "SelfSubjectAccessReview",
                "spec": {"resourceAttributes": attributes},
            }
            if not api.create(ACCESS_REVIEWS, "", review)["status"]["allowed"]:
                mend = "Bind the Role of manifests/ to this account"
                yield Obstacle(f"{verb} {resource}", f"this account may not do it in {namespace}", mend)


def _model(api: Api, namespace: str, isvc: Json) -> Iterator[Obstacle]:
    predictor = isvc["spec"]["predictor"]
    model = predictor.get("model")
    if not model:
        present = ", ".join(sorted(predictor)) or "nothing"
        yield Obstacle("spec.predictor", f"has {present} and no model", "Describe it as predictor.model with a runtime")
        return
    if release_in(predictor) is None:
        mend = f"Set {VERSION} and {DIGEST} there, once, to what the registry says of it"
        yield Obstacle("spec.predictor.model.env", "does not say which version serves", mend)
    status = isvc.get("status") or {}
    runtime = model.get("runtime")
    if not runtime:
        chosen = status.get("servingRuntimeName") or status.get("clusterServingRuntimeName")
        sentence = f"KServe chose {chosen}, which the rollout will pin" if chosen else "none is named"
        yield Obstacle("spec.predictor.model.runtime", sentence, "Name the runtime there", blocks=not chosen)
    elif not _has_runtime(api, namespace, runtime):
        yield Obstacle("ServingRuntime", f"{runtime} is not there", "Apply the one of manifests/, or name another")


def _has_runtime(api: Api, namespace: str, runtime: str) -> bool:
    """Whether a runtime is there; assumed where this account may not look for it."""
    for resource, place in ((SERVING_RUNTIMES, namespace), (CLUSTER_SERVING_RUNTIMES, "")):
        try:
            if api.get(resource, place, runtime) is not None:
                return True
        except ConfigurationError:
            return True
    return False


def _knative(api: Api, namespace: str, isvc: Json) -> Iterator[Obstacle]:
    if not _knows(api, KNATIVE_SERVICES):
        yield Obstacle("Knative Serving", "the cluster does not have it", KNATIVE_SERVICES.install)
        return
    predictor = isvc["spec"]["predictor"]
    component = ((isvc.get("status") or {}).get("components") or {}).get("predictor") or {}
    if PERCENT in predictor:
        yield Obstacle(f"spec.predictor.{PERCENT}", "another canary is under way", "End it: remove the field")
    if not component.get("latestRolledoutRevision"):
        # Without one, KServe gives everything to a new revision, whatever percentage is asked for.
        yield Obstacle("status", "no revision has ever had all requests", "Wait until the service is ready")
    elif component.get("latestCreatedRevision") != component.get("latestReadyRevision"):
        yield Obstacle(
            "status", f"{component['latestCreatedRevision']} is not ready", "Mend or withdraw the last change"
        )


def _standard(api: Api, namespace: str, isvc: Json) -> Iterator[Obstacle]:
    name = isvc["metadata"]["name"]
    if not _has_canary(api):
        yield Obstacle("KServe", "its InferenceService has no spec.canary", "Update KServe to 0.20 or newer")
    annotation = (isvc["metadata"].get("annotations") or {}).get(ANNOTATION)
    if annotation != Mode.STANDARD:
        # The webhook reads this annotation alone, neither the old name nor the cluster's default.
        yield Obstacle(
            f"annotation {ANNOTATION}",
            f"is {annotation!r}, and KServe refuses spec.canary without {str(Mode.STANDARD)!r}",
            f"Set it to {Mode.STANDARD}",
        )
    if isvc["spec"].get("canary"):
        yield Obstacle("spec.canary", "another canary is under way", "End it: remove its entry")
    if isvc["spec"]["predictor"].get("minReplicas") is None:
        yield Obstacle(
            "spec.predictor.minReplicas",
            "is not set, so the candidate gets one pod at every step, all requests included",
            "Set it to what carries the traffic",
            blocks=False,
        )
    if not _knows(api, HTTP_ROUTES):
        yield Obstacle("Gateway API", "the cluster does not have it", HTTP_ROUTES.install)
        return
    yield from _route(api.get(HTTP_ROUTES, namespace, route_name(name)), name)


def _route(route: Json | None, name: str) -> Iterator[Obstacle]:
    about = f"HTTPRoute {route_name(name)}"
    if route is None:
        yield Obstacle(
            about,
            "is not there, and KServe up to 0.20 splits no requests itself",
            "Create it as manifests/ shows; a newer KServe with Gateway API does without",
            blocks=False,
        )
    elif routes.share(route, name, "") is None:
        yield Obstacle(about, f"has no rule whose backends are predictors of {name}", "Point a rule at its Service")
    elif not routes.taken(route):
        yield Obstacle(about, "is not accepted by its gateway as it is", "Read its status.parents")


def _knows(api: Api, resource: Resource) -> bool:
    return bool(api.schema(resource))


def _has_canary(api: Api) -> bool:
    """Whether the cluster's InferenceService takes ``spec.canary``."""
    for schema in ((api.schema(INFERENCE_SERVICES).get("components") or {}).get("schemas") or {}).values():
        kinds = [kind.get("kind") for kind in schema.get("x-kubernetes-group-version-kind") or ()]
        if "InferenceService" in kinds:
            spec = (schema.get("properties") or {}).get("spec") or {}
            return "canary" in (spec.get("properties") or {})
    return False
