"""``kserve:NAMESPACE/NAME``: an InferenceService of the cluster that the environment points at."""

from __future__ import annotations

from gauntlet.delivery.counters.prometheus.source import by_version
from gauntlet.delivery.rollout.controller import Target
from gauntlet.delivery.targets.kserve.api import Api, connect
from gauntlet.delivery.targets.kserve.journal_store import ConfigMapLedger
from gauntlet.delivery.targets.kserve.knative.target import KnativeTarget, revision_names
from gauntlet.delivery.targets.kserve.lease import ClusterLease
from gauntlet.delivery.targets.kserve.modes import Mode, mode_of
from gauntlet.delivery.targets.kserve.preflight import preflight
from gauntlet.delivery.targets.kserve.resources import INFERENCE_SERVICES, split
from gauntlet.delivery.targets.kserve.service import ClusterPlace, NoMeter
from gauntlet.delivery.targets.kserve.standard.target import StandardTarget
from gauntlet.delivery.targets.service import Service


def open_place(address: str) -> Service:
    """The service at ``NAMESPACE/NAME``, in the mode that KServe runs it in.

    Raises:
        ConfigurationError: no cluster, no KServe, no permission, or not an address.
        DependencyError: the cluster does not answer.
    """
    return open_on(connect(), address)


def open_on(api: Api, address: str) -> Service:
    """The same, on a cluster already connected to."""
    mode = mode_of(api, api.get(INFERENCE_SERVICES, *split(address)))
    ledger = ConfigMapLedger(api)
    target: Target = KnativeTarget(api) if mode is Mode.KNATIVE else StandardTarget(api)
    return Service(
        name=address,
        place=ClusterPlace(api, address, mode),
        target=target,
        ledger=ledger,
        lease=ClusterLease(api),
        meter=NoMeter(),
        people=ledger.people,
        obstacles=lambda: preflight(api, address),
        revisions=revision_names(api) if mode is Mode.KNATIVE else by_version,
    )
