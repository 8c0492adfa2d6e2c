"""The post-deployment check of a promoted version: run it on a schedule, every quarter of an hour or so."""

from components.delivery.verify_deployment import verify_deployment
from components.evaluation.enforce_gates import enforce_gates

from gauntlet.orchestration.definition import pipeline


@pipeline(name="deployment-watch")
def deployment_watch(
    service: str,
    model_name: str,
    analysis: dict = {},
    prometheus: dict = {},
    outcomes: dict = {},
    watch_hours: float = 48.0,
    rollback_on_harm: bool = True,
    rollout_plan: dict = {},
    enforcement_policy: dict = {},
):
    """Analyse a promoted version with the evidence of its rollout, and roll it back when harm is shown.

    Args:
        service: The service, local:FOLDER or kserve:NAMESPACE/NAME.
        model_name: Name of the registered model.
        analysis: What is measured, as in the rollout.
        prometheus: A Prometheus to ask, {"address": ..., "selector": {...}}; empty for the service's own.
        outcomes: Where matured labels are read, {"uri": "gs://bucket/labels/", "wrong": ...}; empty for none.
        watch_hours: How long after its rollout began a version is watched.
        rollback_on_harm: Roll it back at once; otherwise the run only fails.
        rollout_plan: The plan of the rollout, for its interval.
        enforcement_policy: What an inconclusive check does.
    """
    check = verify_deployment(
        service=service,
        model_name=model_name,
        analysis=analysis,
        prometheus=prometheus,
        outcomes=outcomes,
        watch_hours=watch_hours,
        rollback_on_harm=rollback_on_harm,
        plan=rollout_plan,
    )
    enforce_gates(stage="the deployment", first=check.outputs["verdict"], policy=enforcement_policy)
