"""Component: the training check, a small-scale test of the training code."""

from kfp.dsl import HTML, Artifact, Dataset, Input, Output

from gauntlet.orchestration.component import Caching, component


@component(image="model", caching=Caching.PURE)
def check_training(
    snapshot: Input[Dataset],
    schema: Input[Artifact],
    verdict: Output[Artifact],
    report: Output[HTML],
    recipe: dict = {},
    seed: int = 0,
    device: str = "auto",
    split: str = "test",
    policy: dict = {},
):
    """Test the training code by training a model on a small sample: learning, overfitting, saving, seeds, leakage.

    Args:
        snapshot: The data; a bounded sample of its splits is used.
        schema: The schema.
        recipe: Training recipe, as of train_model.
        seed: Seed of the models and of the sample.
        device: auto, cuda or cpu.
        split: Held-out split, not used for training.
        policy: {"rows": 20000, "rounds": 100, "seconds": 60, "floor": {"auc": {"min": 0.6}}, "baseline": "auto",
            "overfit": true, "overfit_options": {}, "loss_goes_down": true, "saved_model": true, "same_seed": true,
            "shuffled_labels": true}; a block that is false is not checked.
        verdict: Each check with its measurement and a sentence.
        report: Learning curves, saved model against the one in memory, and training on shuffled labels.
    """
    from pathlib import Path

    from gauntlet.data.contract import Contract
    from gauntlet.data.snapshot import Snapshot
    from gauntlet.reports.views.training_check import training_check_page
    from gauntlet.settings import parse
    from gauntlet.storage import write_text
    from gauntlet.training.recipe import Recipe
    from gauntlet.training_check.evidence import gather
    from gauntlet.training_check.gate import judge_training, nothing_asked
    from gauntlet.training_check.policy import TrainingPolicy

    limits, settings = parse(TrainingPolicy, policy, field="policy"), parse(Recipe, recipe, field="recipe")
    data, contract = Snapshot.open(Path(snapshot.path)), Contract.read(Path(schema.path))
    if limits.asks:
        result = judge_training(gather(data, contract, settings, limits, seed=seed, device=device, split=split), limits)
    else:
        result = nothing_asked()
    write_text(Path(report.path), training_check_page(result))
    result.verdict.write(Path(verdict.path))
