"""What settings of several blocks say together."""

import pytest

from gauntlet.errors import ConfigurationError
from gauntlet.preflight import SETTINGS
from gauntlet.preflight_rules import Run, broken_rules
from gauntlet.settings import parse


def broken(settings=None, **run):
    given = {**{name: {} for name in SETTINGS}, "roles": {"label": "y"}, **(settings or {})}
    parsed = {name: parse(SETTINGS[name], values, field=name) for name, values in given.items()}
    data = run.pop("data", [{"uri": "a.csv"}])
    return [str(one) for one in broken_rules(parsed, Run.of(data=data, slice_columns=run.pop("slices", ()), **run))]


def test_defaults_break_no_rule():
    assert broken() == []


RECIPE = "recipe"
MIXED = {"metrics": {"auc": {"min": 0.8}, "rmse": {"max": 3}}}


@pytest.mark.parametrize(
    ("settings", "run", "said"),
    [
        # numbers
        ({}, {"seed": -1}, "seed: must be at least 0; found -1. Give 0 or more."),
        ({}, {"n_seeds": 0}, "n_seeds: must be at least 1; found 0."),
        ({}, {"stability_runs": -2}, "stability_runs: must be at least 0; found -2."),
        ({}, {"stability_runs": 1}, "stability_runs: one re-training has no spread; found 1."),
        ({}, {"seed": 2**31}, "seed: is too large for XGBoost"),
        # roles
        ({"roles": {}}, {}, "roles.label: is required to train."),
        ({RECIPE: {"monotone": {"y": 1}}}, {}, "recipe.monotone: is no feature: roles.label names it; found 'y'."),
        (
            {"roles": {"label": "y", "key": ["id"]}, RECIPE: {"features": {"include": ["id", "a"]}}},
            {},
            "recipe.features.include: is no feature: roles.key names it; found 'id'.",
        ),
        # times
        ({"split": {"by": "time", "until": {"train": "2020-01-01"}}}, {}, "split.by: needs event times. Name their"),
        (
            {"integrity_policy": {"period": [{"not_before": "2020-01-01"}]}},
            {},
            "integrity_policy.period[0]: needs event",
        ),
        ({"integrity_policy": {"label_rate": {"by": "week"}}}, {}, "integrity_policy.label_rate.by: needs event times"),
        ({"integrity_policy": {"splits_in_time": True}}, {}, "integrity_policy.splits_in_time: needs event times"),
        # splits
        ({}, {"evaluation_split": "tset"}, "evaluation_split: no such split; found 'tset'. Use one of: train, valid"),
        (
            {},
            {"evaluation_split": "train"},
            "evaluation_split: is the split that models learn from (recipe.train_split)",
        ),
        ({RECIPE: {"train_split": "learn"}}, {}, "recipe.train_split: no such split; found 'learn'."),
        (
            {},
            {"data": [{"uri": "a", "split": "train"}]},
            "evaluation_split: no such split; found 'test'. Use one of: train,",
        ),
        # slices
        (
            {"slices_policy": {"columns": ["sex"]}},
            {},
            "slices_policy.columns: is not in slice_columns; found 'sex'. Add",
        ),
        (
            {"slices_policy": {"columns": ["Sex"]}},
            {"slices": ("sex",)},
            "found 'Sex'. Add it to slice_columns; did you mean 'sex'?",
        ),
        (
            {"slices_policy": {"crossings": [["a", "b"]]}},
            {"slices": ("a",)},
            "slices_policy.crossings: is not in slice_col",
        ),
        ({"slices_policy": {"bins": {"age": [30]}}}, {}, "slices_policy.bins: is not in slice_columns; found 'age'."),
        (
            {"slices_policy": {"reference": {"sex": 2}}},
            {},
            "slices_policy.reference: is not in slice_columns; found 'sex'.",
        ),
        (
            {"champion_policy": {"slices": {"columns": ["a"]}}},
            {},
            "champion_policy.slices.columns: is not in slice_columns",
        ),
        (
            {"slices_policy": {"fairness": {"accuracy": {"max_gap": 0.1}}}},
            {},
            "slices_policy.fairness: limits slices, and slice_columns names no column to slice by.",
        ),
        ({}, {"slices": ("a", "b", "a")}, "slice_columns: is named twice; found 'a'."),
        # stability
        (
            {"stability_policy": {"max_seed_sd": {"auc": 0.01}}},
            {"n_seeds": 3},
            "stability_policy.max_seed_sd.auc: limits what re-training changes, and stability_runs is 0, so nothing",
        ),
        ({"stability_policy": {"max_flips": 0.1}}, {}, "stability_policy.max_flips: limits what re-training changes"),
        # tasks
        (
            {RECIPE: {"task": "binary"}, "performance_policy": {"metrics": {"rmse": {"max": 3}}}},
            {},
            "is for a regression model, and recipe.task (binary) for a binary one; found 'rmse'. Use one of: auc,",
        ),
        (
            {"performance_policy": MIXED},
            {},
            "metrics.rmse: is for a regression model, and performance_policy.metrics.auc (auc) for a binary one",
        ),
        (
            {RECIPE: {"task": "multiclass"}, "champion_policy": {"primary": {"metric": "auc", "margin": 0.1}}},
            {},
            "is for a binary model, and recipe.task (multiclass) for a multiclass one; found 'auc'",
        ),
        (
            {RECIPE: {"objective": "poisson"}, "roles": {"label": "y", "positive": 1}},
            {},
            "recipe.objective: is for a regression model, and roles.positive (1) for a binary one",
        ),
        ({RECIPE: {"task": "regression", "metric": "auc"}}, {}, "recipe.metric: is for a binary or multiclass model"),
        (
            {"integrity_policy": {"task": "regression"}, RECIPE: {"parameters": {"scale_pos_weight": 2}}},
            {},
            "recipe.parameters.scale_pos_weight: is for a binary model",
        ),
        (
            {RECIPE: {"task": "multiclass"}, "slices_policy": {"fairness": {"equal_opportunity": {"max_gap": 0.1}}}},
            {"slices": ("a",)},
            "slices_policy.fairness.equal_opportunity: is for a binary model, and recipe.task (multiclass)",
        ),
        (
            {RECIPE: {"task": "regression"}, "stability_policy": {"max_flips": 0.1}},
            {"stability_runs": 3},
            "stability_policy.max_flips: is for a binary or multiclass model",
        ),
        (
            {RECIPE: {"task": "binary"}, "training_policy": {"baseline": "median"}},
            {},
            "training_policy.baseline: is for a regression model",
        ),
        (
            {RECIPE: {"task": "regression"}, "training_policy": {"floor": {"auc": {"min": 0.7}}}},
            {},
            "training_policy.floor.auc: is for a binary model",
        ),
        # limits that only the task makes none
        (
            {"integrity_policy": {"label_rate": {"tolerance": 5}}},
            {},
            "differ by 1 at most; found 5. Give less than 1; if the label is a number, say so: recipe.task",
        ),
        (
            {RECIPE: {"task": "binary"}, "slices_policy": {"fairness": {"calibration": {"max_gap": 3}}}},
            {"slices": ("a",)},
            "slices_policy.fairness.calibration.max_gap: limits nothing: calibration gap lies in -1 to 1",
        ),
        (
            {RECIPE: {"task": "binary"}, "stability_policy": {"max_median_change": 5}},
            {"stability_runs": 3},
            "stability_policy.max_median_change: limits nothing: scores are probabilities",
        ),
        (
            {"performance_policy": {"metrics": {"auc": {"min": 0.8}}}, "training_policy": {"tolerance": 1}},
            {},
            "training_policy.tolerance: limits nothing: scores are probabilities",
        ),
    ],
)
def test_a_broken_rule_is_one_sentence_in_the_users_keys(settings, run, said):
    (found,) = broken(settings, **run)
    assert found.startswith(said) or said in found


