"""The lease of an InferenceService: a ``coordination.k8s.io`` Lease, by the rules of client-go's leader election.

The clocks of two machines are never compared. Another controller's lease has expired when its record has not changed
for its duration, counted on *this* machine since the record was first seen: a new process has to watch it first
(``rollout.lease.wait_for_lease``). This process's own lease counts from before the request that renewed it, so it
expires here before it can expire anywhere else.
"""

from __future__ import annotations

import datetime
import math
import os
import socket
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field

from gauntlet.delivery.rollout.lease import LeaseRecord, LeaseTaken
from gauntlet.delivery.rollout.ports import Conflict
from gauntlet.delivery.targets.kserve.api import Api, Json
from gauntlet.delivery.targets.kserve.journal_store import LABELS
from gauntlet.delivery.targets.kserve.resources import LEASES, record_name, split
from gauntlet.errors import ConfigurationError, DependencyError

LEASE_SECONDS = 120.0
_MARGIN = 0.2
"""Last share of the lease in which no action is begun: requests take time, and clocks drift."""


def identity() -> str:
    """A unique name of this process: ``HOST_PID_RANDOM``."""
    return f"{socket.gethostname()}_{os.getpid()}_{uuid.uuid4().hex[:8]}"


@dataclass
class _Observed:
    """Another holder's record, and since when it is unchanged by this process's clock."""

    record: tuple[object, ...] = ()
    since: float = 0.0


@dataclass
class ClusterLease:
    """``rollout.lease.Lease`` for any number of services.

    Attributes:
        api: the cluster.
        holder: name of this process.
        seconds: duration of a lease; longer than ``rollout.lease.RENEW_SECONDS``, or it expires while its holder
            waits. A successor waits for as long after a crash.
        monotonic: a clock that never goes back.
    """

    api: Api
    holder: str = field(default_factory=identity)
    seconds: float = LEASE_SECONDS
    monotonic: Callable[[], float] = time.monotonic
    _observed: dict[str, _Observed] = field(default_factory=dict)
    _until: dict[str, float] = field(default_factory=dict)

    def acquire(self, service: str) -> None:
        """Acquire the lease, or renew it.

        Raises:
            LeaseTaken: another controller holds it, or took it at this moment.
            DependencyError: it cannot be read or written.
        """
        try:
            self._acquire_once(service)
        except Conflict:  # the record has changed since it was read: read it again, for its holder
            try:
                self._acquire_once(service)
            except Conflict as error:
                raise LeaseTaken(f"another controller took the lease of {service} at this moment") from error

    def _acquire_once(self, service: str) -> None:
        namespace, name = split(service)
        began = self.monotonic()
        document = self.api.get(LEASES, namespace, record_name(name))
        if document is None:
            metadata = {"name": record_name(name), "labels": LABELS}
            body = {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": metadata}
            self.api.create(LEASES, namespace, {**body, "spec": {**self._record(0), "acquireTime": _now()}})
        else:
            self._renew_or_take(service, document)
        self._until[service] = began + self.seconds * (1 - _MARGIN)

    def check(self, service: str) -> None:
        """Make sure, by this process's clock alone, that it is still held.

        Raises:
            LeaseTaken: it was not renewed in time.
        """
        if self.monotonic() >= self._until.get(service, -math.inf):
            raise LeaseTaken(f"the lease of {service} was not renewed in time")

    def release(self, service: str) -> None:
        """Release it, if it is held. Where that fails, it expires."""
        if self._until.pop(service, None) is None:
            return
        namespace, name = split(service)
        try:
            document = self.api.get(LEASES, namespace, record_name(name))
            if document is not None and document["spec"].get("holderIdentity") == self.holder:
                spec = {"holderIdentity": None, "leaseDurationSeconds": 1, "renewTime": _now()}
                self.api.patch(LEASES, namespace, record_name(name), _version(document), {"spec": spec})
        except (Conflict, DependencyError, ConfigurationError):
            return

    def _renew_or_take(self, service: str, document: Json) -> None:
        namespace, name = split(service)
        spec = document.get("spec") or {}
        now_held_by = spec.get("holderIdentity") or ""
        transitions = int(spec.get("leaseTransitions") or 0)
        if now_held_by == self.holder:
            change = self._record(transitions)
        else:
            if now_held_by and not self._has_expired(service, spec):
                self._until.pop(service, None)
                held = LeaseRecord(now_held_by, str(spec.get("renewTime") or ""), self._duration(spec))
                raise LeaseTaken(f"{now_held_by} holds the lease of {service}", held)
            change = {**self._record(transitions + 1), "acquireTime": _now()}
        self.api.patch(LEASES, namespace, record_name(name), _version(document), {"spec": change})

    def _has_expired(self, service: str, spec: Json) -> bool:
        record = (spec.get("holderIdentity"), spec.get("renewTime"), spec.get("leaseTransitions"))
        observed = self._observed.setdefault(service, _Observed())
        if observed.record != record:
            self._observed[service] = _Observed(record, self.monotonic())
            return False
        return self.monotonic() - observed.since > self._duration(spec)

    def _duration(self, spec: Json) -> float:
        """Seconds that the record says: its holder may use another duration than this process."""
        return float(spec.get("leaseDurationSeconds") or self.seconds)

    def _record(self, transitions: int) -> Json:
        return {
            "holderIdentity": self.holder,
            "leaseDurationSeconds": math.ceil(self.seconds),
            "renewTime": _now(),
            "leaseTransitions": transitions,
        }


def _now() -> str:
    """Informational; only compared for equality, never as a time."""
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _version(document: Json) -> str:
    return str(document["metadata"]["resourceVersion"])
