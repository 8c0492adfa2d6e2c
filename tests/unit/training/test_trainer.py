from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pytest

from builders.training import CONTRACT, ROLES, recipe_of
from gauntlet.data.snapshot import Snapshot
from gauntlet.errors import ConfigurationError, DataError, DependencyError
from gauntlet.training.boosting import explained
from gauntlet.training.frame import frame_of, mlflow_types
from gauntlet.training.result import Training
from gauntlet.training.trainer import LARGEST_SEED, train

SnapshotOf = Callable[..., Snapshot]

METRICS = {
    "binary": {"auc", "log_loss", "brier", "accuracy"},
    "multiclass": {"log_loss", "accuracy"},
    "regression": {"rmse", "mae"},
}


def fit(snapshot: Snapshot, **recipe: object) -> Training:
    return train(snapshot, CONTRACT, recipe_of(**recipe), device="cpu")


def test_what_is_known_after_training(trained: Training, task: str) -> None:
    assert trained.plan.target.task == task
    assert set(trained.metrics) == METRICS[task]
    assert set(trained.seed_spread) == METRICS[task]
    assert all(spread["seeds"] == 2 for spread in trained.seed_spread.values())
    assert trained.seeds == (5, 6)
    assert trained.rows == {"train": 600, "validation": 200}
    assert sum(trained.importance.values()) == pytest.approx(1)
    assert next(iter(trained.importance)) == "amount"


def test_the_model_learned_something(trained: Training, task: str) -> None:
    metric, worst_lucky_guess = {"binary": ("auc", 0.7), "multiclass": ("accuracy", 0.5)}.get(task, ("rmse", 1.5))
    value = trained.metrics[metric]
    assert value < worst_lucky_guess if task == "regression" else value > worst_lucky_guess


def test_the_spread_is_that_of_models_trained_one_by_one(snapshot_of: SnapshotOf) -> None:
    snapshot = snapshot_of()
    together = train(snapshot, CONTRACT, recipe_of(), seed=3, n_seeds=3, device="cpu")
    alone = [train(snapshot, CONTRACT, recipe_of(), seed=seed, device="cpu").metrics["auc"] for seed in (3, 4, 5)]
    assert together.seed_spread["auc"]["standard_deviation"] == pytest.approx(np.std(alone, ddof=1))
    assert together.seed_spread["auc"]["standard_deviation"] > 0


def test_early_stopping_keeps_the_best_round_and_no_other(snapshot_of: SnapshotOf) -> None:
    trained = fit(snapshot_of(), early_stopping_rounds=3, parameters={"n_estimators": 200, "learning_rate": 0.5})
    watched = trained.curve["validation"]
    assert trained.rounds == int(np.argmin(watched)) + 1 < len(watched) < 200
    assert trained.booster is not None
    assert trained.booster.num_boosted_rounds() == trained.rounds
    # What the model scores is what was measured at that round.
    assert trained.metrics["log_loss"] != pytest.approx(watched[-1])


def test_the_unweighted_log_loss_is_the_curve_at_the_best_round(snapshot_of: SnapshotOf) -> None:
    trained = fit(snapshot_of(roles={"label": "outcome"}), early_stopping_rounds=3)
    assert trained.metrics["log_loss"] == pytest.approx(min(trained.curve["validation"]), rel=1e-4)


def test_weights_change_the_model_and_equal_weights_do_not(snapshot_of: SnapshotOf) -> None:
    def equal(table: pa.Table) -> pa.Table:
        return table.set_column(table.schema.get_field_index("weight"), "weight", pa.array(np.ones(table.num_rows)))

    unweighted_roles = {"label": "outcome", "exclude": ["weight", "person"]}
    raw = {
        name: fit(snapshot).booster.save_raw("ubj")  # type: ignore[union-attr]  # XGBoost's own trainer makes one
        for name, snapshot in {
            "weighted": snapshot_of(),
            "equal": snapshot_of(change=equal),
            "unweighted": snapshot_of(roles=unweighted_roles),
        }.items()
    }
    assert raw["equal"] == raw["unweighted"]
    assert raw["weighted"] != raw["unweighted"]


