"""Fitting one recipe again and again: with another seed, or on another draw of the training rows.

XGBoost's quantised matrix, its cut points and the categories are made once and shared, so that k fits cost k times
boosting and one reading of the data. Another draw of the rows is a count for each of them: the counts multiply the
example weights, and no row is copied. Cut points stay those of all rows. A team's own trainer knows nothing of counts:
it is given a snapshot whose training split repeats the rows.

Counts apply to the training split alone. The rows a model is judged on are read from the snapshot, never from a draw.
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
from gauntlet.training.matrix import encoded_batches, quantised
from gauntlet.training.plan import Plan
from gauntlet.training.recipe import Recipe
from gauntlet.training.result import positive_scores
from gauntlet.training.threads import threads_for

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True)
class Refit:
    """One model of the recipe.

    Attributes:
        digest: of the fitted model's bytes; empty where a trainer's model has none that can be compared.
        score: split → its scores in the snapshot's order: (n,) P(positive) or values, (n, classes) for multiclass.
    """

    digest: str
    score: Callable[[str], np.ndarray]


@dataclass(frozen=True)
class Refitter:
    """A recipe ready to be fitted.

    Attributes:
        plan: features and target, settled once on the snapshot as it is.
        fit: (seed, counts) → a model. ``counts``: (training rows,) how often each row is drawn; ``None``: once.
    """

    plan: Plan
    fit: Callable[[int, np.ndarray | None], Refit]


@contextmanager
def refitting(
    snapshot: Snapshot, contract: Contract, recipe: Recipe, plan: Plan, *, device: Device
) -> Iterator[Refitter]:
    """Make a recipe ready; what is shared between fits lives as long as the block.

    Args:
        snapshot: the data.
        contract: the schema in plain terms.
        recipe: how to train.
        plan: from ``make_plan``.
        device: from ``device.choose``.

    Raises:
        ConfigurationError: the recipe or its trainer cannot be used.
        DataError: the data cannot be learned from.
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
    training = quantised(snapshot, recipe.train_split, plan, bins=bins)
    validated = bool(snapshot.splits.get(recipe.validation_split))
    validation = quantised(snapshot, recipe.validation_split, plan, bins=bins, like=training) if validated else None
    own = np.asarray(training.get_weight(), dtype=np.float64)

    def fit(seed: int, counts: np.ndarray | None) -> Refit:
        if counts is not None:
            training.set_weight(_drawn(counts, own if own.size else np.ones(len(counts)), recipe.train_split))
        try:
            fitted = boosting.fit(parameters, training, validation, recipe=recipe, device=device, seed=seed)
        finally:
            training.set_weight(own)
        pipeline = assemble(plan.features, fitted.booster, plan.target.task)

        def score(split: str) -> np.ndarray:
            batches = encoded_batches(snapshot, split, plan)
            found = [
                positive_scores(plan.target.task, score_encoded(pipeline, plan.target.task, rows))
                for rows, _, _ in batches
            ]
            return np.concatenate(found).astype(np.float64)

        return Refit(digest_bytes(bytes(fitted.booster.save_raw("ubj"))), score)

    return fit


def _drawn(counts: np.ndarray, weights: np.ndarray, split: str) -> np.ndarray:
    drawn: np.ndarray = counts * weights
    if not drawn.sum() > 0:
        raise DataError(f"a draw of split {split} holds no row with a weight", field=split, mend="Give it more rows")
    return drawn


def _custom(
    snapshot: Snapshot, contract: Contract, recipe: Recipe, plan: Plan, device: Device, scratch: Path
) -> Callable[[int, np.ndarray | None], Refit]:
    import numpy as np

    from gauntlet.training.custom import Job, check_scores, resolve, score_custom

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
                raise DataError("a draw holds no rows", field=recipe.train_split, mend="Give the split more rows")
            data = variant(snapshot, scratch, {recipe.train_split: take(snapshot, recipe.train_split, repeated)})
        model = function(job_of(data, seed))
        original = job_of(snapshot, seed)

        def score(split: str) -> np.ndarray:
            scores = check_scores(score_custom(model, target.task, original.frame(split)), original)
            return np.asarray(positive_scores(target.task, scores), dtype=np.float64)

        return Refit(_pickled(model), score)

    return fit


def _pickled(model: Any) -> str:
    """Digest of the model's pickle: equal bytes are the same model, unequal ones say nothing."""
    import pickle

    import cloudpickle

    try:
        return digest_bytes(cloudpickle.dumps(model))
    except (pickle.PicklingError, TypeError, AttributeError, ValueError):
        return ""
