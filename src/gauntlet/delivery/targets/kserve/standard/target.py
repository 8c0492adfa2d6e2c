"""Standard mode: the candidate as an entry of ``spec.canary``, and an HTTPRoute that weighs both Services."""

from __future__ import annotations

from collections.abc import Callable

from gauntlet.delivery.retry import Retry, retry_on_conflict
from gauntlet.delivery.rollout.ports import Conflict, TargetStatus
from gauntlet.delivery.rollout.state import Phase, Rollout
from gauntlet.delivery.targets.kserve import recovery
from gauntlet.delivery.targets.kserve.api import Api, Json
from gauntlet.delivery.targets.kserve.predictors import difference
from gauntlet.delivery.targets.kserve.resources import (
    DEPLOYMENTS,
    HTTP_ROUTES,
    INFERENCE_SERVICES,
    predictor_service,
    route_name,
    split,
)
from gauntlet.delivery.targets.kserve.saved_state import SavedState, SavedStateStore
from gauntlet.delivery.targets.kserve.standard import routes, steps
from gauntlet.delivery.targets.kserve.standard.steps import Change
from gauntlet.delivery.targets.kserve.standard.view import NOTE, View, target_status, workload
from gauntlet.errors import DataError, DependencyError

_ATTEMPTS = 5
"""The controllers write the status at any moment, which makes a patch conflict; the next attempt reads it again."""


class StandardTarget:
    """``ports.Target`` over one or more InferenceServices in Standard mode."""

    def __init__(self, api: Api) -> None:
        self._api, self._record = api, SavedStateStore(api)

    def observe(self, rollout: Rollout) -> TargetStatus:
        """Observe the service now."""
        view, _ = read_view(self._api, rollout.service, self._before(rollout, self._record.before))
        return target_status(view, rollout)

    def deploy(self, rollout: Rollout) -> None:
        """Add the candidate as an entry without requests."""
        self._carry_out(rollout, steps.deploy)

    def set_weight(self, rollout: Rollout) -> None:
        """Give the candidate pods for its share, then its share."""
        self._carry_out(rollout, steps.set_weight)

    def promote(self, rollout: Rollout) -> None:
        """Route everything to the candidate, then make it the predictor."""
        self._carry_out(rollout, steps.promote)

    def restore(self, rollout: Rollout) -> None:
        """Add the stable version as an entry without requests, where it is no longer specified."""
        self._carry_out(rollout, steps.restore)

    def roll_back(self, rollout: Rollout) -> None:
        """Route everything to the stable version, then take the candidate out of the specification."""
        self._carry_out(rollout, steps.roll_back)

    def mirror(self, rollout: Rollout, on: bool) -> None:
        """Mirror every request to the candidate, whose answers are dropped; or stop mirroring.

        Raises:
            DependencyError: there is no HTTPRoute of ours, or the candidate is not specified.
        """

        def decide(view: View, rollout: Rollout) -> Change | None:
            service = view.service(rollout.candidate)
            if view.route is None or (on and not service):
                raise DependencyError(
                    "cannot mirror: it needs our HTTPRoute and a deployed candidate",
                    field=f"InferenceService {rollout.service}",
                    value=service or None,
                    mend=f"Create the HTTPRoute {route_name(view.name)}, and deploy the candidate",
                )
            rules = routes.mirrored(view.route, view.name, service if on else None)
            return None if rules == view.route["spec"].get("rules") else Change(rules=rules)

        self._carry_out(rollout, decide)

    def infer_rollout(self, service: str, now: float) -> Rollout | None:
        """Infer the rollout from the InferenceService, so that it can be rolled back without a journal."""
        if self._api.get(INFERENCE_SERVICES, *split(service)) is None:
            return None
        inferred = recovery.standard_rollout(
            read_view(self._api, service, None)[0], service, self._record.kept(service), now
        )
        if inferred is None:
            return None
        self._record.set_inferred(inferred.rollout, inferred.before)
        return inferred.rollout

    def _before(self, rollout: Rollout, read: Callable[[Rollout], SavedState | None]) -> SavedState | None:
        """The state before the rollout; inferred from the service where a rollback cannot read it."""
        try:
            return read(rollout)
        except DataError:
            if rollout.phase is not Phase.ROLLING_BACK:
                raise
        view, _ = read_view(self._api, rollout.service, None)
        before = recovery.standard_saved_state(view)
        self._record.set_inferred(rollout, before)
        return before

    def _carry_out(self, rollout: Rollout, decide: Callable[[View, Rollout], Change | None]) -> None:
        def attempt() -> None:
            view, isvc = read_view(self._api, rollout.service, self._before(rollout, self._record.before_acting))
            change = decide(view, rollout)
            if change is None:
                return
            if change.keep is not None:
                self._record.keep(rollout, change.keep)
                raise Retry
            self._patch(rollout, view, isvc, change)

        retry_on_conflict(
            attempt,
            attempts=_ATTEMPTS,
            field=f"InferenceService {rollout.service}",
            mend="Find out what else writes it; the next iteration tries again",
        )

    def _patch(self, rollout: Rollout, view: View, isvc: Json, change: Change) -> None:
        namespace, name = split(rollout.service)
        try:
            if change.rules is not None and view.route is not None:
                patch: Json = {"spec": {"rules": change.rules}}
                if change.note:
                    patch["metadata"] = {"annotations": {NOTE: change.note}}
                version = view.route["metadata"]["resourceVersion"]
                self._api.patch(HTTP_ROUTES, namespace, route_name(name), version, patch)
            elif change.spec is not None:
                wanted = {key: value for key, value in {**isvc["spec"], **change.spec}.items() if value is not None}
                patch = {"spec": difference(isvc["spec"], wanted)}
                version = isvc["metadata"]["resourceVersion"]
                self._api.patch(INFERENCE_SERVICES, namespace, name, version, patch)
        except Conflict as conflict:
            raise Retry from conflict


def read_view(api: Api, service: str, before: SavedState | None) -> tuple[View, Json]:
    """An InferenceService in Standard mode now, and the document it was read from.

    Raises:
        DependencyError: it is not there, or the API server does not answer.
    """
    namespace, name = split(service)
    isvc = api.get(INFERENCE_SERVICES, namespace, name)
    if isvc is None:
        raise DependencyError("is not there", field=f"InferenceService {service}", mend="Create it")
    spec, status = isvc["spec"], isvc.get("status") or {}
    entries = tuple(spec.get("canary") or ())
    predictors = [spec["predictor"], *(entry["predictor"] for entry in entries)]
    workloads = {}
    for child in (predictor_service(name, predictor.get("name", "")) for predictor in predictors):
        document = api.get(DEPLOYMENTS, namespace, child)
        deployed = None if document is None else workload(document)
        if deployed is not None:
            workloads[child] = deployed
    kserve_route = api.get(HTTP_ROUTES, namespace, name)
    view = View(
        name=name,
        predictor=spec["predictor"],
        entries=entries,
        workloads=workloads,
        route=api.get(HTTP_ROUTES, namespace, route_name(name)),
        kserve_route=kserve_route if kserve_route is not None and _is_of_kserve(kserve_route) else None,
        runtime=status.get("servingRuntimeName") or status.get("clusterServingRuntimeName") or "",
        before=before,
    )
    return view, isvc


def _is_of_kserve(route: Json) -> bool:
    return any(owner.get("kind") == "InferenceService" for owner in route["metadata"].get("ownerReferences") or ())
