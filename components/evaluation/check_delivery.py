"""Every setting of a delivery, checked before anything is served."""

from gauntlet.orchestration.component import Caching, component


@component(image="evaluation", caching=Caching.PURE)
def check_delivery(
    service: str,
    staging: str,
    roles: dict = {},
    reader: dict = {},
    serving_policy: dict = {},
    shadow_policy: dict = {},
    rollout_plan: dict = {},
    analysis: dict = {},
    prometheus: dict = {},
    outcomes: dict = {},
    enforcement_policy: dict = {},
):
    """Check every setting of a delivery, so that a misspelt key stops it in its first second.

    Args:
        service: The service in production.
        staging: The service in staging; another one.
        roles: What columns are for.
        reader: How to read the files.
        serving_policy: What a server must bear.
        shadow_policy: What a candidate has to show in the shadow.
        rollout_plan: Steps, intervals, budgets and approvals.
        analysis: What is measured, and the margins.
        prometheus: A Prometheus to read counters from; empty for the service's own.
        outcomes: Where matured labels are read, {"uri": "gs://bucket/labels/", "wrong": ...}; empty for none.
        enforcement_policy: What stops the run.
    """
    from gauntlet.preflight import DELIVERY_SETTINGS, check_delivery_settings

    settings = {name: value for name, value in locals().items() if name in DELIVERY_SETTINGS}
    check_delivery_settings(settings, service=service, staging=staging)
