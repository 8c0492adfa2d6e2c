"""Who becomes champion: pure rules from aliases to aliases.

| policy | no champion yet | another champion | already champion |
|---|---|---|---|
| ``first`` | champion | challenger | nothing moves |
| ``always`` | champion | champion, in the other's place | nothing moves |
| ``never`` | challenger | challenger | nothing moves |

An alias names one version at most; a version is champion or challenger, not both. Under ``never`` a person promotes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from gauntlet.errors import ConfigurationError

CHAMPION = "champion"
CHALLENGER = "challenger"
PREVIOUS = "previous"
"""The version that was champion before this one."""


class Promote(StrEnum):
    """What a newly registered version may become."""

    FIRST = "first"
    """Champion if there is none yet, challenger otherwise."""
    ALWAYS = "always"
    """Champion, whoever holds the title."""
    NEVER = "never"
    """Challenger."""


@dataclass(frozen=True)
class Moves:
    """Which aliases move.

    Attributes:
        assign: alias → the version it names from now on.
        remove: aliases to take away.
    """

    assign: Mapping[str, int]
    remove: tuple[str, ...] = ()


def parse_promote(value: str) -> Promote:
    """Read the ``promote`` parameter.

    Raises:
        ConfigurationError: it is none of the policies.
    """
    try:
        return Promote(value)
    except ValueError as error:
        raise ConfigurationError(
            "unknown policy", field="promote", value=value, mend=f"Use one of: {', '.join(Promote)}"
        ) from error


def plan_promotion(aliases: Mapping[str, int], version: int, promote: Promote) -> Moves:
    """What moves when ``version`` is registered.

    Args:
        aliases: alias → version, as they are.
        version: the registered version.
        promote: the policy.
    """
    champion = aliases.get(CHAMPION)
    if champion == version:
        return Moves({}, remove=(CHALLENGER,) if aliases.get(CHALLENGER) == version else ())
    if promote is Promote.ALWAYS or (promote is Promote.FIRST and champion is None):
        return Moves({CHAMPION: version}, remove=(CHALLENGER,) if aliases.get(CHALLENGER) == version else ())
    return Moves({} if aliases.get(CHALLENGER) == version else {CHALLENGER: version})


def succeed(aliases: Mapping[str, int], version: int) -> Moves:
    """What moves when ``version`` has taken over all of production: it is champion, who was that is ``previous``."""
    champion = aliases.get(CHAMPION)
    remove = (CHALLENGER,) if aliases.get(CHALLENGER) == version else ()
    if champion == version:
        return Moves({}, remove)
    return Moves({CHAMPION: version} | ({} if champion is None else {PREVIOUS: champion}), remove)


def step_back(aliases: Mapping[str, int], version: int, former: int) -> Moves:
    """What moves when ``version`` was taken out of production and ``former`` serves again.

    Somebody else's promotion in between is left alone; a version that was rolled back is nobody's challenger.
    """
    remove = (CHALLENGER,) if aliases.get(CHALLENGER) == version else ()
    if aliases.get(CHAMPION) != version:
        return Moves({}, remove)
    return Moves({CHAMPION: former}, (*remove, *((PREVIOUS,) if aliases.get(PREVIOUS) == former else ())))
