"""Preflight: what blocks a rollout, found before it begins."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from gauntlet.errors import ConfigurationError


@dataclass(frozen=True)
class Obstacle:
    """Something that stands in the way, or that a person should know.

    Attributes:
        about: what it concerns.
        sentence: what is the matter.
        mend: what to do about it, in the imperative.
        blocks: a rollout cannot work like this.
    """

    about: str
    sentence: str
    mend: str
    blocks: bool = True

    def __str__(self) -> str:
        return f"{self.about}: {self.sentence.rstrip('.')}. {self.mend.rstrip('.')}."


def no_obstacles() -> tuple[Obstacle, ...]:
    """A place where nothing can stand in the way."""
    return ()


def require_clear(found: Iterable[Obstacle], service: str) -> tuple[Obstacle, ...]:
    """What does not block; for a person to know.

    Args:
        found: everything that was found.
        service: on which service, for the error.

    Raises:
        ConfigurationError: something blocks; it lists all of it, each with its mend.
    """
    told = tuple(found)
    blocking = [one for one in told if one.blocks]
    if not blocking:
        return told
    if len(blocking) == 1:
        (only,) = blocking
        raise ConfigurationError(
            f"a rollout cannot begin: {only.about} {only.sentence}", field=f"service {service}", mend=only.mend
        )
    said = "".join(f"\n  {number}. {one}" for number, one in enumerate(blocking, start=1))
    raise ConfigurationError(
        f"a rollout cannot begin, for {len(blocking)} reasons", field=f"service {service}", mend=f"Mend each:{said}"
    )
