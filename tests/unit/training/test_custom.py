from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from builders.training import CONTRACT, recipe_of
from gauntlet.data.snapshot import Snapshot
from gauntlet.errors import ConfigurationError, DataError
from gauntlet.training import bundle
from gauntlet.training.custom import resolve, score_custom
from gauntlet.training.frame import frame_of, mlflow_types
from gauntlet.training.result import Training
from gauntlet.training.trainer import train

SnapshotOf = Callable[..., Snapshot]

TEAM_CODE = """
import numpy as np
from sklearn.base import BaseEstimator
from sklearn.linear_model import LinearRegression, LogisticRegression


def amounts(frame):
    return frame[["amount"]].fillna(0.0)


class OnAmount(BaseEstimator):
    def __init__(self, inner):
        self.inner = inner

    def predict(self, frame):
        return self.inner.predict(amounts(frame))

    def predict_proba(self, frame):
        return self.inner.predict_proba(amounts(frame))


def train(job):
    inner = LinearRegression() if job.task == "regression" else LogisticRegression(C=job.options.get("C", 1.0))
    inner.fit(amounts(job.frame("train")), job.labels("train"), sample_weight=job.weights("train"))
    return OnAmount(inner)


def train_pyfunc(job):
    from mlflow.pyfunc import PythonModel

    class Constant(PythonModel):
        def predict(self, context, model_input, params=None):
            return np.full(len(model_input), 0.25) if job_task == "regression" else np.full(
                (len(model_input), classes), 1 / classes)

    job_task, classes = job.task, len(job.classes)
    return Constant()


def train_badly(job):
    model = train(job)
    model.predict_proba = lambda frame: np.full(len(frame), 0.5)
    return model


def train_deeply(job):
    depth = job.options["max_depth"]
    if not isinstance(depth, int):
        raise ValueError(f"max_depth has to be whole\\nnot {depth}")
    raise KeyError("depth")


def train_what_cannot_score(job):
    model = train(job)
    model.predict_proba = lambda frame: frame["no such column"]
    return model


def train_nothing(job):
    return object()


not_callable = 3
"""


@pytest.fixture(scope="module", autouse=True)
def team_code(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("team")
    (folder / "team_training.py").write_text(TEAM_CODE)
    sys.path.insert(0, str(folder))
    yield folder
    sys.path.remove(str(folder))
    sys.modules.pop("team_training", None)


def fit(snapshot: Snapshot, function: str, **recipe: object) -> Training:
    chosen = recipe_of(trainer=f"team_training:{function}", **recipe)
    return train(snapshot, CONTRACT, chosen, n_seeds=2, device="cpu")


@pytest.mark.parametrize("function", ["train", "train_pyfunc"])
def test_a_teams_model_is_measured_saved_and_loaded_without_its_module(
    snapshot: Snapshot, function: str, tmp_path: Path, team_code: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import mlflow.pyfunc

    trained = fit(snapshot, function)
    assert trained.seed_spread[next(iter(trained.metrics))]["standard_deviation"] == 0
    bundle.save(trained, tmp_path / "model", contract_digest="x")
    frame = frame_of(next(snapshot.batches("test")).slice(0, 5), mlflow_types(trained.plan.features))
    expected = score_custom(trained.estimator, trained.plan.target.task, frame)
    monkeypatch.delitem(sys.modules, "team_training")
    monkeypatch.setattr(sys, "path", [entry for entry in sys.path if entry != str(team_code)])
    np.testing.assert_array_equal(mlflow.pyfunc.load_model(str(tmp_path / "model")).predict(frame), expected)
    assert "team_training" not in sys.modules


def test_options_reach_the_trainer(snapshot_of: SnapshotOf) -> None:
    strong = fit(snapshot_of(), "train", options={"C": 1e-6})
    assert abs(strong.estimator.inner.coef_).max() < 0.01


@pytest.mark.parametrize(
    ("trainer", "message"),
    [
        pytest.param("no_such_module:train", r"cannot be imported: No module named 'no_such_module'", id="no module"),
        pytest.param("team_training:fit", r"has no function of this name; found 'team_training:fit'", id="no function"),
        pytest.param("team_training:not_callable", r"has no function of this name", id="not callable"),
        pytest.param(
            "team_training:train_nothing", r"returned a object, which cannot score a binary task", id="object"
        ),
    ],
)
def test_a_trainer_that_cannot_be_used(snapshot_of: SnapshotOf, trainer: str, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        train(snapshot_of(), CONTRACT, recipe_of(trainer=trainer), device="cpu")


@pytest.mark.parametrize(
    ("function", "options", "message"),
    [
        (
            "train_deeply",
            {"max_depth": 8.5},
            r"raised ValueError: max_depth has to be whole \(options: ",
        ),
        ("train_deeply", {}, r"raised KeyError: 'max_depth'; found 'team_training:train_deeply'\. Mend the code"),
        ("train_what_cannot_score", {}, r"the trainer's model cannot score: KeyError: 'no such column'\."),
    ],
)
def test_what_the_teams_code_raises_is_the_teams_to_mend(
    snapshot_of: SnapshotOf, function: str, options: dict[str, object], message: str
) -> None:
    with pytest.raises(ConfigurationError, match=message):
        fit(snapshot_of(), function, options=options)


@pytest.mark.parametrize("code", ["raise RuntimeError('no licence')", "def train(job:"])
def test_a_module_that_fails_on_import_is_the_teams_to_mend(team_code: Path, code: str) -> None:
    (team_code / "team_broken.py").write_text(code)
    with pytest.raises(ConfigurationError, match=r"recipe\.trainer: cannot be imported: (RuntimeError|SyntaxError): "):
        resolve("team_broken:train")


def test_scores_of_the_wrong_shape(snapshot_of: SnapshotOf) -> None:
    with pytest.raises(DataError, match=r"scores of shape \(200,\); \(200, 2\) is required"):
        fit(snapshot_of(), "train_badly")
