"""Rolls production back to the version before, in one click."""

from components.delivery.rollback import rollback

from gauntlet.orchestration.definition import pipeline


@pipeline(name="rollback")
def rollback_service(service: str, model_name: str, reason: str = "A person asked for it.", rollout_plan: dict = {}):
    """Roll back the newest rollout of a service, whether it is under way or was promoted.

    Args:
        service: The service, local:FOLDER or kserve:NAMESPACE/NAME.
        model_name: Name of the registered model.
        reason: Why; kept in the timeline.
        rollout_plan: The plan of the rollout, for its interval.
    """
    rollback(service=service, model_name=model_name, reason=reason, plan=rollout_plan)
