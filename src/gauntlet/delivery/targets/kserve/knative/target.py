"""Knative mode: one InferenceService whose revisions share the requests by ``canaryTrafficPercent``."""

from __future__ import annotations

from collections.abc import Callable

from gauntlet.delivery.counters.prometheus.source import Arms
from gauntlet.delivery.release import Release
from gauntlet.delivery.retry import Retry, retry_on_conflict
from gauntlet.delivery.rollout.ports import Conflict, TargetStatus
from gauntlet.delivery.rollout.state import Phase, Rollout
from gauntlet.delivery.targets.kserve import recovery
from gauntlet.delivery.targets.kserve.api import Api, Json
from gauntlet.delivery.targets.kserve.knative import steps
from gauntlet.delivery.targets.kserve.knative.steps import Change
from gauntlet.delivery.targets.kserve.knative.view import View, named, read, revision, target_status
from gauntlet.delivery.targets.kserve.predictors import difference
from gauntlet.delivery.targets.kserve.resources import (
    INFERENCE_SERVICES,
    KNATIVE_REVISIONS,
    KNATIVE_SERVICES,
    predictor_service,
    split,
)
from gauntlet.delivery.targets.kserve.saved_state import SavedState, SavedStateStore
from gauntlet.errors import DataError, DependencyError

_ATTEMPTS = 5
"""The controllers write the status at any moment, which makes a patch conflict; the next attempt reads it again."""


class KnativeTarget:
    """``ports.Target`` over one or more InferenceServices in Knative mode."""

    def __init__(self, api: Api) -> None:
        self._api, self._record = api, SavedStateStore(api)

    def observe(self, rollout: Rollout) -> TargetStatus:
        """Observe the service now."""
        view, _ = read_view(self._api, rollout.service, self._before(rollout, self._record.before))
        return target_status(view, rollout)

    def deploy(self, rollout: Rollout) -> None:
        """Make the candidate the template, with no requests."""
        self._carry_out(rollout, steps.deploy)

    def set_weight(self, rollout: Rollout) -> None:
        """Give the candidate its share."""
        self._carry_out(rollout, steps.set_weight)

    def promote(self, rollout: Rollout) -> None:
        """Take the share away: the latest revision, which is the candidate's, has everything."""
        self._carry_out(rollout, steps.promote)

    def restore(self, rollout: Rollout) -> None:
        """Make the stable version the template again."""
        self._carry_out(rollout, steps.restore)

    def roll_back(self, rollout: Rollout) -> None:
        """Share 0, the old template, no share: one of these at a time, each once the one before it is in force."""
        self._carry_out(rollout, steps.roll_back)

    def infer_rollout(self, service: str, now: float) -> Rollout | None:
        """Infer the rollout from the InferenceService, so that it can be rolled back without a journal."""
        if self._api.get(INFERENCE_SERVICES, *split(service)) is None:
            return None
        inferred = recovery.knative_rollout(
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
        before = recovery.knative_saved_state(view, rollout.stable)
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
            self._patch(rollout, isvc, change.predictor or {})

        retry_on_conflict(
            attempt,
            attempts=_ATTEMPTS,
            field=f"InferenceService {rollout.service}",
            mend="Find out what else writes it; the next iteration tries again",
        )

    def _patch(self, rollout: Rollout, isvc: Json, predictor: Json) -> None:
        namespace, name = split(rollout.service)
        patch = {"spec": {"predictor": difference(isvc["spec"]["predictor"], predictor)}}
        try:
            self._api.patch(INFERENCE_SERVICES, namespace, name, isvc["metadata"]["resourceVersion"], patch)
        except Conflict as conflict:
            raise Retry from conflict


def read_view(api: Api, service: str, before: SavedState | None) -> tuple[View, Json]:
    """An InferenceService in Knative mode now, and the document it was read from.

    Raises:
        DependencyError: it is not there, or the API server does not answer.
    """
    namespace, name = split(service)
    isvc = api.get(INFERENCE_SERVICES, namespace, name)
    if isvc is None:
        raise DependencyError("is not there", field=f"InferenceService {service}", mend="Create it")
    # Read after the InferenceService, so that a status older than Knative's own is recognised.
    child = api.get(KNATIVE_SERVICES, namespace, predictor_service(name, isvc["spec"]["predictor"].get("name", "")))
    documents = {
        revision_name: api.get(KNATIVE_REVISIONS, namespace, revision_name) for revision_name in sorted(named(isvc))
    }
    revisions = {
        revision_name: revision(document) for revision_name, document in documents.items() if document is not None
    }
    return read(isvc, child, revisions, before), isvc


def revision_names(api: Api) -> Arms:
    """Names of a rollout's versions in Knative's own series: the newest revision that runs each.

    A version that no revision runs has a name that selects nothing: it has no pods.
    """

    def named(rollout: Rollout) -> tuple[str, str]:
        view, _ = read_view(api, rollout.service, None)

        def name_of(release: Release) -> str:
            running = [name for name in sorted(view.revisions, reverse=True) if view.runs(name, release)]
            return running[0] if running else f"no revision of {release}"

        return name_of(rollout.candidate), name_of(rollout.stable)

    return named
