"""Component: the behavior gate."""

from kfp.dsl import HTML, Artifact, Dataset, Input, Model, Output

from gauntlet.orchestration.component import Caching, component


@component(image="model", caching=Caching.PURE)
def check_behavior(
    model: Input[Model],
    snapshot: Input[Dataset],
    verdict: Output[Artifact],
    report: Output[HTML],
    suite: list = [],
    split: str = "test",
    policy: dict = {},
):
    """Test a model's behavior: known cases, invariance, and directional expectations.

    Args:
        model: The model under test, any MLflow pyfunc.
        snapshot: The rows that the rules perturb.
        suite: A pinned behavior file as returned by resolve_source; empty: nothing is tested.
        split: The split of the snapshot.
        policy: {"max_failures": 0.01, "confidence": 0.95, "max_rows": 5000, "threshold": 0.5, "seed": 0, "shown": 5}.
        verdict: Each known case, and each rule with its failure rate, exact interval and a sentence.
        report: Every rule with its failure rate and its worst rows, before and after the change.
    """
    from pathlib import Path

    from gauntlet.behavior.gate import judge_behavior, nothing_asked
    from gauntlet.behavior.policy import BehaviorPolicy
    from gauntlet.behavior.sources import read_suite
    from gauntlet.data.snapshot import Snapshot
    from gauntlet.data.source import parse_pinned
    from gauntlet.reports.views.behavior import write_report
    from gauntlet.settings import parse

    limits = parse(BehaviorPolicy, policy, field="policy")
    parsed_suite = read_suite(parse_pinned(suite))
    if parsed_suite is None:
        result = nothing_asked()
    else:
        data, digest = Snapshot.open(Path(snapshot.path)), str(model.metadata.get("digest", ""))
        result = judge_behavior(Path(model.path), data, *parsed_suite, limits, split=split, expected=digest)
    write_report(result, limits, Path(report.path))
    result.verdict.write(Path(verdict.path))
