"""The post-deployment check of a promoted version; to be run on a schedule."""

from kfp.dsl import HTML, Artifact, Output

from gauntlet.orchestration.component import Caching, component


@component(image="delivery", caching=Caching.ACTING)
def verify_deployment(
    service: str,
    model_name: str,
    verdict: Output[Artifact],
    timeline: Output[Artifact],
    report: Output[HTML],
    analysis: dict = {},
    prometheus: dict = {},
    outcomes: dict = {},
    watch_hours: float = 48.0,
    rollback_on_harm: bool = True,
    plan: dict = {},
) -> str:
    """Compare a promoted version with its predecessor's recorded metrics, and roll it back when harm is shown.

    Every check continues the evidence of the rollout, so that frequent checks raise no more false alarms.

    Args:
        service: The service, local:FOLDER or kserve:NAMESPACE/NAME.
        model_name: Name of the registered model.
        analysis: What is measured, as in the rollout.
        prometheus: A Prometheus to ask, {"address": ..., "selector": {...}}; empty for the service's own.
        outcomes: Where matured labels are read, {"uri": "gs://bucket/labels/", "wrong": ...}; empty for none.
        watch_hours: How long after its rollout began a version is watched.
        rollback_on_harm: Roll it back at once; otherwise only the verdict says so.
        plan: The plan of the rollout, for its interval.
        verdict: Its result.
        timeline: Everything that happened since the rollout began, as JSON (docs/timeline.md).
        report: The same as a page.

    Returns:
        watching, rolled_back, or watched: the time is over, or nothing was promoted.
    """
    from pathlib import Path

    from gauntlet.delivery.context import open_context
    from gauntlet.delivery.emergency_rollback import aliases_follow
    from gauntlet.delivery.post_deployment import verify
    from gauntlet.registry.aliases import champion_number, record_rollback
    from gauntlet.registry.mlflow_store import open_store
    from gauntlet.reports.delivery import write_rollout

    store = open_store()
    context = open_context(
        service, plan, analysis, prometheus=prometheus, outcomes=outcomes, store=store, model_name=model_name
    )
    champion = champion_number(store, model_name)
    with aliases_follow(store, model_name):
        verified = verify(context, champion, watch_seconds=watch_hours * 3600, act=rollback_on_harm)
    rollout = verified.journal.rollout
    if rollout.cause:
        record_rollback(store, model_name, rollout.candidate.version, rollout.stable.version)
    inputs = context.report_inputs(verified.journal)
    write_rollout(verified.journal, context.plan, inputs, timeline=Path(timeline.path), report=Path(report.path))
    verified.verdict.write(Path(verdict.path))
    return verified.outcome
