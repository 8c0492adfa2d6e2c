"""Rollback to the version before."""

from kfp.dsl import HTML, Artifact, Output

from gauntlet.orchestration.component import Caching, component


@component(image="delivery", caching=Caching.ACTING)
def rollback(
    service: str,
    model_name: str,
    timeline: Output[Artifact],
    report: Output[HTML],
    reason: str = "A person asked for it.",
    only_unfinished: bool = False,
    plan: dict = {},
) -> str:
    """Roll back the newest rollout of a service, also one that was promoted, and give the former champion its title.

    Run again, it changes nothing. A rollout that another controller holds ends first. A journal that cannot be read or
    written does not stop it: all requests go back, by what the service shows; where that could not be written, the task
    fails afterwards and says why.

    Args:
        service: The service, local:FOLDER or kserve:NAMESPACE/NAME.
        model_name: Name of the registered model.
        reason: Why; it stands in the timeline.
        only_unfinished: Leave a rollout alone that has ended; for what has to happen when a run dies.
        plan: The plan of the rollout, for its interval.
        timeline: Everything that happened, as JSON.
        report: The same for people.

    Returns:
        rolled_back, or nothing_to_do.
    """
    from pathlib import Path

    from gauntlet.delivery.context import log_warning, open_context
    from gauntlet.delivery.deployment import roll_back
    from gauntlet.delivery.emergency_rollback import aliases_follow, is_unfinished
    from gauntlet.registry.mlflow_store import open_store
    from gauntlet.registry.succession import record_rollback
    from gauntlet.reports.delivery import write_nothing, write_rollout

    store = open_store()
    context = open_context(service, plan, {}, store=store, model_name=model_name)
    if only_unfinished and not is_unfinished(context.service, context.time.now()):
        write_nothing(
            f"No rollout on {service} was left unfinished.", timeline=Path(timeline.path), report=Path(report.path)
        )
        return "nothing_to_do"
    with aliases_follow(store, model_name):
        journal = roll_back(
            context.service,
            context.judge,
            context.plan,
            reason,
            context.time,
            on_decision=context.log_decision,
            on_warning=log_warning,
        )
    taken, former = journal.rollout.candidate, journal.rollout.stable
    record_rollback(store, model_name, taken.version, former.version)
    write_rollout(journal, context.plan, timeline=Path(timeline.path), report=Path(report.path))
    return journal.rollout.phase.value
