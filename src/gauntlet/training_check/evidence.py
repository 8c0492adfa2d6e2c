"""Trains, saves, loads and scores the models of the smoke test."""

from __future__ import annotations

import logging
import pickle
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from gauntlet.data.contract import Contract
from gauntlet.data.snapshot import EXAMPLE_ID, Snapshot
from gauntlet.data.variant import variant
from gauntlet.errors import ConfigurationError, DataError
from gauntlet.evaluation.sample import Floats
from gauntlet.prediction.model import load_pyfunc, open_model
from gauntlet.prediction.scores import as_scores
from gauntlet.prediction.truth import Truth, read_truth
from gauntlet.training.bundle import save
from gauntlet.training.custom import score_custom
from gauntlet.training.frame import frame_of, mlflow_types
from gauntlet.training.recipe import Recipe
from gauntlet.training.result import Training
from gauntlet.training.target import Target
from gauntlet.training.trainer import train
from gauntlet.training_check.policy import TrainingPolicy
from gauntlet.training_check.sampling import bounded, shuffled, tiny_batch

log = logging.getLogger(__name__)

# Parameters that overfit any data, if the labels reach the trainer at all.
_OVERFITTING: Mapping[str, Any] = {
    "n_estimators": 200, "learning_rate": 0.3, "max_depth": 10, "max_leaves": 0, "grow_policy": "depthwise",
    "min_child_weight": 1e-6, "gamma": 0.0, "subsample": 1.0, "colsample_bytree": 1.0, "colsample_bylevel": 1.0,
    "colsample_bynode": 1.0, "reg_alpha": 0.0, "reg_lambda": 1e-3, "max_delta_step": 0.0, "max_cat_to_onehot": 1000,
}  # fmt: skip


@dataclass(frozen=True)
class Batch:
    """Tiny batch: its labels, and scores of the model trained on it alone."""

    labels: Floats
    scores: Floats
    curve: tuple[float, ...]


@dataclass(frozen=True)
class Held:
    """Held-out rows: labels and scores."""

    truth: Truth
    scores: Floats


@dataclass(frozen=True)
class Saved:
    """Comparison of the saved model with the one in memory.

    Attributes:
        differences: scoring path → (largest difference of a score, rows).
        failure: why it could not be saved, loaded or scored; empty otherwise.
    """

    differences: Mapping[str, tuple[float, int]] = field(default_factory=dict)
    failure: str = ""


@dataclass(frozen=True)
class Evidence:
    """Evidence of the smoke test. Parts that are switched off are ``None``.

    Attributes:
        target: what is predicted.
        custom: whether the trainer is the team's own.
        rows: split → rows of the sample.
        model: scores of the held-out rows.
        learned: scores of the training rows.
        curve: ``train``, ``validation`` → the watched metric by round; empty for a team's own trainer.
        watched: that metric.
        again: (n,) scores of the held-out rows by a second model of the same seed.
        batch: the overfitted batch.
        saved: comparison with the saved model.
        shuffled: scores of held-out rows with shuffled labels, by a model trained on shuffled labels.
    """

    target: Target
    custom: bool
    rows: Mapping[str, int]
    model: Held
    learned: Held
    curve: Mapping[str, tuple[float, ...]]
    watched: str
    again: Floats | None = None
    batch: Batch | None = None
    saved: Saved | None = None
    shuffled: Held | None = None


