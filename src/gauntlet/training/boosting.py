"""Fitting with XGBoost: one matrix, as many models as seeds, each cut back to its best round.

XGBoost knows features by their position. It refuses names that hold ``[``, ``]`` or ``<``, so it is told none: it calls
them ``f0``, ``f1``, … by itself, and ``importance`` gives them their names back.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gauntlet.errors import ConfigurationError, DependencyError
from gauntlet.training.device import Device, confirm
from gauntlet.training.plan import Plan
from gauntlet.training.recipe import Recipe

_TREE_OBJECTIVES = {"binary": "binary:logistic", "multiclass": "multi:softprob"}
_LOSSES = {
    "auto": "reg:squarederror",
    "squared_error": "reg:squarederror",
    "absolute_error": "reg:absoluteerror",
    "gamma": "reg:gamma",
    "poisson": "count:poisson",
    "tweedie": "reg:tweedie",
}
_WATCHED = {
    "binary": {"auto": "logloss", "log_loss": "logloss", "auc": "auc"},
    "multiclass": {"auto": "mlogloss", "log_loss": "mlogloss", "auc": "auc"},
    "regression": {"auto": "rmse", "rmse": "rmse", "mae": "mae"},
}


@dataclass(frozen=True)
class Fit:
    """One fitted model.

    Attributes:
        booster: an ``xgboost.Booster`` that holds the rounds worth keeping and no others.
        rounds: how many those are.
        curve: ``train`` and ``validation`` → the watched metric after each round that ran, kept or not.
        watched: XGBoost's name of that metric.
    """

    booster: Any
    rounds: int
    curve: Mapping[str, tuple[float, ...]]
    watched: str


def xgboost_parameters(recipe: Recipe, plan: Plan, device: Device) -> dict[str, Any]:
    """The parameters handed to ``xgboost.train``, without the seed.

    Raises:
        ConfigurationError: metric or objective do not fit the task.
    """
    task = plan.target.task
    watched = _WATCHED[task].get(recipe.metric)
    if watched is None:
        raise ConfigurationError(
            f"does not fit a {task} task",
            field="recipe.metric",
            value=recipe.metric,
            mend=f"Use one of: {', '.join(_WATCHED[task])}",
        )
    if task != "regression" and recipe.objective != "auto":
        raise ConfigurationError(
            f"a {task} task has no choice of loss", field="recipe.objective", value=recipe.objective, mend="Use auto"
        )
    parameters = recipe.parameters.model_dump(exclude={"n_estimators"})
    if task != "binary" and parameters.pop("scale_pos_weight") != 1:
        raise ConfigurationError(
            f"a {task} task has no positives to weigh",
            field="recipe.parameters.scale_pos_weight",
            value=recipe.parameters.scale_pos_weight,
            mend="Leave it at 1; weigh rows with roles.weight",
        )
    parameters |= {
        "objective": _TREE_OBJECTIVES.get(task, _LOSSES[recipe.objective]),
        "eval_metric": watched,
        "tree_method": "hist",
        "device": device.name,
        "verbosity": 1,
    }
    if task == "multiclass":
        parameters["num_class"] = len(plan.target.classes)
    if recipe.monotone:
        parameters["monotone_constraints"] = tuple(recipe.monotone.get(name, 0) for name in plan.names)
    return parameters


def fit(
    parameters: Mapping[str, Any],
    training: Any,
    validation: Any | None,
    *,
    recipe: Recipe,
    device: Device,
    seed: int,
    tick: Callable[[int], None] = lambda _: None,
) -> Fit:
    """Fit one model.

    Args:
        parameters: from ``xgboost_parameters``.
        training: the training matrix.
        validation: the validation matrix, or ``None``: no early stopping.
        recipe: rounds and early stopping.
        device: where it is meant to happen; checked afterwards.
        seed: the model's own seed.
        tick: called after every round with the number of rounds done.

    Raises:
        DependencyError: XGBoost failed, or trained on another device.
    """
    import xgboost

    class Progress(xgboost.callback.TrainingCallback):  # type: ignore[misc]  # xgboost is untyped
        def after_iteration(self, model: Any, epoch: int, evals_log: Any) -> bool:
            tick(epoch + 1)
            return False

    evaluated = [(training, "train"), *([(validation, "validation")] if validation is not None else [])]
    history: dict[str, dict[str, list[float]]] = {}
    try:
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
    except xgboost.core.XGBoostError as error:
        raise DependencyError(
            "XGBoost could not train",
            value=str(error).strip().splitlines()[-1],
            mend="Read the log above; out of memory wants smaller max_depth or max_bin, or a larger machine",
        ) from error
    confirm(booster, device)
    rounds = booster.num_boosted_rounds()
    if validation is not None and recipe.early_stopping_rounds:
        # inplace_predict ignores best_iteration: only a booster without the rounds beyond it scores the same anywhere.
        rounds = booster.best_iteration + 1
        booster = booster[:rounds]
        booster.set_attr(best_iteration=None, best_score=None)
    watched = str(parameters["eval_metric"])
    curve = {name: tuple(float(value) for value in measured[watched]) for name, measured in history.items()}
    return Fit(booster, rounds, curve, watched)


def importance(booster: Any, names: Sequence[str]) -> dict[str, float]:
    """Feature → share of the total gain over all splits, largest first; features never split on are left out.

    Args:
        booster: fitted on a matrix of ``quantised``.
        names: the features' names, in the matrix's order.
    """
    scores = booster.get_score(importance_type="total_gain")
    gains = {name: float(scores[f"f{position}"]) for position, name in enumerate(names) if f"f{position}" in scores}
    total = sum(gains.values())
    if total <= 0:
        return {}
    return dict(sorted(((name, gain / total) for name, gain in gains.items()), key=lambda pair: (-pair[1], pair[0])))