def test_batches_do_not_matter(snapshot_of: SnapshotOf, monkeypatch: pytest.MonkeyPatch) -> None:
    snapshot = snapshot_of()
    whole = fit(snapshot)
    batches = Snapshot.batches
    monkeypatch.setattr(Snapshot, "batches", lambda self, split, columns: batches(self, split, columns, rows=64))
    parts = fit(snapshot)
    assert parts.metrics["auc"] == pytest.approx(whole.metrics["auc"], abs=0.02)
    assert parts.plan.features == whole.plan.features


def test_monotone_constraints_hold(snapshot_of: SnapshotOf) -> None:
    trained = fit(snapshot_of(), monotone={"amount": -1.0})
    batch = next(snapshot_of().batches("test")).slice(0, 1)
    frame = frame_of(batch, mlflow_types(trained.plan.features))
    line = frame.loc[frame.index.repeat(50)].assign(amount=np.linspace(-3, 3, 50))
    assert (np.diff(trained.estimator.predict_proba(line)[:, 1]) <= 0).all()


def test_an_unseen_category_scores_as_a_missing_one(trained: Training, snapshot: Snapshot) -> None:
    frame = frame_of(next(snapshot.batches("test")), mlflow_types(trained.plan.features))
    unseen, missing = frame.assign(region="atlantis"), frame.assign(region=None)
    np.testing.assert_array_equal(trained.estimator.predict(unseen), trained.estimator.predict(missing))


def test_without_a_validation_split(snapshot_of: SnapshotOf) -> None:
    snapshot = snapshot_of()
    with pytest.raises(ConfigurationError, match=r"recipe.validation_split: .*early stopping.*train, validation, test"):
        fit(snapshot, validation_split="holdout")
    quiet = fit(snapshot, validation_split="holdout", early_stopping_rounds=0)
    assert quiet.measured == ()
    assert quiet.rounds == 10
    with pytest.raises(ConfigurationError, match="seed variance"):
        train(snapshot, CONTRACT, recipe_of(validation_split="x", early_stopping_rounds=0), n_seeds=2, device="cpu")


@pytest.mark.parametrize(
    ("seed", "n_seeds", "message"),
    [(-1, 1, "seed: is out of range; found -1"), (LARGEST_SEED, 1, "seed: "), (0, 0, "n_seeds: at least one model")],
)
def test_seeds_out_of_range(snapshot_of: SnapshotOf, seed: int, n_seeds: int, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        train(snapshot_of(), CONTRACT, recipe_of(), seed=seed, n_seeds=n_seeds, device="cpu")


def test_seeds_that_change_nothing_are_spoken_of(snapshot_of: SnapshotOf) -> None:
    recipe = recipe_of(parameters={"subsample": 1, "colsample_bytree": 1})
    trained = train(snapshot_of(), CONTRACT, recipe, n_seeds=2, device="cpu")
    assert trained.seed_spread["auc"]["standard_deviation"] == 0
    assert any("Nothing in the recipe is random" in note for note in trained.notes)


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        pytest.param(
            [-1.0], r"weight: 1 rows have a weight that is missing, negative or infinite; found -1", id="negative"
        ),
        pytest.param([None], r"weight: 1 rows have a weight that is missing", id="missing"),
    ],
)
def test_bad_weights(snapshot_of: SnapshotOf, weights: list[float | None], message: str) -> None:
    def spoil(table: pa.Table) -> pa.Table:
        values = pa.array([*weights, *([1.0] * (table.num_rows - len(weights)))])
        return table.set_column(table.schema.get_field_index("weight"), "weight", values)

    with pytest.raises(DataError, match=message):
        fit(snapshot_of(change=spoil))


def with_labels(values: list[float]) -> Callable[[pa.Table], pa.Table]:
    """Put these in the place of the first labels, which are made positive."""

    def change(table: pa.Table) -> pa.Table:
        name = ROLES["label"]
        rest = np.abs(table.column(name).to_numpy())[len(values) :] + 1
        return table.set_column(table.schema.get_field_index(name), name, pa.array([*values, *rest]))

    return change


