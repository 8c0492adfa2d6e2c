"""The lease of a service: one controller at a time acts on it. How it is waited for, taken over and renewed.

A controller may have died holding it. A process that has just begun knows nothing of the holder, so it watches: a
holder that lives renews its lease again and again, one that does not for as long as its lease lasts is dead.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol

from gauntlet.delivery.preflight import Obstacle
from gauntlet.errors import DependencyError

RENEW_SECONDS = 60.0
"""At least so often it is renewed while its holder waits. A lease that can run out has to last longer than this."""
_POLL_SECONDS = 1.0
_MARGIN_SECONDS = 5.0
"""Watched for so much longer than the lease lasts: the last attempt has to come after its end."""

OnWarning = Callable[[Obstacle], None]


def ignore_warning(obstacle: Obstacle) -> None:
    """Nobody needs to know."""


@dataclass(frozen=True)
class LeaseRecord:
    """A lease that runs out by itself, as somebody else holds it.

    Attributes:
        holder: who.
        renewed: when, by the holder's clock; for people, and to see that it was renewed again.
        seconds: how long it lasts without being renewed.
    """

    holder: str
    renewed: str
    seconds: float


class LeaseTaken(Exception):
    """Somebody else holds the lease.

    Args:
        said: who, for people.
        held: its record; ``None`` where there is nothing to wait for: who holds it is known to live.
    """

    def __init__(self, said: str = "", held: LeaseRecord | None = None) -> None:
        super().__init__(said)
        self.held = held


class Lease(Protocol):
    """One at a time acts on a service."""

    def acquire(self, service: str) -> None:
        """Take the lease, or renew it.

        One that runs out by itself is taken over when this process has seen it unchanged for as long as it lasts.

        Raises:
            LeaseTaken: somebody else holds it.
            DependencyError: whoever keeps it does not answer.
        """

    def check(self, service: str) -> None:
        """Make sure, without asking anybody, that it is still held: called right before every action.

        Raises:
            LeaseTaken: it was not renewed in time.
        """

    def release(self, service: str) -> None:
        """Give it back, if it is held."""


def wait_for_lease(lease: Lease, service: str, sleep: Callable[[float], None], on_warning: OnWarning) -> None:
    """Take the lease; if its holder may have died, watch it until it has run out, or until the holder shows itself.

    Args:
        lease: of the service.
        service: its name.
        sleep: waits so many seconds.
        on_warning: told once, that this waits and for whom.

    Raises:
        DependencyError: whoever holds it lives; or whoever keeps it does not answer.
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
        DependencyError: somebody else took it meanwhile; or whoever keeps it does not answer.
    """
    try:
        lease.acquire(service)
    except LeaseTaken as taken:
        raise lease_taken_error(service, taken) from taken


def renewing_sleep(lease: Lease, service: str, sleep: Callable[[float], None]) -> Callable[[float], None]:
    """A ``sleep`` that renews the lease meanwhile: who waits for long is not to be taken for dead.

    A renewal that fails is passed over; the next action asks for the lease again.
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


def lease_taken_error(service: str, taken: LeaseTaken) -> DependencyError:
    """What is said to whoever may not act, because somebody else does."""
    return DependencyError(
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
