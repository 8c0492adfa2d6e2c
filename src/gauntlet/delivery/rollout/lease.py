"""The lease of a service: one controller at a time acts on it. How it is acquired, renewed and taken over.

A controller may have died holding it. A process that has just started knows nothing of the holder, so it watches the
lease: a living holder renews it again and again; one that does not for as long as the lease lasts is dead.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol

from gauntlet.delivery.preflight import Obstacle
from gauntlet.errors import DependencyError, ServiceBusy

RENEW_SECONDS = 60.0
"""Longest interval between two renewals while its holder waits. A lease that expires has to last longer than this."""
_POLL_SECONDS = 1.0
_MARGIN_SECONDS = 5.0
"""Time it is watched beyond its duration: the last attempt to acquire it has to come after its end."""

OnWarning = Callable[[Obstacle], None]


def ignore_warning(obstacle: Obstacle) -> None:
    """Drop the warning."""


@dataclass(frozen=True)
class LeaseRecord:
    """A lease that expires by itself, held by another controller.

    Attributes:
        holder: its name.
        renewed: when, by the holder's clock; for people, and to see that it was renewed again.
        seconds: how long it lasts without being renewed.
    """

    holder: str
    renewed: str
    seconds: float


class LeaseTaken(Exception):
    """Another controller holds the lease.

    Args:
        message: who holds it, for people.
        held: the record of the lease; ``None`` where waiting is of no use: the holder is known to live.
    """

    def __init__(self, message: str = "", held: LeaseRecord | None = None) -> None:
        super().__init__(message)
        self.held = held


class Lease(Protocol):
    """Mutual exclusion of controllers on one service."""

    def acquire(self, service: str) -> None:
        """Acquire the lease, or renew it.

        A lease that expires by itself is taken over when this process has seen it unchanged for as long as it lasts.

        Raises:
            LeaseTaken: another controller holds it.
            DependencyError: the store of the lease does not answer.
        """

    def check(self, service: str) -> None:
        """Make sure, by this process's clock alone, that it is still held: called right before every action.

        Raises:
            LeaseTaken: it was not renewed in time.
        """

    def release(self, service: str) -> None:
        """Release it, if it is held."""


def wait_for_lease(lease: Lease, service: str, sleep: Callable[[float], None], on_warning: OnWarning) -> None:
    """Acquire the lease; if its holder may have died, watch it until it expires or the holder renews it.

    Args:
        lease: of the service.
        service: its name.
        sleep: waits so many seconds.
        on_warning: called once, when this begins to wait, with the holder's name.

    Raises:
        ServiceBusy: its holder lives.
        DependencyError: the store of the lease does not answer.
    """
    watched: LeaseRecord | None = None
    left = 0.0
    while True:
        try:
            lease.acquire(service)
            return
        except LeaseTaken as taken:
            if taken.held is None or left < 0 or watched not in (None, taken.held):
                raise lease_taken_error(service, taken) from taken
            if watched is None:
                watched, left = taken.held, taken.held.seconds + _MARGIN_SECONDS
                on_warning(_waiting(service, watched))
        except DependencyError:
            if watched is None or left < 0:
                raise
        pause = min(_POLL_SECONDS, (watched.seconds if watched else 0) / 10)
        sleep(pause)
        left -= pause


def renew(lease: Lease, service: str) -> None:
    """Renew a lease that is held.

    Raises:
        ServiceBusy: another controller took it meanwhile.
        DependencyError: the store of the lease does not answer.
    """
    try:
        lease.acquire(service)
    except LeaseTaken as taken:
        raise lease_taken_error(service, taken) from taken


def renewing_sleep(lease: Lease, service: str, sleep: Callable[[float], None]) -> Callable[[float], None]:
    """A ``sleep`` that renews the lease meanwhile, so that a long wait is not taken for a dead holder.

    A renewal that fails is ignored; the next action acquires the lease again.
    """
    slept = 0.0

    def rest(seconds: float) -> None:
        nonlocal slept
        while seconds > 0:
            if slept >= RENEW_SECONDS:
                with suppress(LeaseTaken, DependencyError):
                    lease.acquire(service)
                slept = 0.0
            piece = min(seconds, RENEW_SECONDS - slept)
            sleep(piece)
            slept, seconds = slept + piece, seconds - piece

    return rest


def lease_taken_error(service: str, taken: LeaseTaken) -> ServiceBusy:
    """The error for a caller who may not act, because another controller does."""
    return ServiceBusy(
        "its lease is held by another controller",
        field=service,
        value=str(taken),
        mend="Wait until it has ended. To abort its rollout, set the tag gauntlet.abort of the version in the "
        "registry to the reason: the controller that holds the lease then rolls it back",
        retryable=True,
    )


def _waiting(service: str, held: LeaseRecord) -> Obstacle:
    return Obstacle(
        f"lease of {service}",
        f"is held by {held.holder}, last renewed {held.renewed or 'never'}, and is waited for",
        f"No action is needed: a holder that does not renew it within {held.seconds:,.0f} s is dead, and its lease is "
        "taken over",
        blocks=False,
    )
