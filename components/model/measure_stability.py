"""Component: the stability gate, the variance of retraining."""

from typing import Optional

from kfp.dsl import HTML, Artifact, Dataset, Input, Output

from gauntlet.orchestration.component import Caching, component


@component(image="model", caching=Caching.PURE)
def measure_stability(
    snapshot: Input[Dataset],
    schema: Input[Artifact],
    verdict: Output[Artifact],
    report: Output[HTML],
    stability: Output[Artifact],
    challenger: Optional[Input[Dataset]] = None,  # noqa: UP045 - KFP reads Optional, not "| None"
    champion: Optional[Input[Dataset]] = None,  # noqa: UP045
    recipe: dict = {},
    seed: int = 0,
    runs: int = 0,
    device: str = "auto",
    split: str = "test",
    policy: dict = {},
):
    """Measure the variance of retraining, with other seeds and on bootstrap samples of the rows.

    It trains runs + 1 + policy.resamples models, by default 2 x runs + 1, each at the cost of one fit.

    Args:
        snapshot: The data; trains on split train, with early stopping on split validation.
        schema: The schema.
        challenger: Predictions of the recipe's model, which must be reproducible; may be absent.
        champion: Predictions of the serving model; may be absent.
        recipe: Training recipe, as of train_model.
        seed: Seed of the model, and the first of consecutive ones.
        runs: Number of models that differ only by seed; below 2 nothing is measured.
        device: auto, cuda or cpu.
        split: The split for evaluation.
        policy: {"max_seed_sd": {"auc": 0.005}, "max_flips": 0.05, "max_median_change": 0.02, "same_seed": "require",
            "resamples": 5, "max_seconds": 3600, "threshold": 0.5, "confidence": 0.95}.
        verdict: Each limit with its measurement, interval and a sentence.
        report: Spread of every metric, decisions that flip, and the difference from the champion for comparison.
        stability: Spread of every metric over seeds and samples, for compare_champion; absent if nothing was measured.
    """
    from pathlib import Path

    from gauntlet.data.contract import Contract
    from gauntlet.data.snapshot import Snapshot
    from gauntlet.evaluation.inputs import read_if_there
    from gauntlet.reports.views.stability import stability_page
    from gauntlet.settings import parse
    from gauntlet.stability.gate import judge_stability, not_asked
    from gauntlet.stability.policy import StabilityPolicy
    from gauntlet.stability.reruns import rerun
    from gauntlet.storage import write_absent, write_text
    from gauntlet.training.recipe import Recipe

    settings, limits = parse(Recipe, recipe, field="recipe"), parse(StabilityPolicy, policy, field="policy")
    ours, theirs = (
        read_if_there(None if predictions is None else Path(predictions.path)) for predictions in (challenger, champion)
    )
    if runs < 2:
        result = not_asked(runs, limits)
        write_absent(Path(stability.path), result.verdict.summary)
    else:
        reruns = rerun(
            Snapshot.open(Path(snapshot.path)),
            Contract.read(Path(schema.path)),
            settings,
            seed=seed,
            runs=runs,
            resamples=runs if limits.resamples is None else limits.resamples,
            device=device,
            split=split,
            max_seconds=limits.max_seconds,
        )
        result = judge_stability(reruns, limits, challenger=ours, champion=theirs)
        assert result.stability is not None
        result.stability.write(Path(stability.path))
    write_text(Path(report.path), stability_page(result))
    result.verdict.write(Path(verdict.path))
