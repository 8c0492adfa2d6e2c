"""An InferenceService outside rollouts, and ``kserve:NAMESPACE/NAME`` connected to it."""

from __future__ import annotations

from gauntlet.delivery.counters.prometheus.source import by_version
from gauntlet.delivery.counters.source import Reading
from gauntlet.delivery.release import Release
from gauntlet.delivery.rollout.ports import Target
from gauntlet.delivery.rollout.state import Rollout
from gauntlet.delivery.targets.kserve.api import Api, Json, connect
from gauntlet.delivery.targets.kserve.journal_store import ConfigMapJournalStore
from gauntlet.delivery.targets.kserve.knative import target as knative
from gauntlet.delivery.targets.kserve.knative.target import KnativeTarget, revision_names
from gauntlet.delivery.targets.kserve.lease import ClusterLease
from gauntlet.delivery.targets.kserve.modes import ANNOTATION, Mode, mode_of
from gauntlet.delivery.targets.kserve.predictors import (
    DIGEST,
    VERSION,
    difference,
    release_in,
    with_percent,
    with_release,
)
from gauntlet.delivery.targets.kserve.preflight import preflight
from gauntlet.delivery.targets.kserve.resources import HTTP_ROUTES, INFERENCE_SERVICES, RUNTIME, route_name, split
from gauntlet.delivery.targets.kserve.standard import target as standard
from gauntlet.delivery.targets.kserve.standard.target import StandardTarget
from gauntlet.delivery.targets.service import Service
from gauntlet.errors import ConfigurationError, DependencyError


