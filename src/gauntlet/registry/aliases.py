"""Aliases of registered versions: who becomes champion, challenger, previous.

``plan_promotion``, ``after_promotion`` and ``after_rollback`` are pure: aliases in, moves out. ``record_promotion`` and
``record_rollback`` carry them out.

| policy | no champion yet | another champion | already champion |
|---|---|---|---|
| ``first`` | champion | challenger | no change |
| ``always`` | champion | champion, replacing it | no change |
| ``never`` | challenger | challenger | no change |

An alias names one version at most; a version is champion or challenger, not both. Under ``never`` a person promotes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from gauntlet.errors import ConfigurationError
from gauntlet.registry.store import (
    CHALLENGER,
    CHAMPION,
    PREVIOUS,
    ModelStore,
    parse_number,
    require_model_name,
    require_version,
)


class Promote(StrEnum):
    """Promotion policy: alias of a newly registered version."""

    FIRST = "first"
    """Champion if there is none yet, challenger otherwise."""
    ALWAYS = "always"
    """Champion, in place of the present one."""
    NEVER = "never"
    """Challenger."""


@dataclass(frozen=True)
class Moves:
    """Moves of aliases.

    Attributes:
        assign: alias → the version it names afterwards.
        remove: aliases to remove.
    """

    assign: Mapping[str, int]
    remove: tuple[str, ...] = ()


def parse_promote(value: str) -> Promote:
    """Read the ``promote`` parameter.

    Raises:
        ConfigurationError: unknown policy.
    """
    try:
        return Promote(value)
    except ValueError as error:
        raise ConfigurationError(
            "unknown policy", field="promote", value=value, mend=f"Use one of: {', '.join(Promote)}"
        ) from error


def plan_promotion(aliases: Mapping[str, int], version: int, promote: Promote) -> Moves:
    """Plan the moves for the registration of ``version``.

    Args:
        aliases: alias → version, before.
        version: the registered version.
        promote: the policy.
    """
    champion = aliases.get(CHAMPION)
    if champion == version:
        return Moves({}, remove=(CHALLENGER,) if aliases.get(CHALLENGER) == version else ())
    if promote is Promote.ALWAYS or (promote is Promote.FIRST and champion is None):
        return Moves({CHAMPION: version}, remove=(CHALLENGER,) if aliases.get(CHALLENGER) == version else ())
    return Moves({} if aliases.get(CHALLENGER) == version else {CHALLENGER: version})


def after_promotion(aliases: Mapping[str, int], version: int) -> Moves:
    """Plan the moves after the promotion of ``version``: it is champion, the one before is ``previous``."""
    champion = aliases.get(CHAMPION)
    remove = (CHALLENGER,) if aliases.get(CHALLENGER) == version else ()
    if champion == version:
        return Moves({}, remove)
    return Moves({CHAMPION: version} | ({} if champion is None else {PREVIOUS: champion}), remove)


def after_rollback(aliases: Mapping[str, int], version: int, former: int) -> Moves:
    """Plan the moves after a rollback of ``version`` to ``former``.

    A promotion of another version in between is kept; a version that was rolled back is no longer challenger.
    """
    remove = (CHALLENGER,) if aliases.get(CHALLENGER) == version else ()
    if aliases.get(CHAMPION) != version:
        return Moves({}, remove)
    return Moves({CHAMPION: former}, (*remove, *((PREVIOUS,) if aliases.get(PREVIOUS) == former else ())))


def champion_number(store: ModelStore, model_name: str) -> str:
    """Number of the champion; empty if there is none."""
    number = store.aliases(require_model_name(model_name)).get(CHAMPION)
    return "" if number is None else str(number)


def record_promotion(store: ModelStore, model_name: str, version: str) -> int | None:
    """Make a version champion; idempotent.

    Returns:
        The version that was champion before; ``None`` if there was none, or it was this one already.
    """
    aliases = store.aliases(model_name)
    number = require_version(store, model_name, parse_number(version)).number
    _move(store, model_name, after_promotion(aliases, number))
    before = aliases.get(CHAMPION)
    return before if before != number else None


def record_rollback(store: ModelStore, model_name: str, version: str, former: str) -> bool:
    """Make the former version champion again, if the version that was rolled back is champion; idempotent.

    Returns:
        Whether the champion changed.
    """
    moves = after_rollback(store.aliases(model_name), parse_number(version), parse_number(former))
    _move(store, model_name, moves)
    return CHAMPION in moves.assign


def _move(store: ModelStore, model_name: str, moves: Moves) -> None:
    if moves.assign or moves.remove:
        store.move(model_name, moves.assign, moves.remove)
