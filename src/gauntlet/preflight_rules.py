"""What settings of several blocks say together: rules that hold or fail before any data are read."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, TypeVar

from gauntlet.data.integrity.policy import IntegrityPolicy
from gauntlet.data.roles import Roles
from gauntlet.data.split import SplitOptions
from gauntlet.errors import ConfigurationError
from gauntlet.evaluation.limits import TASKS, tasks_with
from gauntlet.evaluation.metrics import names
from gauntlet.evaluation.policies import (
    CRITERIA,
    ChampionPolicy,
    PerformancePolicy,
    SlicesPolicy,
    Slicing,
    require_criterion,
)
from gauntlet.evaluation.sample import Task
from gauntlet.settings import SettingError, Settings
from gauntlet.stability.policy import StabilityPolicy
from gauntlet.training.recipe import Recipe
from gauntlet.training_check.policy import TrainingPolicy

Parsed = Mapping[str, Settings]
"""Parameter → its settings, for those that could be parsed."""
Broken = Iterator[ConfigurationError]
"""What is wrong, in the keys that the user wrote."""
Model = TypeVar("Model", bound=Settings)

_CLASSES: tuple[Task, ...] = ("binary", "multiclass")
_NUMBERS: tuple[Task, ...] = ("regression",)
_BASELINES: Mapping[str, tuple[Task, ...]] = {
    "prior": _CLASSES,
    "majority": _CLASSES,
    "mean": _NUMBERS,
    "median": _NUMBERS,
}


@dataclass(frozen=True)
class Run:
    """What is beside the blocks of settings of a training run.

    Attributes:
        seed: seed of training.
        n_seeds: models that differ by seed.
        stability_runs: re-trainings of the stability gate.
        evaluation_split: the split that models are judged on.
        slice_columns: columns to slice by; ``None`` where the pipeline makes no slices.
        splits: splits that the sources name; ``None`` among them is a source that is divided.
    """

    seed: int = 0
    n_seeds: int = 1
    stability_runs: int = 0
    evaluation_split: str = "test"
    slice_columns: tuple[str, ...] | None = None
    splits: tuple[str | None, ...] = ()

    @classmethod
    def of(cls, *, data: Sequence[object], slice_columns: Sequence[object] | None, **given: Any) -> Run:
        """From parameters as given; sources that are none are left to whoever reads them."""
        columns = None if slice_columns is None else tuple(str(name) for name in slice_columns)
        sources = [source for source in data if isinstance(source, Mapping)]
        splits = tuple(str(source["split"]) if source.get("split") else None for source in sources)
        return cls(slice_columns=columns, splits=splits, **given)


def broken_rules(parsed: Parsed, run: Run) -> Broken:
    """Everything that is wrong with settings that are each well written."""
    yield from chain(_numbers(run), _roles(parsed), _times(parsed), _splits(parsed, run))
    yield from chain(_slices(parsed, run), _stability(parsed, run), _tasks(parsed))


def _of(parsed: Parsed, name: str, model: type[Model]) -> Model | None:
    found = parsed.get(name)
    return found if isinstance(found, model) else None


def _numbers(run: Run) -> Broken:
    for field, value, least in (
        ("seed", run.seed, 0),
        ("n_seeds", run.n_seeds, 1),
        ("stability_runs", run.stability_runs, 0),
    ):
        if value < least:
            yield ConfigurationError(
                f"must be at least {least}", field=field, value=value, mend=f"Give {least} or more"
            )
    if run.stability_runs == 1:
        yield ConfigurationError(
            "one re-training has no spread", field="stability_runs", value=1, mend="Give 2 or more, or 0 for none"
        )
    if run.seed + max(run.n_seeds, run.stability_runs) > 2**31:
        yield ConfigurationError(
            "is too large for XGBoost, together with the seeds counted on from it",
            field="seed",
            value=run.seed,
            mend=f"Give less than {2**31 - max(run.n_seeds, run.stability_runs):,}",
        )


def _roles(parsed: Parsed) -> Broken:
    roles, recipe = _of(parsed, "roles", Roles), _of(parsed, "recipe", Recipe)
    if roles is None:
        return
    if roles.label is None:
        yield ConfigurationError("is required to train", field="roles.label", mend="Name the column to predict")
    if recipe is None:
        return
    wanted = {"recipe.features.include": recipe.features.include, "recipe.monotone": tuple(recipe.monotone)}
    for field, columns in wanted.items():
        for name in columns:
            if name in roles.not_features:
                role = next(role for role, named in roles.columns.items() if name in named and role != "categorical")
                yield ConfigurationError(
                    f"is no feature: roles.{role} names it", field=field, value=name, mend="Take it out of one of them"
                )


def _times(parsed: Parsed) -> Broken:
    """Whatever goes by the time of rows needs the column that holds it."""
    roles = _of(parsed, "roles", Roles)
    if roles is None or roles.time is not None:
        return
    needing = []
    split, integrity = _of(parsed, "split", SplitOptions), _of(parsed, "integrity_policy", IntegrityPolicy)
    if split is not None and split.by == "time":
        needing.append("split.by")
    if integrity is not None:
        needing += [f"integrity_policy.period[{i}]" for i, rule in enumerate(integrity.period) if rule.column is None]
        rate = integrity.label_rate
        if rate is not None and rate.column is None and rate.by != "split":
            needing.append("integrity_policy.label_rate.by")
        if integrity.splits_in_time:
            needing.append("integrity_policy.splits_in_time")
    for field in needing:
        yield ConfigurationError("needs event times", field=field, mend="Name their column in roles.time")


def _splits(parsed: Parsed, run: Run) -> Broken:
    recipe, split = _of(parsed, "recipe", Recipe), _of(parsed, "split", SplitOptions)
    if recipe is None:
        return
    if run.evaluation_split == recipe.train_split:
        yield ConfigurationError(
            "is the split that models learn from (recipe.train_split): they would be judged on what they know",
            field="evaluation_split",
            value=run.evaluation_split,
            mend="Name another split",
        )
    if not run.splits or split is None:
        return
    there = list(dict.fromkeys([*(split.names if None in run.splits else ()), *(name for name in run.splits if name)]))
    for field, name in (("evaluation_split", run.evaluation_split), ("recipe.train_split", recipe.train_split)):
        if name not in there:
            mend = f"Use one of: {', '.join(there)}, or name the split of a source in data"
            yield ConfigurationError("no such split", field=field, value=name, mend=mend)


def _slices(parsed: Parsed, run: Run) -> Broken:
    """Slices can be compared only by columns that predictions carry, which are those in ``slice_columns``."""
    if run.slice_columns is None:
        return
    carried = run.slice_columns
    for name in sorted({name for name in carried if carried.count(name) > 1}):
        yield ConfigurationError("is named twice", field="slice_columns", value=name, mend="Name it once")
    slices, champion = _of(parsed, "slices_policy", SlicesPolicy), _of(parsed, "champion_policy", ChampionPolicy)
    for field, slicing in (
        ("slices_policy", slices),
        ("champion_policy.slices", None if champion is None else champion.slices),
    ):
        for key, name in () if slicing is None else _columns_of(slicing):
            if name not in carried:
                close = difflib.get_close_matches(name, carried, n=1)
                hint = f"; did you mean {close[0]!r}?" if close else ""
                mend = f"Add it to slice_columns{hint}"
                yield ConfigurationError("is not in slice_columns", field=f"{field}.{key}", value=name, mend=mend)
    if slices is not None and not slices.default_limits and slices.columns is None and not carried:
        limited = "fairness" if slices.fairness else "performance"
        yield ConfigurationError(
            "limits slices, and slice_columns names no column to slice by",
            field=f"slices_policy.{limited}",
            mend="Name some in slice_columns, for example slice_columns: [sex]",
        )


def _columns_of(slicing: Slicing) -> Iterator[tuple[str, str]]:
    """Every column that a partition names, with the key that names it."""
    yield from (("columns", name) for name in slicing.columns or ())
    yield from (("crossings", name) for crossing in slicing.crossings for name in crossing)
    yield from (("bins", name) for name in slicing.bins)
    if isinstance(slicing, SlicesPolicy):
        yield from (("reference", name) for name in slicing.reference)


def _stability(parsed: Parsed, run: Run) -> Broken:
    policy = _of(parsed, "stability_policy", StabilityPolicy)
    if policy is not None and policy.limits and run.stability_runs < 2:
        yield ConfigurationError(
            f"limits what re-training changes, and stability_runs is {run.stability_runs}, so nothing is re-trained",
            field=f"stability_policy.{policy.limits[0]}",
            mend="Give stability_runs: 5, or remove the limit",
        )


@dataclass(frozen=True)
class _Evidence:
    """A setting that speaks of some tasks only."""

    field: str
    value: str
    tasks: tuple[Task, ...]


def _tasks(parsed: Parsed) -> Broken:
    """All settings have to speak of one task, and limits that are none for that task are none at all."""
    possible, known = TASKS, list[_Evidence]()
    for one in _evidence(parsed):
        left = tuple(task for task in possible if task in one.tasks)
        if not left:
            before = next(other for other in known if not set(other.tasks) & set(one.tasks) or other is known[-1])
            yield ConfigurationError(
                f"is for a {_either(one.tasks)} model, and {before.field} ({before.value}) for a "
                f"{_either(before.tasks)} one",
                field=one.field,
                value=one.value,
                mend=_mend(one, possible),
            )
            continue
        possible = left
        known.append(one)
    yield from _of_task(parsed, possible)


def _evidence(parsed: Parsed) -> Iterator[_Evidence]:
    """What settings say of the task, the plainest first."""
    recipe, roles = _of(parsed, "recipe", Recipe), _of(parsed, "roles", Roles)
    integrity = _of(parsed, "integrity_policy", IntegrityPolicy)
    asked = {
        "recipe.task": recipe.task if recipe else "auto",
        "integrity_policy.task": integrity.task if integrity else "auto",
    }
    for field, task in asked.items():
        if task != "auto":
            yield _Evidence(field, task, (task,))
    if roles is not None and roles.positive is not None:
        yield _Evidence("roles.positive", str(roles.positive), ("binary",))
    if recipe is not None and not recipe.trainer:
        if recipe.objective != "auto":
            yield _Evidence("recipe.objective", recipe.objective, _NUMBERS)
        if recipe.metric != "auto":
            yield _Evidence("recipe.metric", recipe.metric, _NUMBERS if recipe.metric in ("rmse", "mae") else _CLASSES)
        if recipe.parameters.scale_pos_weight != 1:
            weight = f"{recipe.parameters.scale_pos_weight:g}"
            yield _Evidence("recipe.parameters.scale_pos_weight", weight, ("binary",))
    for field, metric in _metrics(parsed):
        yield _Evidence(field, metric, tasks_with(metric))
    slices = _of(parsed, "slices_policy", SlicesPolicy)
    for criterion in () if slices is None else slices.fairness:
        tasks = tuple(task for task in TASKS if criterion in CRITERIA[task])
        yield _Evidence(f"slices_policy.fairness.{criterion}", criterion, tasks)
    stability, training = (
        _of(parsed, "stability_policy", StabilityPolicy),
        _of(parsed, "training_policy", TrainingPolicy),
    )
    if stability is not None and stability.max_flips is not None:
        yield _Evidence("stability_policy.max_flips", f"{stability.max_flips:g}", _CLASSES)
    if training is not None and training.baseline is not None and training.baseline != "auto":
        yield _Evidence("training_policy.baseline", training.baseline, _BASELINES[training.baseline])


def _metrics(parsed: Parsed) -> Iterator[tuple[str, str]]:
    """Every metric that a policy names, with its place."""
    if performance := _of(parsed, "performance_policy", PerformancePolicy):
        yield from ((f"performance_policy.metrics.{name}", name) for name in performance.metrics)
    if slices := _of(parsed, "slices_policy", SlicesPolicy):
        yield from ((f"slices_policy.performance.{name}", name) for name in slices.performance)
    if champion := _of(parsed, "champion_policy", ChampionPolicy):
        if champion.primary is not None:
            yield "champion_policy.primary.metric", champion.primary.metric
        yield from ((f"champion_policy.guardrails.{name}", name) for name in champion.guardrails)
        if champion.slices.metric is not None:
            yield "champion_policy.slices.metric", champion.slices.metric
    if stability := _of(parsed, "stability_policy", StabilityPolicy):
        yield from ((f"stability_policy.max_seed_sd.{name}", name) for name in stability.max_seed_sd)
    if training := _of(parsed, "training_policy", TrainingPolicy):
        yield from ((f"training_policy.floor.{name}", name) for name in training.floor)


def _of_task(parsed: Parsed, tasks: Sequence[Task]) -> Broken:
    """Limits that the tasks that are left could not break."""
    slices, integrity = _of(parsed, "slices_policy", SlicesPolicy), _of(parsed, "integrity_policy", IntegrityPolicy)
    for criterion, gap in () if slices is None else slices.fairness.items():
        try:
            if any(criterion in CRITERIA[task] for task in tasks):
                require_criterion(criterion, gap, tasks)
        except SettingError as error:
            field = ".".join(["slices_policy", *map(str, error.at)])
            yield ConfigurationError(error.message, field=field, value=error.value, mend=error.mend)
    rate = None if integrity is None else integrity.label_rate
    if rate is not None and rate.tolerance >= 1 and tuple(tasks) != _NUMBERS:
        yield ConfigurationError(
            "limits nothing: a class's shares in two spans differ by 1 at most",
            field="integrity_policy.label_rate.tolerance",
            value=rate.tolerance,
            mend="Give less than 1; if the label is a number, say so: recipe.task: regression",
        )
    if "regression" in tasks:
        return
    stability, training = (
        _of(parsed, "stability_policy", StabilityPolicy),
        _of(parsed, "training_policy", TrainingPolicy),
    )
    changes = {
        "stability_policy.max_median_change": stability.max_median_change if stability else None,
        "stability_policy.tolerance": stability.tolerance if stability else None,
        "training_policy.tolerance": training.tolerance if training else None,
    }
    for field, most in changes.items():
        if most is not None and most >= 1:
            yield ConfigurationError(
                "limits nothing: scores are probabilities, which differ by 1 at most",
                field=field,
                value=most,
                mend="Give less than 1",
            )


def _mend(one: _Evidence, tasks: Sequence[Task]) -> str:
    if one.field.split(".")[-1] not in (one.value, "metric") or one.field == "recipe.metric":
        return "Correct one of them"
    fairness = one.field.startswith("slices_policy.fairness.")
    known = dict.fromkeys(name for task in tasks for name in (CRITERIA[task] if fairness else names(task)))
    close = difflib.get_close_matches(one.value, known, n=1)
    return f"Did you mean {close[0]!r}?" if close else f"Use one of: {', '.join(known)}"


def _either(tasks: Sequence[Task]) -> str:
    return " or ".join(tasks)
