"""Trains a model: from a snapshot, its schema and a recipe to a ``Training`` result."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from gauntlet.data.contract import Contract
from gauntlet.data.snapshot import Snapshot
from gauntlet.errors import ConfigurationError
from gauntlet.training import boosting
from gauntlet.training.custom import train_custom
from gauntlet.training.device import Device, Hardware, choose, detect
from gauntlet.training.matrix import encoded_batches, quantile_matrix
from gauntlet.training.metrics import measure
from gauntlet.training.plan import Plan, make_plan
from gauntlet.training.recipe import Recipe
from gauntlet.training.result import Training, positive_scores
from gauntlet.training.target import require_labels
from gauntlet.training.threads import threads_for

if TYPE_CHECKING:
    import numpy as np

LARGEST_SEED = 2**31 - 1

log = logging.getLogger(__name__)


def train(
    snapshot: Snapshot,
    contract: Contract,
    recipe: Recipe,
    *,
    seed: int = 0,
    n_seeds: int = 1,
    device: str = "auto",
    hardware: Hardware | None = None,
) -> Training:
    """Train a model.

    Args:
        snapshot: the data; the recipe names its splits.
        contract: the schema in plain terms.
        recipe: the recipe.
        seed: the model's seed, and the first of ``n_seeds`` consecutive ones.
        n_seeds: number of models to fit that differ only by seed, to measure the seed variance of the metrics.
        device: ``auto``, ``cuda`` or ``cpu``.
        hardware: available hardware; detected by default.

    Raises:
        ConfigurationError: seeds, device, recipe or roles cannot be used.
        DataError: the data cannot be trained on.
        DependencyError: the configured device is missing, or XGBoost failed.
    """
    _check_seeds(seed, n_seeds)
    chosen = choose(device, hardware or detect())
    log.info("device: %s (%s)", chosen.name, chosen.reason)
    validated = has_validation(snapshot, recipe, n_seeds)
    plan = make_plan(snapshot, contract, recipe)
    for note in plan.notes:
        log.warning("%s", note)
    seeds = tuple(range(seed, seed + n_seeds))
    if recipe.trainer:
        return train_custom(snapshot, contract, recipe, plan, seeds=seeds, device=chosen, validated=validated)
    return _train_xgboost(snapshot, recipe, plan, seeds=seeds, device=chosen, validated=validated)


def _train_xgboost(
    snapshot: Snapshot, recipe: Recipe, plan: Plan, *, seeds: tuple[int, ...], device: Device, validated: bool
) -> Training:
    from gauntlet.training.pipeline import assemble, score_encoded

    parameters = boosting.xgboost_parameters(recipe, plan, device)
    parameters["nthread"] = threads_for(snapshot.splits[recipe.train_split] * len(plan.features))
    require_labels(snapshot, _splits(recipe, validated), plan.target, recipe.objective)
    bins = recipe.parameters.max_bin
    with boosting.explained():
        training = quantile_matrix(snapshot, recipe.train_split, plan, bins=bins)
        validation = (
            quantile_matrix(snapshot, recipe.validation_split, plan, bins=bins, like=training) if validated else None
        )
    fits, measured = [], []
    for seed in seeds:
        fitted = boosting.fit(parameters, training, validation, recipe=recipe, device=device, seed=seed)
        pipeline = assemble(plan.features, fitted.booster, plan.target.task)
        fits.append((fitted, pipeline))
        log.info("seed %d: %d rounds on %s", seed, fitted.rounds, device.name)
        if validated:
            measured.append(
                measure_on(
                    snapshot, recipe.validation_split, plan, lambda x, p=pipeline: score_encoded(p, plan.target.task, x)
                )
            )
    first, pipeline = fits[0]
    return Training(
        plan=plan,
        recipe=recipe,
        estimator=pipeline,
        booster=first.booster,
        device=device,
        seeds=seeds,
        measured=tuple(measured),
        curve=first.curve,
        watched=first.watched,
        rounds=first.rounds,
        importance=boosting.importance(first.booster, plan.names),
        rows={name: snapshot.splits[name] for name in _splits(recipe, validated)},
        notes=(*plan.notes, *_remarks(recipe, first, len(seeds), validated)),
        snapshot=snapshot,
    )


def measure_on(snapshot: Snapshot, split: str, plan: Plan, score: Any) -> dict[str, float]:
    """Compute the metrics of ``score`` (encoded rows → probabilities or values) on a split, streamed."""
    import numpy as np

    scores: list[np.ndarray] = []
    labels: list[np.ndarray] = []
    weights: list[np.ndarray] = []
    for matrix, label, weight in encoded_batches(snapshot, split, plan):
        scores.append(positive_scores(plan.target.task, score(matrix)))
        labels.append(label)
        weights += [] if weight is None else [weight]
    return measure(
        plan.target, np.concatenate(labels), np.concatenate(scores), np.concatenate(weights) if weights else None
    )


def _check_seeds(seed: int, n_seeds: int) -> None:
    if n_seeds < 1:
        raise ConfigurationError("at least one model must be trained", field="n_seeds", value=n_seeds, mend="Use 1")
    if not 0 <= seed <= LARGEST_SEED - n_seeds:
        raise ConfigurationError(
            "is out of range", field="seed", value=seed, mend=f"Use a whole number from 0 to {LARGEST_SEED - n_seeds}"
        )


def has_validation(snapshot: Snapshot, recipe: Recipe, n_seeds: int) -> bool:
    """Whether there is a validation split.

    Raises:
        ConfigurationError: there is none, and early stopping or several seeds need one.
    """
    if snapshot.splits.get(recipe.validation_split):
        return True
    needs = []
    if recipe.early_stopping_rounds and not recipe.trainer:
        needs.append("early stopping (disable it with early_stopping_rounds 0)")
    if n_seeds > 1:
        needs.append("the seed variance (disable it with n_seeds 1)")
    if needs:
        raise ConfigurationError(
            f"the snapshot has no such split with rows, and {' and '.join(needs)} needs one",
            field="recipe.validation_split",
            value=recipe.validation_split,
            mend=f"Import with a validation split; there are: {', '.join(snapshot.splits)}",
        )
    return False


def _splits(recipe: Recipe, validated: bool) -> tuple[str, ...]:
    return (recipe.train_split, recipe.validation_split) if validated else (recipe.train_split,)


def _remarks(recipe: Recipe, first: boosting.Fit, n_seeds: int, validated: bool) -> list[str]:
    remarks = []
    if n_seeds > 1 and not recipe.parameters.random:
        remarks.append("Nothing in the recipe is random (subsample and colsample are 1), so all seeds agree.")
    if validated and recipe.early_stopping_rounds and first.rounds == recipe.parameters.n_estimators:
        remarks.append(
            "Early stopping never triggered: the last round was the best. A larger n_estimators may be better."
        )
    if recipe.parameters.scale_pos_weight != 1:
        remarks.append("scale_pos_weight is not 1: scores rank rows but are not probabilities.")
    return remarks
