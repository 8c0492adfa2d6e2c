"""Component: what re-training alone does to a model."""

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
    """Train a recipe again and again, with other seeds and on other draws of the rows: what does chance change?

    It trains runs + 1 + policy.resamples models, by default 2 x runs + 1, each in the time that fitting one takes.

    Args:
        snapshot: The data; learns from split train, stops early on split validation.
        schema: What the columns are.
        challenger: Predictions of the model this recipe made; it has to be reproduced. May be absent.
        champion: Predictions of the serving model; may be absent.
        recipe: How to train, as train_model takes it.
        seed: The seed of the model, and the first of consecutive ones.
        runs: Models that differ by their seed alone. Below 2 nothing is measured.
        device: auto, cuda or cpu.
        split: The rows that models are judged on.
        policy: {"max_seed_sd": {"auc": 0.005}, "max_flips": 0.05, "max_median_change": 0.02, "same_seed": "require",
            "resamples": 5, "max_seconds": 3600, "threshold": 0.5, "confidence": 0.95}.
        verdict: Each limit with what was measured, its interval and one sentence.
        report: Spread of every metric, decisions that flip, and the difference from the champion beside them.
        stability: Spread of every metric over seeds and draws, for compare_champion; absent when nothing was measured.
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

    settings, allowed = parse(Recipe, recipe, field="recipe"), parse(StabilityPolicy, policy, field="policy")
    ours, theirs = (read_if_there(None if one is None else Path(one.path)) for one in (challenger, champion))
    if runs < 2:
        result = not_asked(runs, allowed)
        write_absent(Path(stability.path), result.verdict.summary)
    else:
        found = rerun(
            Snapshot.open(Path(snapshot.path)),
            Contract.read(Path(schema.path)),
            settings,
            seed=seed,
            runs=runs,
            resamples=runs if allowed.resamples is None else allowed.resamples,
            device=device,
            split=split,
            max_seconds=allowed.max_seconds,
        )
        result = judge_stability(found, allowed, challenger=ours, champion=theirs)
        assert result.stability is not None
        result.stability.write(Path(stability.path))
    write_text(Path(report.path), stability_page(result))
    result.verdict.write(Path(verdict.path))