class Budget:
    """Time budget of the smoke test.

    Args:
        seconds: the limit.
        now: a clock, in seconds.
    """

    def __init__(self, seconds: float, now: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._now = now
        self._start = now()

    def step(self, what: str) -> None:
        """Log the next step, and stop if the budget is spent.

        Raises:
            ConfigurationError: no time is left.
        """
        spent = self._now() - self._start
        log.info("%.1f s: %s", spent, what)
        if spent > self._seconds:
            raise ConfigurationError(
                f"{spent:.0f} s were spent before the training check could {what}",
                field="policy.seconds",
                value=self._seconds,
                mend="Lower policy.rows or policy.rounds, or allow more seconds",
            )


def gather(
    snapshot: Snapshot,
    contract: Contract,
    recipe: Recipe,
    policy: TrainingPolicy,
    *,
    seed: int = 0,
    device: str = "auto",
    split: str = "test",
    budget: Budget | None = None,
) -> Evidence:
    """Run the smoke test.

    Args:
        snapshot: the data.
        contract: the schema in plain terms.
        recipe: the recipe under test.
        policy: sizes, and which parts to run.
        seed: seed of the models and of the sample.
        device: ``auto``, ``cuda`` or ``cpu``.
        split: held-out rows, which no model learns from.
        budget: time budget; default: ``policy.seconds`` from now.

    Raises:
        ConfigurationError: recipe, device or splits cannot be used, or the time budget is spent.
        DataError: the sample cannot be trained or evaluated on.
    """
    splits = (recipe.train_split, recipe.validation_split, split)
    if len(set(splits)) < 3:
        raise ConfigurationError(
            "is not held out: the model learns from it or stops early on it",
            field="split",
            value=split,
            mend="Name another split",
        )
    budget = budget or Budget(policy.seconds)
    small = _with(recipe, n_estimators=min(recipe.parameters.n_estimators, policy.rounds))
    with tempfile.TemporaryDirectory(prefix="gauntlet-trial-") as scratch:
        folder = Path(scratch)
        budget.step("draw its sample")
        sample = bounded(snapshot, folder / "sample", splits, policy.rows, _rng(seed, 1))

        def fit(data: Snapshot, with_recipe: Recipe) -> Training:
            return train(data, contract, with_recipe, seed=seed, device=device)

        budget.step("train its model")
        training = fit(sample, small)
        target = training.plan.target
        small = small.model_copy(update={"task": target.task})  # a few rows must not change the inferred task
        model = Held(read_truth(sample, split, target), _scores(training, sample, split))
        learned = Held(read_truth(sample, recipe.train_split, target), _scores(training, sample, recipe.train_split))
        again = saved = batch = relabelled = None
        if policy.saved_model:
            budget.step("save and load the model")
            saved = _saved(training, sample, split, folder / "model", model.scores, policy)
        if policy.same_seed:
            budget.step("train it again")
            again = _scores(fit(sample, small), sample, split)
        if policy.overfit and (policy.overfit_options or not recipe.trainer):
            budget.step("learn a batch by heart")
            batch = _overfit(training, sample, folder / "batch", small, policy, fit, seed)
        if policy.shuffled_labels:
            budget.step("learn shuffled labels")
            present = [name for name in splits if sample.splits.get(name)]
            # Overfit on purpose: early stopping or regularization would hide a leak.
            unregularized = _unregularized(small, policy.rounds)
            dealt = shuffled(sample, folder / "shuffled", training.plan, present, _rng(seed, 3))
            relabelled = Held(read_truth(dealt, split, target), _scores(fit(dealt, unregularized), dealt, split))
        budget.step("judge what it saw")
    return Evidence(
        target=target,
        custom=bool(recipe.trainer),
        rows={name: sample.splits[name] for name in splits if sample.splits.get(name)},
        model=model,
        learned=learned,
        curve=training.curve,
        watched=training.watched,
        again=again,
        batch=batch,
        saved=saved,
        shuffled=relabelled,
    )


def _rng(seed: int, purpose: int) -> np.random.Generator:
    return np.random.default_rng([0x7121A1, seed, purpose])


def _with(recipe: Recipe, **parameters: Any) -> Recipe:
    return recipe.model_copy(update={"parameters": recipe.parameters.model_copy(update=parameters)})


def _unregularized(recipe: Recipe, rounds: int) -> Recipe:
    """Remove regularization and early stopping from a recipe; a team's own trainer is unchanged."""
    if recipe.trainer:
        return recipe
    return _with(recipe, **{**_OVERFITTING, "n_estimators": rounds}).model_copy(
        update={"early_stopping_rounds": 0, "monotone": {}}
    )


def _scores(training: Training, data: Snapshot, split: str) -> Floats:
    """(n,) or (n, classes) scores of the model in memory."""
    rows = data.table(split, training.plan.names).combine_chunks().to_batches()[0]
    return _predict(training, frame_of(rows, mlflow_types(training.plan.features)), rows.num_rows)


def _predict(training: Training, frame: Any, rows: int) -> Floats:
    from gauntlet.training.pipeline import score

    target = training.plan.target
    if training.booster is None:
        output = score_custom(training.estimator, target.task, frame)
    else:
        output = score(training.estimator, target.task, frame)
    return np.asarray(as_scores(output, task=target.task, classes=target.classes, rows=rows), dtype=np.float64)


def _overfit(
    training: Training,
    sample: Snapshot,
    folder: Path,
    recipe: Recipe,
    policy: TrainingPolicy,
    fit: Callable[[Snapshot, Recipe], Training],
    seed: int,
) -> Batch:
    """Overfit a model to a tiny batch."""
    strong = _unregularized(recipe, _OVERFITTING["n_estimators"])
    if recipe.trainer:
        strong = recipe.model_copy(update={"options": {**recipe.options, **policy.overfit_options}})
    split = recipe.train_split
    data = tiny_batch(sample, folder, training.plan, split, policy.overfit_rows, _rng(seed, 2))
    if not recipe.trainer and sample.splits.get(recipe.validation_split):
        nothing = sample.table(recipe.validation_split, [EXAMPLE_ID, *sample.columns]).slice(0, 0)
        data = variant(data, folder, {recipe.validation_split: nothing})  # no early stopping, no evaluation
    fitted = fit(data, strong)
    labels = read_truth(data, split, fitted.plan.target).labels
    return Batch(labels, _scores(fitted, data, split), tuple(fitted.curve.get("train", ())))


def _saved(
    training: Training, sample: Snapshot, split: str, folder: Path, memory: Floats, policy: TrainingPolicy
) -> Saved:
    """Score the saved model by every path that production uses, and compare with the model in memory."""
    target = training.plan.target
    rows = sample.table(split, training.plan.names).combine_chunks().to_batches()[0]
    types = mlflow_types(training.plan.features)

    def scores(output: Any, n: int) -> Floats:
        return np.asarray(as_scores(output, task=target.task, classes=target.classes, rows=n), dtype=np.float64)

    by_path = {}
    try:
        save(training, folder, contract_digest="")
        with open_model(folder) as scorer:
            is_own = training.booster is not None
            by_path["as batch scoring asks it" if is_own else "through MLflow"] = scores(
                scorer.score(rows), rows.num_rows
            )
            singles = [scores(scorer.score(rows.slice(i, 1)), 1) for i in range(min(policy.single_rows, rows.num_rows))]
            if singles:
                by_path["one row at a time"] = np.concatenate(singles)
            if is_own:
                model = load_pyfunc(folder)
                by_path["through MLflow"] = scores(model.predict(frame_of(rows, types)), rows.num_rows)
    except (DataError, pickle.PicklingError, TypeError, AttributeError) as error:
        return Saved(failure=f"{type(error).__name__}: {error}".splitlines()[0])
    return Saved(
        {
            way: (float(np.abs(path_scores - memory[: len(path_scores)]).max()), len(path_scores))
            for way, path_scores in by_path.items()
        }
    )
