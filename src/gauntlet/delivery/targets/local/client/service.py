"""A local service outside rollouts, and ``local:FOLDER`` connected to it."""

from __future__ import annotations

from gauntlet.delivery.release import Release
from gauntlet.delivery.targets.local import transitions
from gauntlet.delivery.targets.local.client.counters import LocalCounters
from gauntlet.delivery.targets.local.client.host_client import Client
from gauntlet.delivery.targets.local.client.journal_store import LocalJournalStore
from gauntlet.delivery.targets.local.client.lease import LocalLease
from gauntlet.delivery.targets.local.client.mirror import LocalMirror
from gauntlet.delivery.targets.local.client.target import LocalTarget, is_ready
from gauntlet.delivery.targets.service import Service
from gauntlet.errors import DependencyError
from gauntlet.storage import working_folder


class LocalHandle:
    """Implements ``service.ServiceHandle``.

    Args:
        client: the host.
    """

    def __init__(self, client: Client) -> None:
        self._client = client

    def current(self) -> Release | None:
        """The stable version."""
        return self._client.state().desired.served

    def install(self, release: Release, *, replace: bool = False) -> None:
        """Serve a version with all requests at once."""
        self._client.change(lambda now: transitions.install(now, release, again=replace))

    def ready(self, release: Release) -> bool:
        """Whether this release, of this digest, answers."""
        return is_ready(self._client.state(), release)

    def url(self) -> str:
        """The URL for callers."""
        return self._client.url()

    def url_of(self, release: Release) -> str:
        """The URL of the version's own server.

        Raises:
            DependencyError: it does not run.
        """
        status = self._client.state().revisions.get(release.version)
        if status is None or status.port is None:
            raise DependencyError("does not run", field=str(release), mend="Deploy it, or read its log")
        return f"http://127.0.0.1:{status.port}"

    def failed(self, release: Release) -> str:
        """Why this release's server will not be restarted; empty while it may be."""
        status = self._client.state().revisions.get(release.version)
        return status.failed if status else ""


ROLLOUTS = "rollouts"


def open_place(address: str) -> Service:
    """Connect to the service of a folder.

    Args:
        address: the folder that ``gauntlet serve`` was given.

    Raises:
        DependencyError: no host runs on it.
    """
    client = Client((working_folder() / address).resolve())
    client.state()
    return service_of(client)


def service_of(client: Client) -> Service:
    """The service of a host."""
    journals = client.folder / ROLLOUTS
    return Service(
        name=client.folder.name,
        handle=LocalHandle(client),
        target=LocalTarget(client),
        journals=LocalJournalStore(journals, reserve=client.folder),
        lease=LocalLease(journals),
        counter_source=LocalCounters(client),
        mirror=LocalMirror(client),
        unrecorded=lambda: client.state().unwritten,
    )
