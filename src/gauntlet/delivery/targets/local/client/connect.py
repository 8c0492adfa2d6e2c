"""``local:FOLDER``, opened."""

from __future__ import annotations

from gauntlet.delivery.targets.local.client.counters import LocalMeter
from gauntlet.delivery.targets.local.client.host_client import Client
from gauntlet.delivery.targets.local.client.journal_store import LocalLedger
from gauntlet.delivery.targets.local.client.lease import LocalLease
from gauntlet.delivery.targets.local.client.mirror import LocalMirror
from gauntlet.delivery.targets.local.client.service import LocalPlace
from gauntlet.delivery.targets.local.client.target import LocalTarget
from gauntlet.delivery.targets.service import Service
from gauntlet.storage import working_folder

ROLLOUTS = "rollouts"


def open_place(address: str) -> Service:
    """The service of a folder.

    Args:
        address: the folder that ``gauntlet serve`` was given.

    Raises:
        DependencyError: no host runs on it.
    """
    folder = (working_folder() / address).resolve()
    client = Client(folder)
    client.state()
    journals = folder / ROLLOUTS
    return Service(
        name=folder.name,
        place=LocalPlace(client),
        target=LocalTarget(client),
        ledger=LocalLedger(journals),
        lease=LocalLease(journals),
        meter=LocalMeter(client),
        mirror=LocalMirror(client),
        unrecorded=lambda: client.state().unwritten,
    )
