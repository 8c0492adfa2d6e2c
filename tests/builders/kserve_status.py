"""The status that KServe 0.20 writes on an InferenceService, from what it sees of the children. Pure functions.

Semantics of ``pkg/apis/serving/v1beta1/inference_service_status.go``, oddities included: a rollout meets them too.
Conditions are kept as a mapping of name to (status, reason, message) and written out by ``rendered``.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import Any

from builders.knative import Condition

_TRUE: Condition = ("True", "", "")
_DECISIVE = ("PredictorReady", "IngressReady")
"""``Ready`` is these two together and nothing else."""


def initial() -> dict[str, Any]:
    """The status of an InferenceService that no reconcile has seen."""
    return {"conditions": dict.fromkeys(_DECISIVE, ("Unknown", "", "")), "components": {}, "modelStatus": {}}


def propagate_knative(status: dict[str, Any], service: Mapping[str, Any]) -> None:
    """Carry a Knative Service's status over (``PropagateStatus``), in place.

    Which revision counts as rolled out is told from the traffic of one moment: 100 % on the latest makes it that. A
    split over one and the same revision, which is what less than 100 % gives when nothing has changed, is taken for a
    rollback and brings the previous one back into the route.
    """
    component = status["components"].setdefault("predictor", {})
    created, ready = service.get("latestCreatedRevisionName", ""), service.get("latestReadyRevisionName", "")
    traffic: Sequence[Mapping[str, Any]] = service.get("traffic", ())
    component["latestCreatedRevision"] = created
    for target in traffic:
        if target["revisionName"] == ready and target["latestRevision"]:
            _note_rollout(component, traffic, target, is_settled=ready == created)
    component["latestReadyRevision"] = ready
    component["traffic"] = [dict(target) for target in traffic]
    conditions = service.get("conditions", {})
    if conditions.get("Ready", ("",))[0] == "True":
        component |= {name: service[name] for name in ("url", "address")}
    for theirs, ours in (
        ("Ready", "PredictorReady"),
        ("RoutesReady", "PredictorRouteReady"),
        ("ConfigurationsReady", "PredictorConfigurationReady"),
    ):
        if theirs in conditions:
            status["conditions"][ours] = conditions[theirs]
    # The counter of the Knative Service, under a name that promises the InferenceService's own.
    status["observedGeneration"] = service.get("observedGeneration", 0)
    for whole, part in (
        ("RoutesReady", "PredictorRouteReady"),
        ("LatestDeploymentReady", "PredictorConfigurationReady"),
    ):
        state = status["conditions"].get(part, ("Unknown", "", ""))[0]
        status["conditions"][whole] = (state, "" if state == "True" else f"{part} not ready", "")


def _note_rollout(
    component: dict[str, Any],
    traffic: Sequence[Mapping[str, Any]],
    latest: Mapping[str, Any],
    *,
    is_settled: bool,
) -> None:
    name, rolled_out = latest["revisionName"], component.get("latestRolledoutRevision", "")
    if rolled_out != name:
        if latest["percent"] == 100:
            component |= {"previousRolledoutRevision": rolled_out, "latestRolledoutRevision": name}
        return
    over_one = sum(target["percent"] for target in traffic if target["revisionName"] == name)
    previous = component.get("previousRolledoutRevision", "")
    if is_settled and latest["percent"] < 100 and over_one == 100 and previous:
        component["latestRolledoutRevision"] = previous


def propagate_deployment(status: dict[str, Any], deployment: Mapping[str, Any], url: str) -> None:
    """Carry a Deployment's status over (``PropagateRawStatus``), in place.

    While new pods come up beside old ones the Deployment stays available, and so the InferenceService stays ready.
    """
    component = status["components"].setdefault("predictor", {})
    found = {item["type"]: item for item in deployment.get("conditions", ())}
    available, progressing = found.get("Available", {}), found.get("Progressing", {})
    verdict: Condition = ("False", "", "")
    if available.get("status") == "True":
        verdict = _as_condition("True", available)
    if progressing.get("status") == "False":
        verdict = _as_condition("False", progressing)
    elif progressing.get("reason") == "NewReplicaSetAvailable":
        verdict = _as_condition("True", progressing)
    elif progressing and available.get("status") != "True":
        verdict = _as_condition("Unknown", progressing)
    if available.get("status") == "False":
        verdict = _as_condition("False", available)
    if verdict[0] == "True":
        component["url"] = url
    status["conditions"]["PredictorReady"] = verdict
    status["observedGeneration"] = deployment.get("observedGeneration", 0)


def propagate_canaries(status: dict[str, Any], canaries: Sequence[tuple[Mapping[str, Any], int]]) -> None:
    """Note the state of ``spec.canary`` entries, in place.

    Args:
        status: of the InferenceService.
        canaries: each entry and the available replicas of its Deployment, whatever template those run.
    """
    status["conditions"].pop("CanaryPredictorReady", None)
    status.pop("canaryStatuses", None)
    if not canaries:
        return
    status["canaryStatuses"] = [
        {
            "name": entry["predictor"]["name"],
            "ready": available > 0,
            "trafficPercent": entry["trafficPercent"],
            "modelStatus": {"transitionStatus": ""},
        }
        for entry, available in canaries
    ]
    all_ready = all(available for _, available in canaries)
    status["conditions"]["CanaryPredictorReady"] = (
        ("True", "AllCanariesReady", "") if all_ready else ("False", "CanariesNotReady", "")
    )


def propagate_model(
    status: dict[str, Any], *, pods: int, ready_pods: int, failure: str | None, is_settled: bool, is_broken: bool
) -> None:
    """Note how far the model is (``PropagateModelStatus``), in place.

    Args:
        status: of the InferenceService, its conditions already set.
        pods: of the latest created revision, or of the Deployment. None of them, for whatever reason, reads as pending.
        ready_pods: how many of these are ready.
        failure: what the container of a failed model said last.
        is_settled: whether the latest created revision is the latest ready one (always, for a Deployment).
        is_broken: whether a condition of the Knative Service is False (never, for a Deployment).
    """
    model = status["modelStatus"]
    model["copies"] = {"failedCopies": 0} | ({"totalCopies": ready_pods} if ready_pods else {})
    if pods == 0:
        _set_target(model, "FailedToLoad" if is_broken else "Pending")
    elif ready(status)[0] == "True" and is_settled:
        _set_target(model, "Loaded")
    elif failure is not None:
        _set_target(model, "FailedToLoad")
        # Nothing ever takes this away again, not even a model that loads.
        model["lastFailureInfo"] = {"reason": "ModelLoadFailed", "message": failure, "exitCode": 1}
    else:
        _set_target(model, "Pending")


def _set_target(model: dict[str, Any], state: str) -> None:
    states = model.setdefault("states", {"activeModelState": ""})
    states["targetModelState"] = state
    model["transitionStatus"] = {"Pending": "InProgress", "Loaded": "UpToDate", "FailedToLoad": "BlockedByFailedLoad"}[
        state
    ]
    if state == "Loaded":
        states["activeModelState"] = state


def propagate_ingress(status: dict[str, Any], *, waits_as: str) -> None:
    """Note that the ingress follows the predictor, in place.

    Args:
        status: of the InferenceService.
        waits_as: what it is until the predictor is ready: ``Unknown`` with Istio in front, ``False`` with Gateway API.
    """
    state = status["conditions"]["PredictorReady"][0]
    if state == "True":
        status["conditions"]["IngressReady"] = _TRUE
    else:
        shown = waits_as if state == "Unknown" else "False"
        status["conditions"]["IngressReady"] = (shown, "Predictor ingress not created", "")


def ready(status: Mapping[str, Any]) -> Condition:
    """The ``Ready`` condition."""
    decisive = [status["conditions"][name] for name in _DECISIVE]
    for wanted in ("False", "Unknown"):
        for condition in decisive:
            if condition[0] == wanted:
                return (wanted, *condition[1:])
    return _TRUE


def rendered(status: Mapping[str, Any], now: str, before: Sequence[Mapping[str, Any]] = ()) -> dict[str, Any]:
    """The status as the API holds it.

    Args:
        status: with conditions as a mapping.
        now: RFC 3339, for conditions that have changed.
        before: the conditions as they were, whose times stay where nothing has changed.
    """
    earlier = {item["type"]: item for item in before}
    conditions = []
    for name, (state, reason, message) in sorted({**status["conditions"], "Ready": ready(status)}.items()):
        item: dict[str, Any] = {"type": name, "status": state}
        item |= {key: text for key, text in (("reason", reason), ("message", message)) if text}
        old = earlier.get(name, {})
        kept = old.get("status") == state and "lastTransitionTime" in old
        conditions.append(item | {"lastTransitionTime": old["lastTransitionTime"] if kept else now})
    return {**status, "conditions": conditions}


def parsed(status: Mapping[str, Any] | None) -> dict[str, Any]:
    """What ``rendered`` wrote, read again into a copy; of no status the initial one."""
    if not status:
        return initial()
    status = copy.deepcopy(status)
    conditions = {
        item["type"]: (item["status"], item.get("reason", ""), item.get("message", ""))
        for item in status.get("conditions", ())
        if item["type"] != "Ready"
    }
    return {**initial(), **status, "conditions": {**initial()["conditions"], **conditions}}


def _as_condition(state: str, item: Mapping[str, Any]) -> Condition:
    return state, item.get("reason", ""), item.get("message", "")
