"""Champion against challenger."""

from typing import Optional

from kfp.dsl import HTML, Artifact, Dataset, Input, Output

from gauntlet.orchestration.component import Caching, component


@component(image="evaluation", caching=Caching.PURE)
def compare_champion(
    challenger: Input[Dataset],
    champion: Input[Dataset],
    verdict: Output[Artifact],
    report: Output[HTML],
    stability: Optional[Input[Artifact]] = None,  # noqa: UP045 - KFP reads Optional, not "| None"
    policy: dict = {},
):
    """Tell whether a challenger may take over: not worse where it matters, in no group shown to be worse.

    Args:
        challenger: Predictions of the new model.
        champion: Predictions of the serving model on the same rows; absent when there is none.
        stability: What measure_stability found re-training to change; it may be absent, and then counts what training
            saw of its own seeds. It never makes a pass easier.
        policy: {"primary": {"metric": "auc", "margin": 0.005}, "guardrails": {"log_loss": {"margin": 0.01}},
            "slices": {"columns": ["sex"], "min_rows": 100}, "require_improvement": false, "no_champion": "pass",
            "seed_variance": "include", "confidence": 0.95}.
        verdict: Each paired difference with its interval, its margin and one sentence.
        report: Both models metric by metric, slice by slice and decision by decision.
    """
    from pathlib import Path

    from gauntlet.evaluation.comparison import compare, no_champion
    from gauntlet.evaluation.inputs import read_predictions
    from gauntlet.evaluation.policies import ChampionPolicy
    from gauntlet.evaluation.training_variance import read_if_there
    from gauntlet.reports.page import render
    from gauntlet.reports.views.champion import champion_view
    from gauntlet.settings import parse
    from gauntlet.storage import absence, write_text

    margins = parse(ChampionPolicy, policy, field="policy")
    ours = read_predictions(Path(challenger.path))
    measured = read_if_there(None if stability is None else Path(stability.path))
    reason = absence(Path(champion.path))
    if reason is None:
        result = compare(ours, read_predictions(Path(champion.path)), margins, measured)
    else:
        result = no_champion(ours, margins, reason)
    view = champion_view(result, ours.manifest)
    page = render("champion.html.j2", title="Champion against challenger", view=view, verdict=result.verdict)
    write_text(Path(report.path), page)
    result.verdict.write(Path(verdict.path))
