"""Gradient boosting with XGBoost: parameters, fitting with early stopping, feature importance.

Features are passed by position. XGBoost rejects names with ``[``, ``]`` or ``<``, so it gets none and calls them
``f0``, ``f1``, …; ``importance`` maps them back.
"""

from __future__ import annotations

import contextlib
import logging
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gauntlet.errors import ConfigurationError, DependencyError
from gauntlet.training.device import Device, confirm
from gauntlet.training.plan import Plan
from gauntlet.training.recipe import Recipe

log = logging.getLogger(__name__)

_TREE_OBJECTIVES = {"binary": "binary:logistic", "multiclass": "multi:softprob"}
_LOSSES = {
    "auto": "reg:squarederror",
    "squared_error": "reg:squarederror",
    "absolute_error": "reg:absoluteerror",
    "gamma": "reg:gamma",
    "poisson": "count:poisson",
    "tweedie": "reg:tweedie",
}
_EVAL_METRICS = {
    "binary": {"auto": "logloss", "log_loss": "logloss", "auc": "auc"},
    "multiclass": {"auto": "mlogloss", "log_loss": "mlogloss", "auc": "auc"},
    "regression": {"auto": "rmse", "rmse": "rmse", "mae": "mae"},
}


@dataclass(frozen=True)
class Fit:
    """Fitted XGBoost model.

    Attributes:
        booster: an ``xgboost.Booster`` with the rounds up to the best one only.
        rounds: number of those rounds.
        curve: ``train`` and ``validation`` → the evaluation metric after each round that ran, kept or not.
        watched: XGBoost's name of the evaluation metric.
    """

    booster: Any
    rounds: int
    curve: Mapping[str, tuple[float, ...]]
    watched: str


def xgboost_parameters(recipe: Recipe, plan: Plan, device: Device) -> dict[str, Any]:
    """Build the parameters of ``xgboost.train``, without the seed.

    Raises:
        ConfigurationError: metric or objective does not fit the task.
    """
    task = plan.target.task
    eval_metric = _EVAL_METRICS[task].get(recipe.metric)
    if eval_metric is None:
        raise ConfigurationError(
            f"does not fit a {task} task",
            field="recipe.metric",
            value=recipe.metric,
            mend=f"Use one of: {', '.join(_EVAL_METRICS[task])}",
        )
    if task != "regression" and recipe.objective != "auto":
        raise ConfigurationError(
            f"a {task} task has only one loss", field="recipe.objective", value=recipe.objective, mend="Use auto"
        )
    parameters = recipe.parameters.model_dump(exclude={"n_estimators"})
    if task != "binary" and parameters.pop("scale_pos_weight") != 1:
        raise ConfigurationError(
            f"a {task} task has no positive class to weight",
            field="recipe.parameters.scale_pos_weight",
            value=recipe.parameters.scale_pos_weight,
            mend="Leave it at 1; use roles.weight for example weights",
        )
    parameters |= {
        "objective": _TREE_OBJECTIVES.get(task, _LOSSES[recipe.objective]),
        "eval_metric": eval_metric,
        "tree_method": "hist",
        "device": device.name,
        "verbosity": 1,
    }
    if task == "multiclass":
        parameters["num_class"] = len(plan.target.classes)
    if recipe.monotone:
        parameters["monotone_constraints"] = tuple(recipe.monotone.get(name, 0) for name in plan.names)
    return parameters


@contextlib.contextmanager
def explained() -> Iterator[None]:
    """Say what XGBoost objects to, without its file names and its stack.

    Raises:
        DependencyError: in place of an ``XGBoostError``.
    """
    import xgboost

    try:
        yield
    except xgboost.core.XGBoostError as error:
        reason = complaint(str(error))
        memory = any(word in reason.lower() for word in ("bad_alloc", "out of memory", "memory allocation"))
        mend = (
            "Lower recipe.parameters.max_depth or max_bin, or use a larger machine"
            if memory
            else "Correct recipe.parameters, the label or the weights accordingly; the whole message is in the log"
        )
        log.error("%s", error)
        raise DependencyError("XGBoost failed to train", value=reason, mend=mend) from error


def complaint(message: str) -> str:
    """The sentence in a message of XGBoost, which begins with a time and a place in its sources and ends with a stack.

    >>> complaint("[12:09:03] /workspace/src/data/data.cc:576: Check failed: valid: Weights must be positive.\\nStack")
    'Weights must be positive.'
    """
    first = next((line.strip() for line in message.splitlines() if line.strip()), "")
    words = re.sub(r"^\[[\d:]+\]\s*(\S+:\d+:\s*)?", "", first)
    checked = re.fullmatch(r"Check failed: (?P<condition>.*?):\s+(?P<sentence>\S.*)", words)
    return checked["sentence"] if checked else words


def fit(
    parameters: Mapping[str, Any],
    training: Any,
    validation: Any | None,
    *,
    recipe: Recipe,
    device: Device,
    seed: int,
    on_round: Callable[[int], None] = lambda _: None,
) -> Fit:
    """Fit one model.

    Args:
        parameters: from ``xgboost_parameters``.
        training: the training matrix.
        validation: the validation matrix; ``None`` disables early stopping.
        recipe: rounds and early stopping.
        device: the device to train on; verified afterwards.
        seed: the model's seed.
        on_round: called after every round with the number of rounds so far.

    Raises:
        DependencyError: XGBoost failed, or trained on another device.
    """
    import xgboost

    class Progress(xgboost.callback.TrainingCallback):  # type: ignore[misc]  # xgboost is untyped
        def after_iteration(self, model: Any, epoch: int, evals_log: Any) -> bool:
            on_round(epoch + 1)
            return False

    evaluated = [(training, "train"), *([(validation, "validation")] if validation is not None else [])]
    history: dict[str, dict[str, list[float]]] = {}
    with explained():
        booster = xgboost.train(
            {**parameters, "seed": seed},
            training,
            recipe.parameters.n_estimators,
            evals=evaluated,
            early_stopping_rounds=recipe.early_stopping_rounds or None if validation is not None else None,
            evals_result=history,
            verbose_eval=False,
            callbacks=[Progress()],
        )
    confirm(booster, device)
    rounds = booster.num_boosted_rounds()
    if validation is not None and recipe.early_stopping_rounds:
        # inplace_predict ignores best_iteration: only a booster without the rounds beyond it scores the same anywhere.
        rounds = booster.best_iteration + 1
        booster = booster[:rounds]
        booster.set_attr(best_iteration=None, best_score=None)
    watched = str(parameters["eval_metric"])
    curve = {split: tuple(float(value) for value in metrics[watched]) for split, metrics in history.items()}
    return Fit(booster, rounds, curve, watched)


def importance(booster: Any, names: Sequence[str]) -> dict[str, float]:
    """Feature importance: share of the total gain over all splits, largest first; unused features are left out.

    Args:
        booster: fitted on a ``quantile_matrix``.
        names: the features' names, in the matrix's order.
    """
    scores = booster.get_score(importance_type="total_gain")
    gains = {name: float(scores[f"f{position}"]) for position, name in enumerate(names) if f"f{position}" in scores}
    total = sum(gains.values())
    if total <= 0:
        return {}
    return dict(sorted(((name, gain / total) for name, gain in gains.items()), key=lambda pair: (-pair[1], pair[0])))