@pytest.mark.parametrize(
    ("objective", "labels", "message"),
    [
        (
            "gamma",
            [0.0, 0.0],
            r"gamma takes labels above 0, and 2 of 600 rows of split train have others; found 0.*tweedi",
        ),
        (
            "gamma",
            [-3.0],
            r"outcome: the loss gamma takes labels above 0.*found -3.*Use recipe\.objective: squared_error",
        ),
        ("poisson", [-1.0], r"the loss poisson takes labels from 0 on, and 1 of 600 rows.*found -1"),
        ("tweedie", [-1.0], r"the loss tweedie takes labels from 0 on"),
        ("auto", [1e39], r"training takes labels up to 3\.4e38, and 1 of 600 rows.*Rescale the label"),
    ],
)
def test_a_loss_that_has_no_value_for_a_label(
    snapshot_of: SnapshotOf, objective: str, labels: list[float], message: str
) -> None:
    with pytest.raises(DataError, match=message):
        fit(snapshot_of("regression", change=with_labels(labels)), objective=objective)


def test_losses_train_on_the_labels_they_are_for(snapshot_of: SnapshotOf) -> None:
    assert fit(snapshot_of("regression", change=with_labels([1.0])), objective="gamma").rounds
    assert fit(snapshot_of("regression", change=with_labels([0.0])), objective="tweedie").rounds


def test_what_xgboost_itself_refuses_is_said_in_its_words_without_a_stack() -> None:
    import xgboost

    words = r"found 'Label contains NaN, infinity or a value too large\.'"
    with pytest.raises(DependencyError, match=words) as raised, explained():
        xgboost.DMatrix(np.ones((2, 1)), label=[1.0, np.nan])
    assert "[bt]" not in str(raised.value)
    assert "larger machine" not in str(raised.value)
    with pytest.raises(DependencyError, match=r"std::bad_alloc.*larger machine"), explained():
        raise xgboost.core.XGBoostError("[12:00:00] /workspace/src/c_api.cc:1: std::bad_alloc\nStack trace:\n [bt]")


@pytest.mark.parametrize(("factor", "extent"), [(1e-9, "small"), (1e30, "large")])
def test_weights_that_make_a_constant_of_the_model(snapshot_of: SnapshotOf, factor: float, extent: str) -> None:
    def scale(table: pa.Table) -> pa.Table:
        values = pa.array(factor * (1 + np.arange(table.num_rows) % 3))
        return table.set_column(table.schema.get_field_index("weight"), "weight", values)

    message = rf"example weights of split train are too {extent}.*mean 2e.*Divide the column by its mean"
    with pytest.raises(DataError, match=message):
        fit(snapshot_of(change=scale))


def test_weights_that_are_all_zero(snapshot_of: SnapshotOf) -> None:
    def spoil(table: pa.Table) -> pa.Table:
        return table.set_column(table.schema.get_field_index("weight"), "weight", pa.array(np.zeros(table.num_rows)))

    with pytest.raises(DataError, match=r"roles\.weight \(weight\): all example weights of split train are zero"):
        fit(snapshot_of(change=spoil, roles=ROLES))


@pytest.mark.parametrize(
    ("recipe", "message"),
    [
        pytest.param({"metric": "rmse"}, r"recipe.metric: does not fit a binary task; found 'rmse'", id="metric"),
        pytest.param({"objective": "tweedie"}, r"recipe.objective: a binary task has only one loss", id="loss"),
        pytest.param({"task": "multiclass", "parameters": {"scale_pos_weight": 2}}, "positive class", id="positives"),
        pytest.param({"train_split": "everything"}, r"split: no such split; found 'everything'", id="split"),
    ],
)
def test_a_recipe_that_does_not_fit_the_data(snapshot_of: SnapshotOf, recipe: dict[str, str], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        fit(snapshot_of(), **recipe)


def test_an_empty_split(snapshot_of: SnapshotOf) -> None:
    with pytest.raises(DataError, match="split train: has no rows"):
        fit(snapshot_of(change=lambda table: table.slice(0, 0)), early_stopping_rounds=0)


def test_a_number_beyond_single_precision_is_named(snapshot_of: SnapshotOf) -> None:
    def spoil(table: pa.Table) -> pa.Table:
        values = pa.array([1e300, *([0.0] * (table.num_rows - 1))])
        return table.set_column(table.schema.get_field_index("amount"), "amount", values)

    with pytest.raises(DataError, match=r"amount: .*beyond"):
        fit(snapshot_of(change=spoil))
