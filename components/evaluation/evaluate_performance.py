"""The minimum-performance gate."""

from kfp.dsl import HTML, Artifact, ClassificationMetrics, Dataset, Input, Metrics, Output

from gauntlet.orchestration.component import Caching, component


@component(image="evaluation", caching=Caching.PURE)
def evaluate_performance(
    predictions: Input[Dataset],
    verdict: Output[Artifact],
    metrics: Output[Metrics],
    curves: Output[ClassificationMetrics],
    report: Output[HTML],
    policy: dict = {},
):
    """Hold a model against its minimum performance. Measures and succeeds; enforce_gates decides what happens.

    Args:
        predictions: What batch_predict wrote.
        policy: {"metrics": {"auc": {"min": 0.8}}, "threshold": 0.5, "confidence": 0.95}; without metrics the model
            has to be shown to beat the one that always gives the same answer.
        verdict: Each demand with the measured value, its interval and one sentence.
        metrics: Every metric of the task.
        curves: ROC curve and confusion matrix, for classifiers.
        report: Metrics with intervals, curves, calibration and errors.
    """
    from math import isfinite
    from pathlib import Path

    from gauntlet.evaluation.inputs import read_predictions
    from gauntlet.evaluation.performance import judge_performance
    from gauntlet.evaluation.policies import PerformancePolicy
    from gauntlet.reports.page import render
    from gauntlet.reports.views.performance import performance_view
    from gauntlet.settings import parse
    from gauntlet.storage import write_text

    demanded = parse(PerformancePolicy, policy, field="policy")
    scored = read_predictions(Path(predictions.path))
    result = judge_performance(scored, demanded)
    view = performance_view(result, scored.manifest)
    for estimate in result.estimates:
        if isfinite(estimate.value):  # Kubeflow Pipelines keeps no other number
            metrics.log_metric(estimate.metric.name, estimate.value)
    if view.roc is not None:
        curves.log_roc_curve(fpr=view.roc.x, tpr=view.roc.y, threshold=view.roc.threshold)
    if view.confusion is not None:
        curves.log_confusion_matrix(list(view.classes), [list(row) for row in view.confusion])
    page = render("performance.html.j2", title="Model performance", view=view, verdict=result.verdict)
    write_text(Path(report.path), page)
    result.verdict.write(Path(verdict.path))
