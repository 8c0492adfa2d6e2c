"""Errors speak of parameters as whoever runs a pipeline writes them."""

from pathlib import Path

import pytest
import yaml

from gauntlet.errors import ConfigurationError
from gauntlet.orchestration.users_keys import USERS_KEYS, in_users_keys

COMPILED = Path(__file__).parents[3] / "pipelines" / "compiled"


def wiring():
    """(component, its parameter, the pipeline's parameter) of every task of every pipeline."""
    for path in COMPILED.glob("*.yaml"):
        spec = next(yaml.safe_load_all(path.read_text()))
        for part in (spec["root"], *spec["components"].values()):
            for task in part.get("dag", {}).get("tasks", {}).values():
                component = task["componentRef"]["name"].removeprefix("comp-").replace("-", "_").rstrip("_0123456789")
                for name, source in task.get("inputs", {}).get("parameters", {}).items():
                    given = source.get("componentInputParameter", "").removeprefix("pipelinechannel--")
                    if given.isidentifier():  # or another task's output, or a constant
                        yield component, name, given


def test_the_table_is_the_wiring_of_the_pipelines():
    wired = set(wiring())
    renamed = {(component, name, key) for component, name, key in wired if name != key and component in USERS_KEYS}
    known = {(component, name, key) for component, keys in USERS_KEYS.items() for name, key in keys.items()}
    assert renamed - known == set()
    # What is pinned, or a default, reaches its component as another task's output or not at all.
    unwired = {(component, name) for component, name, _ in known - wired}
    assert unwired <= {("infer_schema", "curated"), ("check_integrity", "tables"), ("check_behavior", "suite")} | {
        ("check_features", "stored")
    }


@pytest.mark.parametrize(
    ("component", "field", "mend", "said"),
    [
        ("evaluate_slices", "policy.columns", "Add it", "slices_policy.columns: x. Add it."),
        ("evaluate_slices", "policy", "See policy.columns", "slices_policy: x. See slices_policy.columns."),
        ("check_integrity", "policy.keys[0].columns", "Add it", "integrity_policy.keys[0].columns: x. Add it."),
        ("compare_champion", "policy.slices.bins", "Add it", "champion_policy.slices.bins: x. Add it."),
        ("evaluate_performance", "metric", "Use auc", "performance_policy: x. Use auc."),
        ("infer_schema", "policy.range_margin", "Give less", "schema_inference.range_margin: x. Give less."),
        ("enforce_gates", "policy.advisory", "Mend it", "enforcement_policy.advisory: x. Mend it."),
        ("batch_predict", "split", "Use test", "evaluation_split: x. Use test."),
        ("measure_stability", "runs", "Use 2", "stability_runs: x. Use 2."),
        ("check_serving", "policy.latency.rate", "Lower it", "serving_policy.latency.rate: x. Lower it."),
        # left as they are
        ("import_snapshot", "split.by", "Use time", "split.by: x. Use time."),
        ("evaluate_slices", "policy_of_others", "Mend it", "policy_of_others: x. Mend it."),
        ("check_integrity", "a.csv: row 3", "The policy. ", "a.csv: row 3: x. The policy. ."),
        ("train_model", "", "Mend it", "x. Mend it."),
    ],
)
def test_a_parameter_of_a_component_is_called_as_the_user_calls_it(component, field, mend, said):
    assert str(in_users_keys(ConfigurationError("x", field=field, mend=mend), component)) == said
