"""Preflight: what blocks a rollout, found before it begins."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from gauntlet.errors import RolloutBlocked


@dataclass(frozen=True)
class Obstacle:
    """Something that blocks a rollout, or that a person should know before it begins.

    Attributes:
        about: what it concerns.
        sentence: what is wrong with it.
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
    """Find nothing: for a target without a preflight."""
    return ()


def require_clear(obstacles: Iterable[Obstacle], service: str) -> tuple[Obstacle, ...]:
    """Make sure that no obstacle blocks a rollout; return the others, for a person to know.

    Args:
        obstacles: everything that the preflight found.
        service: on which service, for the error.

    Raises:
        RolloutBlocked: something blocks; it lists all of it, each with its mend.
    """
    obstacles = tuple(obstacles)
    blocking = [obstacle for obstacle in obstacles if obstacle.blocks]
    if not blocking:
        return obstacles
    field = f"service {service}"
    if len(blocking) == 1:
        (only,) = blocking
        raise RolloutBlocked(f"a rollout cannot begin: {only.about} {only.sentence}", field=field, mend=only.mend)
    numbered = "".join(f"\n  {number}. {obstacle}" for number, obstacle in enumerate(blocking, start=1))
    raise RolloutBlocked(
        f"a rollout cannot begin, for {len(blocking)} reasons", field=field, mend=f"Mend each:{numbered}"
    )
