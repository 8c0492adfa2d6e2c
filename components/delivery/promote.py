"""Makes the version that serves all requests the champion."""

from gauntlet.orchestration.component import Caching, component


@component(image="delivery", caching=Caching.ACTING)
def promote(model_name: str, version: str) -> str:
    """Give a version the alias champion in the registry; the one before it keeps the alias previous.

    Args:
        model_name: Name of the registered model.
        version: The version that serves all requests.

    Returns:
        The version that was champion before; empty if there was none, or nothing changed.
    """
    from gauntlet.registry.aliases import record_promotion
    from gauntlet.registry.mlflow_store import open_store

    before = record_promotion(open_store(), model_name, version)
    return "" if before is None else str(before)
