"""Deploys a registered version to the staging service."""

from gauntlet.orchestration.component import Caching, component


@component(image="delivery", caching=Caching.ACTING)
def deploy_staging(
    staging: str, model_name: str, version: str, patience_seconds: float = 600.0, service: str = ""
) -> str:
    """Serve a registered version in staging, in place of the one there, and wait until it answers.

    Args:
        staging: The staging service, local:FOLDER or kserve:NAMESPACE/NAME; never the one that production asks.
        model_name: Name of the registered model.
        version: The version to serve.
        patience_seconds: How long it may take until it answers.
        service: The service in production, for its preflight: obstacles to a rollout there end the task before
            anything is deployed. Empty for staging alone.

    Returns:
        The URL where it answers.
    """
    import time

    from gauntlet.delivery.context import log_warning
    from gauntlet.delivery.deployment import Time, deploy_to_staging, preflight_warnings
    from gauntlet.delivery.release import resolve_release
    from gauntlet.delivery.targets.service import open_service
    from gauntlet.registry.mlflow_store import open_store
    from gauntlet.registry.store import find_candidate

    store = open_store()
    candidate = find_candidate(store, model_name, version)
    for obstacle in preflight_warnings(open_service(service), candidate.digest or "") if service else ():
        log_warning(obstacle)
    release = resolve_release(store, candidate, staging)
    at = open_service(staging)
    return deploy_to_staging(
        at, release, Time(time.time, time.sleep), patience=patience_seconds, on_warning=log_warning
    )
