"""What every target offers, and the address that names one.

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
    """A service as it stands, outside any rollout. ``DependencyError`` when the other side does not answer."""

    def current(self) -> Release | None:
        """The stable version; ``None`` where nothing was ever served."""

    def install(self, release: Release, *, replace: bool = False) -> None:
        """Serve a version with all requests at once: the first one, or any in staging. Returns before it is ready.

        Args:
            release: what to serve; nothing changes where it serves already.
            replace: take the place of another version, which goes; for staging only.

        Raises:
            ConfigurationError: another version serves already, and ``replace`` is not set.
        """

    def ready(self, release: Release) -> bool:
        """Whether this version answers requests."""

    def url(self) -> str:
        """Where requests go, without a path: ``http://127.0.0.1:8080``."""

    def url_of(self, release: Release) -> str:
        """Where this version's own server answers, past whatever splits requests, its ``/metrics`` included."""


class Mirror(Protocol):
    """Mirrors the stable version's requests to a candidate without live traffic, and compares both answers."""

    def start(self, rollout: Rollout, share: float) -> None:
        """Copy a share of the requests, in (0, 1], from now on; counts begin at zero."""

    def counts(self, rollout: Rollout) -> ShadowCounts:
        """What was counted since the start."""

    def stop(self, rollout: Rollout) -> None:
        """Copy nothing any more; repeatable."""


@dataclass(frozen=True)
class Service:
    """A service with everything a rollout on it is carried out with.

    Attributes:
        name: what journal store and lease know it by.
        handle: the service as it stands.
        target: what is acted on.
        journals: where the journal is kept.
        lease: keeps a second actor away.
        counter_source: the counters it keeps itself; a Prometheus is asked instead where one is given.
        approvals: what people said of a rollout where the service keeps it.
        mirror: copies requests; ``None`` where the place cannot.
        obstacles: what stands in the way of a rollout that has not begun; one that has is among it (another canary).
        revisions: what a platform's own series call the versions, where they do not carry the version itself.
        unrecorded: what the place was asked, has done, and could not write down; empty where there is nothing.
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
    """The kind and the rest of an address.

    Raises:
        ConfigurationError: it is no address of a kind known here.
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
    """The service an address names.

    Raises:
        ConfigurationError: it is no address of a kind known here.
        DependencyError: nothing answers there.
    """
    kind, rest = require_address(address)
    opening: Callable[[str], Service] = import_module(KINDS[kind]).open_place
    return opening(rest)
