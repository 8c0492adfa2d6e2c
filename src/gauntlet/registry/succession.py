"""Which version is to be delivered, and what the registry says once it is."""

from __future__ import annotations

from gauntlet.errors import ConfigurationError, DataError
from gauntlet.registry.promotion import CHALLENGER, CHAMPION, Moves, step_back, succeed
from gauntlet.registry.store import DIGEST_TAG, ModelStore, Version, require_model_name, require_version


def find_candidate(store: ModelStore, model_name: str, version: str = "") -> Version:
    """The version to deliver.

    Args:
        store: the registry.
        model_name: the registered model.
        version: its number; empty for the challenger, or the champion where there is no challenger.

    Raises:
        ConfigurationError: there is no such version, or nothing to deliver.
        DataError: the version has no digest, so nobody could verify what would be served.
        DependencyError: the registry does not answer.
    """
    aliases = store.aliases(require_model_name(model_name))
    number = _number(version) if version else aliases.get(CHALLENGER, aliases.get(CHAMPION))
    found = store.get(model_name, number) if number is not None else None
    if found is None:
        raise ConfigurationError(
            "there is no such version" if version else "has neither a challenger nor a champion",
            field=f"version of {model_name}" if version else model_name,
            value=version or None,
            mend="Register a model first (continuous_training), or name a version that is registered",
        )
    if not found.digest:
        raise DataError(
            f"has no tag {DIGEST_TAG}, so a server could not verify it",
            field=f"{model_name} version {number}",
            mend="Register the model with register_model, or set the tag to the digest of a folder you trust",
        )
    return found


def champion_number(store: ModelStore, model_name: str) -> str:
    """The version that is champion; empty if none is."""
    number = store.aliases(require_model_name(model_name)).get(CHAMPION)
    return "" if number is None else str(number)


def record_promotion(store: ModelStore, model_name: str, version: str) -> int | None:
    """Make a version champion; a repetition changes nothing.

    Returns:
        The version that was champion before; ``None`` if there was none, or it was this one already.
    """
    aliases = store.aliases(model_name)
    number = require_version(store, model_name, _number(version)).number
    _move(store, model_name, succeed(aliases, number))
    before = aliases.get(CHAMPION)
    return before if before != number else None


def record_rollback(store: ModelStore, model_name: str, version: str, former: str) -> bool:
    """Make the former version champion again, if the version that was rolled back is champion; repeatable.

    Returns:
        Whether the title moved.
    """
    moves = step_back(store.aliases(model_name), _number(version), _number(former))
    _move(store, model_name, moves)
    return CHAMPION in moves.assign


def _move(store: ModelStore, model_name: str, moves: Moves) -> None:
    if moves.assign or moves.remove:
        store.move(model_name, moves.assign, moves.remove)


def _number(version: str) -> int:
    if not (version.isascii() and version.isdigit() and int(version) > 0):
        raise ConfigurationError("is no version number", field="version", value=version, mend="Give a number, as 7")
    return int(version)
