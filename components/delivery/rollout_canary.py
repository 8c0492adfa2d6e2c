"""Runs a canary rollout, with analysis at every step and automatic rollback."""

from kfp.dsl import HTML, Artifact, Output

from gauntlet.orchestration.component import Caching, component


@component(image="delivery", caching=Caching.ACTING)
def rollout_canary(
    service: str,
    model_name: str,
    version: str,
    verdict: Output[Artifact],
    timeline: Output[Artifact],
    report: Output[HTML],
    plan: dict = {},
    analysis: dict = {},
    prometheus: dict = {},
    outcomes: dict = {},
    attempt: str = "",
) -> str:
    """Give a version more and more of production's requests, and roll it back when harm is shown.

    Succeeds either way: the verdict says how it ended. A run that was killed at any instant is resumed by the next.

    Args:
        service: The service, local:FOLDER or kserve:NAMESPACE/NAME.
        model_name: Name of the registered model.
        version: The version to roll out.
        plan: Steps, intervals, budgets and approvals.
        analysis: What is measured, the margins and the chance of a false alarm.
        prometheus: A Prometheus to ask, {"address": ..., "selector": {...}}; empty for the service's own.
        outcomes: Where matured labels are read, {"uri": "gs://bucket/labels/", "wrong": ...}; empty for none.
        attempt: Another name gives a version that was rolled back another chance.
        verdict: How it ended.
        timeline: Everything that happened, as JSON (docs/timeline.md).
        report: The same as a page.

    Returns:
        promoted or rolled_back.
    """
    from pathlib import Path

    from gauntlet.delivery.context import log_warning, open_context
    from gauntlet.delivery.deployment import roll_out
    from gauntlet.delivery.emergency_rollback import aliases_follow
    from gauntlet.delivery.release import resolve_release
    from gauntlet.delivery.rollout.verdict import verdict_of
    from gauntlet.registry.aliases import record_rollback
    from gauntlet.registry.mlflow_store import open_store
    from gauntlet.registry.store import find_candidate
    from gauntlet.reports.delivery import write_rollout

    store = open_store()
    release = resolve_release(store, find_candidate(store, model_name, version), service)
    context = open_context(
        service, plan, analysis, prometheus=prometheus, outcomes=outcomes, store=store, model_name=model_name
    )
    with aliases_follow(store, model_name):
        journal = roll_out(
            context.service,
            release,
            context.judge,
            context.plan,
            context.time,
            attempt=attempt,
            on_decision=context.log_decision,
            on_warning=log_warning,
        )
    if journal.rollout.cause:
        record_rollback(store, model_name, version, journal.rollout.stable.version)
    verdict_of(journal).write(Path(verdict.path))
    inputs = context.report_inputs(journal)
    write_rollout(journal, context.plan, inputs, timeline=Path(timeline.path), report=Path(report.path))
    return journal.rollout.phase.value
