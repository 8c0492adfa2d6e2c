"""The fairness gate."""

from kfp.dsl import HTML, Artifact, Dataset, Input, Output

from gauntlet.orchestration.component import Caching, component


@component(image="evaluation", caching=Caching.PURE)
def evaluate_slices(
    predictions: Input[Dataset],
    verdict: Output[Artifact],
    report: Output[HTML],
    policy: dict = {},
):
    """Compare how a model treats groups of rows, with intervals that hold for all groups together.

    Args:
        predictions: What batch_predict wrote, with the columns to slice by.
        policy: {"columns": ["sex"], "crossings": [["sex", "race"]], "bins": {"age": [25, 45]}, "min_rows": 100,
            "min_support": 20, "reference": {"sex": "Male"}, "fairness": {"equal_opportunity": {"max_gap": 0.1}},
            "performance": {"auc": {"max_gap": 0.05}}, "threshold": 0.5, "confidence": 0.95}.
        verdict: Each comparison with its gap or ratio, its interval and one sentence, the worst first.
        report: Gaps and metrics of every slice with their intervals.
    """
    from pathlib import Path

    from gauntlet.evaluation.inputs import read_predictions
    from gauntlet.evaluation.policies import SlicesPolicy
    from gauntlet.evaluation.slices_gate import judge_slices
    from gauntlet.evaluation.value_names import named_reference
    from gauntlet.reports.page import render
    from gauntlet.reports.views.slices import slices_view
    from gauntlet.settings import parse
    from gauntlet.storage import write_text

    scored = read_predictions(Path(predictions.path))
    asked = parse(SlicesPolicy, policy, field="policy")
    allowed = asked.model_copy(update={"reference": named_reference(asked.reference, scored.manifest.names)})
    result = judge_slices(scored, allowed)
    view = slices_view(result, scored.manifest, allowed)
    page = render("slices.html.j2", title="Fairness between groups", view=view, verdict=result.verdict)
    write_text(Path(report.path), page)
    result.verdict.write(Path(verdict.path))
