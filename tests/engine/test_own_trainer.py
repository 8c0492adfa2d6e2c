"""A team's own training function, from a folder of its modules to a registered model."""

import pytest

from engine.conftest import example, run
from gauntlet.demo.loans import generate, write_csv
from gauntlet.orchestration.record import RunState, TaskState

pytestmark = pytest.mark.engine

MODULE = """
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler


def train(job):
    encode = make_column_transformer(
        (make_pipeline(SimpleImputer(), StandardScaler()), make_column_selector(dtype_include="number")),
        remainder=OneHotEncoder(handle_unknown="ignore"),
    )
    model = LogisticRegression(C=1.0, max_iter=500, random_state=job.seed)
    return make_pipeline(encode, model).fit(job.frame("train"), job.labels("train"))
"""


def test_a_teams_own_function_trains_and_its_edits_are_noticed(tmp_path):
    folder, data, runs = tmp_path / "models", tmp_path / "loans.csv", tmp_path / "runs"
    folder.mkdir()
    (folder / "logistic.py").write_text(MODULE)
    write_csv(generate(1, 4_000, 5), str(data))
    parameters = {
        **example("loans"),
        "data": [{"uri": str(data)}],
        "recipe": {"trainer": "logistic:train"},
        "enforcement_policy": {"inconclusive": {"evaluate_slices": "warn"}},
    }

    first = run(parameters, runs, modules=(folder,))
    assert first.state is RunState.PASSED, first.messages
    assert first.verdict("evaluate-performance").checks[0].measured > 0.7
    assert first.registry("loan-repayment")["aliases"] == {"champion": "1"}

    assert run(parameters, runs, modules=(folder,)).task("train-model").state is TaskState.REUSED
    (folder / "logistic.py").write_text(MODULE.replace("C=1.0", "C=0.01"))
    assert run(parameters, runs, modules=(folder,)).task("train-model").state is TaskState.SUCCEEDED
