"""Enforcement: stops a run on blocking verdicts."""

from typing import Optional

from kfp.dsl import Artifact, Input, Output

from gauntlet.orchestration.component import Caching, component


@component(image="evaluation", caching=Caching.PURE)
def enforce_gates(
    stage: str,
    first: Input[Artifact],
    verdicts: Output[Artifact],
    second: Optional[Input[Artifact]] = None,  # noqa: UP045 - KFP reads Optional, not "| None"
    third: Optional[Input[Artifact]] = None,  # noqa: UP045
    fourth: Optional[Input[Artifact]] = None,  # noqa: UP045
    fifth: Optional[Input[Artifact]] = None,  # noqa: UP045
    sixth: Optional[Input[Artifact]] = None,  # noqa: UP045
    seventh: Optional[Input[Artifact]] = None,  # noqa: UP045
    eighth: Optional[Input[Artifact]] = None,  # noqa: UP045
    earlier: Optional[Input[Artifact]] = None,  # noqa: UP045
    policy: dict = {},
) -> str:
    """Stop the run when a gate's verdict says so, with one message that names the gate and what it found.

    Args:
        stage: What comes next, as people call it, for example "before registering".
        first: A gate's verdict.
        second: Another gate's verdict.
        third: Another gate's verdict.
        fourth: Another gate's verdict.
        fifth: Another gate's verdict.
        sixth: Another gate's verdict.
        seventh: Another gate's verdict.
        eighth: Another gate's verdict.
        earlier: What an earlier stage let through, to be passed on with this stage's.
        policy: {"inconclusive": {"default": "warn", "evaluate_slices": "block"}, "error": "block", "advisory": []}.
        verdicts: Every verdict that was let through so far, for register_model.

    Returns:
        One line that says what was let through.
    """
    from pathlib import Path

    from gauntlet.registry.enforcement import EnforcementPolicy, decide_stage, enforce
    from gauntlet.settings import parse
    from gauntlet.verdict import Verdict, read_verdicts, write_verdicts

    artifacts = (first, second, third, fourth, fifth, sixth, seventh, eighth)
    stage_verdicts = [Verdict.read(Path(artifact.path)) for artifact in artifacts if artifact is not None]
    before = read_verdicts(Path(earlier.path)) if earlier is not None else ()
    line = enforce(decide_stage(stage, stage_verdicts, parse(EnforcementPolicy, policy, field="policy")))
    write_verdicts(Path(verdicts.path), (*before, *stage_verdicts))
    return line
