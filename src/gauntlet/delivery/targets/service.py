"""The interface of a service on any target, and the addresses that name one.

local:FOLDER                 what ``gauntlet serve FOLDER`` runs on this machine
kserve:NAMESPACE/NAME        an InferenceService of the cluster that the environment points at
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Protocol

from gauntlet.delivery.counters.prometheus.source import Arms, by_version
from gauntlet.delivery.counters.source import CounterSource
from gauntlet.delivery.preflight import Obstacle, no_obstacles
from gauntlet.delivery.release import Release
from gauntlet.delivery.rollout.approvals import ApprovalSource, no_approvals
from gauntlet.delivery.rollout.lease import Lease
from gauntlet.delivery.rollout.ports import JournalStore, Target
from gauntlet.delivery.rollout.state import Rollout
from gauntlet.delivery.shadow.gate import ShadowCounts
from gauntlet.errors import ConfigurationError


class ServiceHandle(Protocol):
    """A service outside rollouts. All methods raise ``DependencyError`` when the platform does not answer."""

    def current(self) -> Release | None:
        """The stable version; ``None`` where nothing was ever served."""

    def install(self, release: Release, *, replace: bool = False) -> None:
        """Serve a version with all requests at once: the first one, or any in staging. Returns before it is ready.

        Args:
            release: the version to serve; nothing changes where it serves already.
            replace: replace another version; for staging only.

        Raises:
            ConfigurationError: another version serves already, and ``replace`` is not set.
        """

    def ready(self, release: Release) -> bool:
        """Whether this version answers requests."""

    def url(self) -> str:
        """URL for callers, without a path: ``http://127.0.0.1:8080``."""

    def url_of(self, release: Release) -> str:
        """URL of this version's own server, which bypasses the router, ``/metrics`` included."""


class Mirror(Protocol):
    """Mirrors the stable version's requests to a candidate without live traffic, and compares both answers."""

    def start(self, rollout: Rollout, share: float) -> None:
        """Mirror a share of the requests, in (0, 1], from now on; counts begin at zero."""

    def counts(self, rollout: Rollout) -> ShadowCounts:
        """The counts since the start."""

    def stop(self, rollout: Rollout) -> None:
        """Stop mirroring; idempotent."""


@dataclass(frozen=True)
class Service:
    """A service with the backends of a rollout on it.

    Attributes:
        name: its name in journal store and lease.
        handle: the service outside rollouts.
        target: carries out the actions.
        journals: keeps the journal.
        lease: keeps a second controller away.
        counter_source: the counters it keeps itself; a Prometheus takes their place where one is given.
        approvals: manual approvals and aborts.
        mirror: mirrors requests; ``None`` where the target cannot.
        obstacles: the preflight: what blocks a new rollout, a canary that is under way included.
        revisions: names of the versions in a platform's own series, where these do not carry the version itself.
        unrecorded: why a rollback that the target carried out could not be written; empty where there is none.
    """

    name: str
    handle: ServiceHandle
    target: Target
    journals: JournalStore
    lease: Lease
    counter_source: CounterSource
    approvals: ApprovalSource = no_approvals
    mirror: Mirror | None = None
    obstacles: Callable[[], tuple[Obstacle, ...]] = no_obstacles
    revisions: Arms = by_version
    unrecorded: Callable[[], str] = lambda: ""


KINDS: Mapping[str, str] = {
    "local": "gauntlet.delivery.targets.local.client.service",
    "kserve": "gauntlet.delivery.targets.kserve.service",
}
"""Kind → the module whose ``open_place(address: str) -> Service`` opens it."""


def require_address(address: str, *, field: str = "service") -> tuple[str, str]:
    """Split an address into kind and rest.

    Raises:
        ConfigurationError: it is no address of a known kind.
    """
    kind, _, rest = address.partition(":")
    if kind not in KINDS or not rest:
        raise ConfigurationError(
            "is not the address of a service",
            field=field,
            value=address,
            mend="Give local:FOLDER or kserve:NAMESPACE/NAME",
        )
    return kind, rest


def open_service(address: str) -> Service:
    """Connect to the service of an address.

    Raises:
        ConfigurationError: it is no address of a known kind.
        DependencyError: the service does not answer.
    """
    kind, rest = require_address(address)
    opening: Callable[[str], Service] = import_module(KINDS[kind]).open_place
    return opening(rest)
