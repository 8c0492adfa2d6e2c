"""Fetches the champion and its training statistics from the model registry."""

from kfp.dsl import Artifact, Model, Output

from gauntlet.orchestration.component import Caching, component


@component(image="delivery", caching=Caching.RESOLVING)
def fetch_champion(
    model_name: str,
    champion: Output[Model],
    statistics: Output[Artifact],
) -> str:
    """Fetch the serving model and its training statistics from the registry, verified by content digest.

    When the registered model or its alias champion does not exist, both outputs say so and later steps pass it on.

    Args:
        model_name: Name of the registered model; it need not exist yet.
        champion: The MLflow model folder of the version with the alias champion.
        statistics: Statistics of the data that the champion was trained on.

    Returns:
        The champion's version, empty when there is none.
    """
    from pathlib import Path

    from gauntlet.lineage.record import DIGEST_KEY, LINEAGE_KEY
    from gauntlet.registry.champion import fetch_champion as fetch
    from gauntlet.registry.mlflow_store import open_store

    fetched = fetch(open_store(), model_name, model=Path(champion.path), statistics=Path(statistics.path))
    champion.metadata |= {DIGEST_KEY: fetched.model_digest, LINEAGE_KEY: fetched.model_chain}
    statistics.metadata |= {DIGEST_KEY: fetched.statistics_digest, LINEAGE_KEY: fetched.statistics_chain}
    return fetched.version