@pytest.mark.parametrize(
    ("settings", "run"),
    [
        ({RECIPE: {"task": "regression"}, "integrity_policy": {"label_rate": {"tolerance": 5}}}, {}),
        ({RECIPE: {"task": "regression"}, "stability_policy": {"max_median_change": 50}}, {"stability_runs": 2}),
        ({"slices_policy": {"fairness": {"calibration": {"max_gap": 3}}}}, {"slices": ("a",)}),
        ({"slices_policy": {"columns": []}}, {}),
        ({"slices_policy": {"columns": ["sex"]}}, {"slices": None}),
        ({"slices_policy": {"columns": [], "fairness": {"accuracy": {"max_gap": 0.1}}}}, {}),
        ({"performance_policy": {"metrics": {"accuracy": {"min": 0.5}, "macro_f1": {"min": 0.5}}}}, {}),
        ({"integrity_policy": {"label_rate": {"by": "week"}}, "roles": {"label": "y", "time": "t"}}, {}),
        ({"integrity_policy": {"label_rate": {"by": "week", "column": "w"}}}, {}),
        ({RECIPE: {"trainer": "team:train", "metric": "rmse", "task": "binary"}}, {}),
        ({}, {"data": [{"uri": "a", "split": "train"}, {"uri": "b"}]}),
        ({}, {"data": ["no source", {}], "evaluation_split": "test"}),
        ({"split": {"fractions": {"train": 0.8, "hold": 0.2}}}, {"evaluation_split": "hold"}),
    ],
)
def test_what_agrees_breaks_no_rule(settings, run):
    assert broken(settings, **run) == []


def test_errors_are_configuration_errors_with_field_and_mend():
    settings = {"roles": parse(SETTINGS["roles"], {}, field="roles")}
    (error,) = broken_rules(settings, Run())
    assert isinstance(error, ConfigurationError)
    assert (error.field, error.mend) == ("roles.label", "Name the column to predict")
