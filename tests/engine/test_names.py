"""Columns called after what libraries keep for themselves, from a file to a registered model."""

import json

import pytest

from builders.names import LABEL, NAMES, NUMERIC, ROLES, columns, write_csv
from engine.conftest import run
from gauntlet.orchestration.record import RunState

pytestmark = pytest.mark.engine


def test_names_are_the_users_whatever_libraries_want(tmp_path):
    asked = {name: values for name, values in columns(200, 2).items() if name in NAMES}
    parameters = {
        "model_name": "strange-names",
        "data": [{"uri": write_csv(tmp_path / "rows.csv", columns(3_000, 1))}],
        "serving_data": [{"uri": write_csv(tmp_path / "asked.csv", asked)}],
        "roles": ROLES,
        "recipe": {"parameters": {"n_estimators": 20, "max_depth": 3}, "monotone": dict.fromkeys(NUMERIC, 1)},
        "n_seeds": 1,
        "slice_columns": [NAMES[4], NAMES[9]],
        "enforcement_policy": {"inconclusive": dict.fromkeys(("detect_skew", "evaluate_slices"), "warn")},
    }
    result = run(parameters, tmp_path / "runs")
    assert result.state is RunState.PASSED, result.messages
    integrity, schema = result.verdict("check-integrity"), result.verdict("validate-schema")
    assert {f"leakage: {name}" for name in NAMES} <= {check.name for check in integrity.checks}
    assert {f"serving: {name}" for name in NAMES} <= {check.name for check in schema.checks}
    held = json.loads((result.path("train-model", "model") / "input_example.json").read_text())
    assert held["columns"] == list(NAMES)
    assert {f"{NAMES[4]}=a: accuracy", f"{NAMES[9]}=b: accuracy"} <= {
        check.name for check in result.verdict("evaluate-slices").checks
    }
    assert result.registry("strange-names")["aliases"] == {"champion": "1"}
    assert LABEL not in held["columns"]