class ClusterHandle:
    """``service.ServiceHandle`` for one InferenceService.

    Args:
        api: the cluster.
        service: ``NAMESPACE/NAME``.
        mode: its deployment mode.
        runtime: pinned when the first version is installed.
    """

    def __init__(self, api: Api, service: str, mode: Mode, runtime: str = RUNTIME) -> None:
        self._api, self._service, self._mode, self._runtime = api, service, mode, runtime

    def current(self) -> Release | None:
        """The stable version; while a rollout is under way, the one it would roll back to.

        Raises:
            ConfigurationError: what serves does not say which version it is.
        """
        isvc = self._get()
        if isvc is None:
            return None
        if (under_way := self._under_way()) is not None:
            return under_way.stable
        release = release_in(isvc["spec"]["predictor"])
        if release is None:
            raise ConfigurationError(
                "does not say which version it serves",
                field=f"InferenceService {self._service}",
                value=(isvc["spec"]["predictor"].get("model") or {}).get("storageUri"),
                mend=f"Set {VERSION} and {DIGEST} in spec.predictor.model.env, once, to what the registry says of it",
            )
        return release

    def install(self, release: Release, *, replace: bool = False) -> None:
        """Create the InferenceService with this version, or put the version into the one that is there.

        Raises:
            ConfigurationError: another version serves already and ``replace`` is not set, a rollout is under way, or
                this account may not create one.
        """
        namespace, name = split(self._service)
        isvc = self._get()
        if isvc is not None:
            self._put(isvc, release, replace)
            return
        model = {"modelFormat": {"name": "mlflow"}, "protocolVersion": "v2", "runtime": self._runtime}
        self._api.create(
            INFERENCE_SERVICES,
            namespace,
            {
                "apiVersion": "serving.kserve.io/v1beta1",
                "kind": "InferenceService",
                "metadata": {"name": name, "annotations": {ANNOTATION: str(self._mode)}},
                "spec": {"predictor": with_release({"model": model}, release)},
            },
        )

    def _put(self, isvc: Json, release: Release, replace: bool) -> None:
        current = release_in(isvc["spec"]["predictor"])
        if current is not None and (current.version, current.digest) == (release.version, release.digest):
            return
        if not replace or self._under_way() is not None:
            raise ConfigurationError(
                f"serves {current or 'a model without a version'} already",
                field=f"InferenceService {self._service}",
                value=str(release),
                mend="Roll it out",
            )
        namespace, name = split(self._service)
        predictor = with_release(with_percent(isvc["spec"]["predictor"], None), release, self._runtime)
        patch = {"spec": {"predictor": difference(isvc["spec"]["predictor"], predictor)}}
        self._api.patch(INFERENCE_SERVICES, namespace, name, isvc["metadata"]["resourceVersion"], patch)

    def ready(self, release: Release) -> bool:
        """Whether this version answers requests."""
        if self._mode is Mode.STANDARD:
            return standard.read_view(self._api, self._service, None)[0].answers(release)
        view, _ = knative.read_view(self._api, self._service, None)
        return any(view.answers(name, release) for name in view.traffic)

    def url(self) -> str:
        """The URL for callers: the host of the rollout's route in Standard mode, or else of KServe's.

        Raises:
            DependencyError: it has no address yet.
        """
        namespace, name = split(self._service)
        route = self._api.get(HTTP_ROUTES, namespace, route_name(name)) if self._mode is Mode.STANDARD else None
        hosts = ((route or {}).get("spec") or {}).get("hostnames") or []
        if hosts:
            return f"http://{hosts[0]}"
        status = (self._get() or {}).get("status") or {}
        url = status.get("url") or ((status.get("components") or {}).get("predictor") or {}).get("url")
        if not url:
            raise DependencyError(
                "has no address yet",
                field=f"InferenceService {self._service}",
                mend="Wait until it is ready",
                retryable=True,
            )
        return str(url)

    def url_of(self, release: Release) -> str:
        """The URL of the Service of a version's own pods, inside the cluster.

        Raises:
            DependencyError: the version is not there.
        """
        namespace, _ = split(self._service)
        if self._mode is Mode.STANDARD:
            service = standard.read_view(self._api, self._service, None)[0].service(release)
        else:
            view, _ = knative.read_view(self._api, self._service, None)
            # The newest of those that answer: a copy of the version may stand beside it.
            service = max((name for name in view.revisions if view.answers(name, release)), default="")
        if not service:
            raise DependencyError(
                f"has no {release}", field=f"InferenceService {self._service}", mend="Deploy it", retryable=True
            )
        return f"http://{service}.{namespace}.svc.cluster.local"

    def _under_way(self) -> Rollout | None:
        written = ConfigMapJournalStore(self._api).read(self._service)
        return written[0].rollout if written is not None and not written[0].rollout.phase.final else None

    def _get(self) -> Json | None:
        return self._api.get(INFERENCE_SERVICES, *split(self._service))


class NoCounters:
    """``CounterSource`` of a service that keeps no counters itself: the cluster's Prometheus scrapes its pods."""

    def read(self, rollout: Rollout) -> Reading:
        """Refuse: there are none.

        Raises:
            ConfigurationError: always.
        """
        raise ConfigurationError(
            "has no counters of its own",
            field=f"kserve:{rollout.service}",
            mend="Give the address of the Prometheus that scrapes it",
        )


def open_place(address: str) -> Service:
    """Connect to the service at ``NAMESPACE/NAME``, in the mode that KServe runs it in.

    Raises:
        ConfigurationError: no cluster, no KServe, no permission, or not an address.
        DependencyError: the cluster does not answer.
    """
    return open_on(connect(), address)


def open_on(api: Api, address: str) -> Service:
    """Connect to a service of a cluster that is connected to already."""
    mode = mode_of(api, api.get(INFERENCE_SERVICES, *split(address)))
    journals = ConfigMapJournalStore(api)
    target: Target = KnativeTarget(api) if mode is Mode.KNATIVE else StandardTarget(api)
    return Service(
        name=address,
        handle=ClusterHandle(api, address, mode),
        target=target,
        journals=journals,
        lease=ClusterLease(api),
        counter_source=NoCounters(),
        approvals=journals.approvals,
        obstacles=lambda: preflight(api, address),
        revisions=revision_names(api) if mode is Mode.KNATIVE else by_version,
    )
