"""Runs a shadow deployment: mirrors requests to a candidate and compares its answers with the stable version's."""

from kfp.dsl import HTML, Artifact, Output

from gauntlet.orchestration.component import Caching, component


@component(image="delivery", caching=Caching.ACTING)
def shadow(
    service: str,
    model_name: str,
    version: str,
    verdict: Output[Artifact],
    report: Output[HTML],
    policy: dict = {},
    seconds: float = 600.0,
    share: float = 1.0,
    patience_seconds: float = 600.0,
):
    """Mirror production's requests to a candidate and compare its answers; callers never get these.

    Args:
        service: The service, local:FOLDER or kserve:NAMESPACE/NAME.
        model_name: Name of the registered model.
        version: The candidate's version.
        policy: Tolerated share of other decisions, errors, slow answers; pairs wanted.
        seconds: Longest time of mirroring; shorter when the verdict is decided earlier.
        share: Share of the requests that are copied, above 0 and at most 1.
        patience_seconds: Longest wait until the candidate answers.
        verdict: The result of the comparison.
        report: The same as a page.
    """
    import time
    from pathlib import Path

    from gauntlet.delivery.context import log_warning
    from gauntlet.delivery.deployment import Time
    from gauntlet.delivery.release import resolve_release
    from gauntlet.delivery.shadow.gate import ShadowPolicy
    from gauntlet.delivery.shadow.runner import run_shadow
    from gauntlet.delivery.targets.service import open_service
    from gauntlet.registry.mlflow_store import open_store
    from gauntlet.registry.store import find_candidate
    from gauntlet.reports.delivery import write_shadow
    from gauntlet.settings import parse

    settings = parse(ShadowPolicy, policy, field="policy")
    store = open_store()
    release = resolve_release(store, find_candidate(store, model_name, version), service)
    shadowed = run_shadow(
        open_service(service),
        release,
        settings,
        Time(time.time, time.sleep),
        seconds=seconds,
        share=share,
        patience=patience_seconds,
        on_warning=log_warning,
    )
    shadowed.verdict.write(Path(verdict.path))
    write_shadow(shadowed, settings, Path(report.path))
