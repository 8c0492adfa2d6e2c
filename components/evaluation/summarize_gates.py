"""What the gates before a stage found, on one page."""

from typing import Optional

from kfp.dsl import HTML, Artifact, Input, Metrics, Output

from gauntlet.orchestration.component import Caching, component


@component(image="evaluation", caching=Caching.PURE)
def summarize_gates(
    stage: str,
    first: Input[Artifact],
    report: Output[HTML],
    metrics: Output[Metrics],
    second: Optional[Input[Artifact]] = None,  # noqa: UP045 - KFP reads Optional, not "| None"
    third: Optional[Input[Artifact]] = None,  # noqa: UP045
    fourth: Optional[Input[Artifact]] = None,  # noqa: UP045
    fifth: Optional[Input[Artifact]] = None,  # noqa: UP045
    sixth: Optional[Input[Artifact]] = None,  # noqa: UP045
    seventh: Optional[Input[Artifact]] = None,  # noqa: UP045
    eighth: Optional[Input[Artifact]] = None,  # noqa: UP045
    policy: dict = {},
):
    """Say on one page what each gate found and what enforcement makes of it; stops nothing.

    A task that fails uploads nothing, so the reason of a stop has to stand on the graph before enforcement.

    Args:
        stage: What comes next, as for enforce_gates.
        first: A gate's verdict.
        second: Another gate's verdict.
        third: Another gate's verdict.
        fourth: Another gate's verdict.
        fifth: Another gate's verdict.
        sixth: Another gate's verdict.
        seventh: Another gate's verdict.
        eighth: Another gate's verdict.
        policy: As for enforce_gates.
        report: Whether the run goes on, then every gate with its reason and its checks.
        metrics: For each gate 1 (pass), 0 (inconclusive), -1 (fail) or -2 (error), and what its worst check measured.
    """
    from pathlib import Path

    from gauntlet.registry.enforcement import EnforcementPolicy, decide_stage
    from gauntlet.reports.views.gate_summary import gate_summary_page, scalars
    from gauntlet.settings import parse
    from gauntlet.storage import write_text
    from gauntlet.verdict import Verdict

    artifacts = (first, second, third, fourth, fifth, sixth, seventh, eighth)
    verdicts = [Verdict.read(Path(artifact.path)) for artifact in artifacts if artifact is not None]
    decision = decide_stage(stage, verdicts, parse(EnforcementPolicy, policy, field="policy"))
    for name, value in scalars(verdicts).items():
        metrics.log_metric(name, value)
    write_text(Path(report.path), gate_summary_page(decision, verdicts))
