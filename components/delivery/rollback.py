"""Rolls back to the version before."""

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
    """Roll back the newest rollout of a service, also one that was promoted, and give the former champion its alias.

    Idempotent. Fails while another controller acts on the service; one that died is waited for until its lease expires.
    A journal that cannot be read or written does not stop it: all requests go back to the version that the service
    shows as stable; where that cannot be recorded, the task fails afterwards and says why.

    Args:
        service: The service, local:FOLDER or kserve:NAMESPACE/NAME.
        model_name: Name of the registered model.
        reason: Why; kept in the timeline.
        only_unfinished: Leave a rollout alone that has ended; for the exit handler of a run.
        plan: The plan of the rollout, for its interval.
        timeline: Everything that happened, as JSON (docs/timeline.md).
        report: The same as a page.

    Returns:
        rolled_back, or nothing_to_do.
    """
    from pathlib import Path

    from gauntlet.delivery.context import log_warning, open_context
    from gauntlet.delivery.deployment import roll_back
    from gauntlet.delivery.emergency_rollback import aliases_follow, is_unfinished
    from gauntlet.registry.aliases import record_rollback
    from gauntlet.registry.mlflow_store import open_store
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
    rollout = journal.rollout
    record_rollback(store, model_name, rollout.candidate.version, rollout.stable.version)
    write_rollout(journal, context.plan, timeline=Path(timeline.path), report=Path(report.path))
    return rollout.phase.value
