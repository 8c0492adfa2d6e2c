"""What the published spec promises, read from the compiled pipeline and not from its source."""

from pathlib import Path

import pytest
import yaml

from gauntlet.gates import Stage, gates_before
from gauntlet.orchestration.compiler import compile_pipeline, read_settings
from gauntlet.orchestration.graph import tasks_of
from gauntlet.orchestration.project import find_project

ROOT = Path(__file__).parents[3]


def tasks_before(*stages):
    """The tasks of every gate before these stages, as the table has them."""
    found = {gate.runs_in.replace("_", "-") for gate in gates_before(*stages)}
    assert found
    return found


@pytest.fixture(scope="module")
def compiled():
    project = find_project(ROOT)
    return compile_pipeline(project, "continuous_training", read_settings(project, None))


@pytest.fixture(scope="module")
def tasks(compiled):
    spec, _platform = yaml.safe_load_all(compiled.text)
    return {task.name: task for task in tasks_of(spec)}


def before(tasks, name):
    """Every task that has ended when ``name`` starts."""
    found, open_ends = set(), [name]
    while open_ends:
        for earlier in tasks[open_ends.pop()].after:
            if earlier not in found:
                found.add(earlier)
                open_ends.append(earlier)
    return found


@pytest.mark.repository
def test_the_committed_spec_is_what_the_code_compiles_to(compiled):
    assert compiled.path.read_text() == compiled.text


def test_no_money_is_spent_before_the_data_gates(tasks):
    assert {*tasks_before(Stage.TRAINING), "enforce-data-gates"} <= before(tasks, "train-model")


def test_nothing_is_registered_before_every_gate_and_its_enforcement(tasks):
    gates = tasks_before(Stage.TRAINING, Stage.REGISTERING)
    assert gates | {"enforce-data-gates", "enforce-model-gates"} <= before(tasks, "register-model")


def test_every_setting_is_checked_before_anything_else(tasks):
    for name in tasks.keys() - {"check-configuration"}:
        assert "check-configuration" in before(tasks, name), name


def test_no_task_waits_for_a_card_that_a_cluster_may_not_have(tasks, compiled):
    assert [name for name, task in tasks.items() if task.accelerator] == []
    assert "nvidia" not in compiled.text


def test_what_reads_or_changes_the_outside_world_is_never_cached(tasks):
    uncached = {task.component for task in tasks.values() if not task.cached}

    assert uncached == {"resolve_source", "fetch_champion", "register_model"}


def test_every_pod_asks_for_little_and_the_run_ends_some_day(compiled):
    spec, platform = yaml.safe_load_all(compiled.text)
    resources = [one["container"]["resources"] for one in spec["deploymentSpec"]["executors"].values()]

    assert {one["resourceCpuRequest"] for one in resources} == {"100m"}
    assert {one["resourceMemoryRequest"] for one in resources} == {"256Mi"}
    assert platform["platforms"]["kubernetes"]["pipelineConfig"] == {"activeDeadlineSeconds": 172_800}
