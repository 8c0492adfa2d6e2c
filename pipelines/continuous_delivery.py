"""From a registered version to all of production's traffic: staging, shadow, canary, promotion; and back by itself."""

from components.data.import_snapshot import import_snapshot
from components.data.resolve_source import resolve_source
from components.delivery.deploy_staging import deploy_staging
from components.delivery.fetch_candidate import fetch_candidate
from components.delivery.promote import promote
from components.delivery.rollback import rollback
from components.delivery.rollout_canary import rollout_canary
from components.delivery.shadow import shadow
from components.evaluation.check_delivery import check_delivery
from components.model.batch_predict import batch_predict
from components.serving.check_serving import check_serving
from pipelines.shared.gate_tasks import enforced

from gauntlet.orchestration.definition import pipeline


def finish_rollout(service: str, model_name: str, rollout_plan: dict):
    """Whatever happens to the run, no half-way rollout stays behind it."""
    return rollback(
        service=service,
        model_name=model_name,
        reason="The run that rolled it out ended before the rollout did.",
        only_unfinished=True,
        plan=rollout_plan,
    ).set_display_name("finish-rollout")


@pipeline(name="continuous-delivery", on_exit=finish_rollout)
def continuous_delivery(
    model_name: str,
    service: str,
    staging: str,
    requests: list,
    version: str = "",
    roles: dict = {},
    reader: dict = {},
    served_as: str = "model",
    serving_policy: dict = {},
    shadow_policy: dict = {},
    shadow_seconds: float = 600.0,
    rollout_plan: dict = {},
    analysis: dict = {},
    prometheus: dict = {},
    outcomes: dict = {},
    attempt: str = "",
    enforcement_policy: dict = {},
):
    """Bring a registered version to all of production's traffic in analysed steps, or roll it back.

    Args:
        model_name: Name of the registered model.
        service: The service in production, local:FOLDER or kserve:NAMESPACE/NAME.
        staging: A service of its own where the version is tried first.
        requests: Files with rows as callers send them, [{"uri": "gs://bucket/requests.csv"}].
        version: The version to deliver; empty for the challenger, or the champion where there is none.
        roles: What columns of these files are for, as in training; the label may be missing.
        reader: How to read the files, as in training.
        served_as: The model's name in the paths of its server.
        serving_policy: What a server must bear in staging, and how much its answers may differ from batch scoring.
        shadow_policy: What a candidate has to show on copies of production's requests.
        shadow_seconds: How long copies are sent at most.
        rollout_plan: Steps, intervals, budgets and approvals.
        analysis: What is measured, the margins and the chance of a false alarm.
        prometheus: A Prometheus to ask, {"address": ..., "selector": {...}}; empty for the service's own.
        outcomes: Where matured labels are read, {"uri": "gs://bucket/labels/", "wrong": ...}; empty for none.
        attempt: Another name gives a version that was rolled back another chance.
        enforcement_policy: What an inconclusive gate does, by gate.

    Returns:
        The task that promotes the version.
    """
    configuration = check_delivery(
        service=service,
        staging=staging,
        roles=roles,
        reader=reader,
        serving_policy=serving_policy,
        shadow_policy=shadow_policy,
        rollout_plan=rollout_plan,
        analysis=analysis,
        prometheus=prometheus,
        outcomes=outcomes,
        enforcement_policy=enforcement_policy,
    )
    candidate = fetch_candidate(model_name=model_name, version=version).after(configuration)

    # What callers send, and what the model says of it in batch.
    source = (
        resolve_source(sources=requests, parameter="requests").after(configuration).set_display_name("resolve-requests")
    )
    rows = import_snapshot(pinned=source.output, roles=roles, reader=reader, purpose="serving").set_display_name(
        "import-requests"
    )
    predictions = batch_predict(
        model=candidate.outputs["model"], snapshot=rows.outputs["snapshot"], split="serving"
    ).set_display_name("batch-predict-requests")

    # Gate 1, before anybody depends on it: does it answer as it should, quickly, and the same as in batch?
    staged = deploy_staging(
        staging=staging, model_name=model_name, version=candidate.outputs["Output"], service=service
    )
    serving_check = check_serving(
        url=staged.output,
        model=candidate.outputs["model"],
        snapshot=rows.outputs["snapshot"],
        predictions=predictions.outputs["predictions"],
        model_name=served_as,
        policy=serving_policy,
    )
    staging_gate = enforced("before production", [serving_check], name="staging-gate", policy=enforcement_policy)

    # Gate 2, before its first request: does it decide as the stable version does, on production's own requests?
    shadow_check = shadow(
        service=service,
        model_name=model_name,
        version=candidate.outputs["Output"],
        policy=shadow_policy,
        seconds=shadow_seconds,
    ).after(staging_gate)
    shadow_gate = enforced("before the first request", [shadow_check], name="shadow-gate", policy=enforcement_policy)

    # Gate 3 is the rollout itself: it has given the requests back by the time its verdict is read.
    rollout = rollout_canary(
        service=service,
        model_name=model_name,
        version=candidate.outputs["Output"],
        plan=rollout_plan,
        analysis=analysis,
        prometheus=prometheus,
        outcomes=outcomes,
        attempt=attempt,
    ).after(shadow_gate)
    rollout_gate = enforced("before promotion", [rollout], name="rollout-gate", policy=enforcement_policy)
    return promote(model_name=model_name, version=candidate.outputs["Output"]).after(rollout_gate)
