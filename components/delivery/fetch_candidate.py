"""Fetches the version to deliver from the model registry."""

from kfp.dsl import Model, Output

from gauntlet.orchestration.component import Caching, component


@component(image="delivery", caching=Caching.RESOLVING)
def fetch_candidate(model_name: str, model: Output[Model], version: str = "") -> str:
    """Fetch the model to deliver from the registry, verified by content digest.

    Args:
        model_name: Name of the registered model.
        version: Its version number; empty for the challenger, or the champion where there is none.
        model: The MLflow model folder of that version.

    Returns:
        The version.
    """
    from pathlib import Path

    from gauntlet.lineage.record import DIGEST_KEY, LINEAGE_KEY
    from gauntlet.registry.champion import fetch_version
    from gauntlet.registry.mlflow_store import open_store
    from gauntlet.registry.store import find_candidate

    store = open_store()
    candidate = find_candidate(store, model_name, version)
    digest, document = fetch_version(store, candidate, model=Path(model.path))
    model.metadata |= {DIGEST_KEY: digest, LINEAGE_KEY: document.chain(digest) if document else ""}
    return str(candidate.number)
