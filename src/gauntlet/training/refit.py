"""Refits one recipe with other seeds or on bootstrap samples of the training rows.

XGBoost's quantile matrix, its cut points and the categories are computed once and shared, so that k fits read the data
once. A bootstrap sample is a count per row: counts multiply the example weights, and no row is copied; cut points stay
those of all rows. A custom trainer gets a snapshot whose training split repeats the rows instead.

Counts apply to the training split only; evaluation rows are read from the snapshot, never from a sample.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gauntlet.data.contract import Contract
from gauntlet.data.snapshot import Snapshot
from gauntlet.data.variant import take, variant
from gauntlet.digest import digest_bytes
from gauntlet.errors import DataError
from gauntlet.training import boosting
from gauntlet.training.device import Device
from gauntlet.training.matrix import encoded_batches, quantile_matrix
from gauntlet.training.plan import Plan
from gauntlet.training.recipe import Recipe
from gauntlet.training.result import positive_scores
from gauntlet.training.threads import threads_for

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True)
class Refit:
    """Refitted model.

    Attributes:
        digest: digest of the model's bytes; empty if a custom trainer's model cannot be pickled.
        score: split → its scores in the snapshot's order: (n,) P(positive) or values, (n, classes) for multiclass.
    """

    digest: str
    score: Callable[[str], np.ndarray]


@dataclass(frozen=True)
class Refitter:
    """Recipe prepared for repeated fits.

    Attributes:
        plan: features and target, determined once on the original snapshot.
        fit: (seed, counts) → a model. ``counts``: (training rows,) how often each row is drawn; ``None``: once.
    """

    plan: Plan
    fit: Callable[[int, np.ndarray | None], Refit]


@contextmanager
def refitting(
    snapshot: Snapshot, contract: Contract, recipe: Recipe, plan: Plan, *, device: Device
) -> Iterator[Refitter]:
    """Prepare a recipe for repeated fits; shared data lives as long as the context.

    Args:
        snapshot: the data.
        contract: the schema in plain terms.
        recipe: how to train.
        plan: from ``make_plan``.
        device: from ``device.choose``.

    Raises:
        ConfigurationError: the recipe or its trainer cannot be used.
        DataError: the data cannot be trained on.
    """
    if recipe.trainer:
        with tempfile.TemporaryDirectory(prefix="gauntlet-refit-") as scratch:
            yield Refitter(plan, _custom(snapshot, contract, recipe, plan, device, Path(scratch)))
    else:
        yield Refitter(plan, _xgboost(snapshot, recipe, plan, device))


def _xgboost(
    snapshot: Snapshot, recipe: Recipe, plan: Plan, device: Device
) -> Callable[[int, np.ndarray | None], Refit]:
    import numpy as np

    from gauntlet.training.pipeline import assemble, score_encoded

    parameters = boosting.xgboost_parameters(recipe, plan, device)
    parameters["nthread"] = threads_for(snapshot.splits[recipe.train_split] * len(plan.features))
    bins = recipe.parameters.max_bin
    training = quantile_matrix(snapshot, recipe.train_split, plan, bins=bins)
    validated = bool(snapshot.splits.get(recipe.validation_split))
    validation = (
        quantile_matrix(snapshot, recipe.validation_split, plan, bins=bins, like=training) if validated else None
    )
    weights = np.asarray(training.get_weight(), dtype=np.float64)

    def fit(seed: int, counts: np.ndarray | None) -> Refit:
        if counts is not None:
            training.set_weight(
                _sample_weights(counts, weights if weights.size else np.ones(len(counts)), recipe.train_split)
            )
        try:
            fitted = boosting.fit(parameters, training, validation, recipe=recipe, device=device, seed=seed)
        finally:
            training.set_weight(weights)
        pipeline = assemble(plan.features, fitted.booster, plan.target.task)

        def score(split: str) -> np.ndarray:
            batches = encoded_batches(snapshot, split, plan)
            scores = [
                positive_scores(plan.target.task, score_encoded(pipeline, plan.target.task, rows))
                for rows, _, _ in batches
            ]
            return np.concatenate(scores).astype(np.float64)

        return Refit(digest_bytes(bytes(fitted.booster.save_raw("ubj"))), score)

    return fit


def _sample_weights(counts: np.ndarray, weights: np.ndarray, split: str) -> np.ndarray:
    sampled: np.ndarray = counts * weights
    if not sampled.sum() > 0:
        raise DataError(f"a sample of split {split} has only zero weights", field=split, mend="Give it more rows")
    return sampled


def _custom(
    snapshot: Snapshot, contract: Contract, recipe: Recipe, plan: Plan, device: Device, scratch: Path
) -> Callable[[int, np.ndarray | None], Refit]:
    import numpy as np

    from gauntlet.training.custom import Job, call_trainer, check_scores, resolve, score_custom

    function = resolve(recipe.trainer)
    target = plan.target

    def job_of(data: Snapshot, seed: int) -> Job:
        return Job(
            data, contract, recipe.options, target.task, target.classes, tuple(plan.names), seed, device.name, plan
        )

    def fit(seed: int, counts: np.ndarray | None) -> Refit:
        data = snapshot
        if counts is not None:
            repeated = np.repeat(np.arange(len(counts)), counts)
            if not repeated.size:
                raise DataError("a sample has no rows", field=recipe.train_split, mend="Give the split more rows")
            data = variant(snapshot, scratch, {recipe.train_split: take(snapshot, recipe.train_split, repeated)})
        model = call_trainer(function, job_of(data, seed), recipe.trainer)
        original = job_of(snapshot, seed)

        def score(split: str) -> np.ndarray:
            scores = check_scores(score_custom(model, target.task, original.frame(split)), original)
            return np.asarray(positive_scores(target.task, scores), dtype=np.float64)

        return Refit(_pickle_digest(model), score)

    return fit


def _pickle_digest(model: Any) -> str:
    """Digest of the model's pickle: equal digests mean equal models, unequal ones mean nothing."""
    import pickle

    import cloudpickle

    try:
        return digest_bytes(cloudpickle.dumps(model))
    except (pickle.PicklingError, TypeError, AttributeError, ValueError):
        return ""
