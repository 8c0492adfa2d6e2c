"""What the specs of the delivery promise, read from the compiled pipelines."""

from functools import cache
from pathlib import Path

import pytest
import yaml

from gauntlet.orchestration.compiler import compile_pipeline, read_settings
from gauntlet.orchestration.graph import tasks_of
from gauntlet.orchestration.project import find_project

ROOT = Path(__file__).parents[3]
DELIVERING = ("continuous_delivery", "train_and_deliver")


@cache
def spec(pipeline):
    project = find_project(ROOT)
    compiled = compile_pipeline(project, pipeline, read_settings(project, None))
    assert compiled.path.read_text() == compiled.text, "run gauntlet compile"
    return next(yaml.safe_load_all(compiled.text))


@cache
def tasks(pipeline):
    return {task.name: task for task in tasks_of(spec(pipeline))}


def given(pipeline, task):
    """The inputs of a task, by name, wherever in the pipeline it stands."""
    graphs = [one["dag"]["tasks"] for one in spec(pipeline)["components"].values() if "dag" in one]
    (found,) = [graph[task] for graph in graphs if task in graph]
    return {name: next(iter(one.values())) for name, one in found["inputs"]["parameters"].items()}


def before(found, name):
    """Every task that has ended when ``name`` starts."""
    earlier, open_ends = set(), [name]
    while open_ends:
        for one in found[open_ends.pop()].after:
            if one not in earlier:
                earlier.add(one)
                open_ends.append(one)
    return earlier


@pytest.mark.parametrize("pipeline", DELIVERING)
def test_nobody_is_answered_before_staging_and_shadow_were_enforced(pipeline):
    needed = {"check-delivery", "check-serving", "enforce-staging-gate", "shadow", "enforce-shadow-gate"}
    assert needed <= before(tasks(pipeline), "rollout-canary")


@pytest.mark.parametrize("pipeline", DELIVERING)
def test_nothing_becomes_champion_before_the_rollout_was_enforced(pipeline):
    assert {"rollout-canary", "enforce-rollout-gate"} <= before(tasks(pipeline), "promote")


@pytest.mark.parametrize("pipeline", DELIVERING)
def test_what_stands_in_productions_way_is_asked_before_anything_is_deployed(pipeline):
    asked = given(pipeline, "deploy-staging")["service"]
    assert asked == given(pipeline, "rollout-canary")["service"]
    assert asked != given(pipeline, "deploy-staging")["staging"]


@pytest.mark.parametrize("pipeline", DELIVERING)
def test_production_is_not_copied_before_staging_has_passed(pipeline):
    assert "enforce-staging-gate" in before(tasks(pipeline), "shadow")


@pytest.mark.parametrize("pipeline", DELIVERING)
def test_whatever_happens_no_half_way_rollout_stays(pipeline):
    found = tasks(pipeline)
    assert found["finish-rollout"].component == "rollback"
    assert found.keys() - {"finish-rollout"} <= before(found, "finish-rollout")


def test_a_new_model_is_delivered_only_after_it_was_registered():
    found = tasks("train_and_deliver")
    assert {"register-model", "enforce-model-gates", "enforce-data-gates"} <= before(found, "fetch-candidate")


@pytest.mark.parametrize("pipeline", [*DELIVERING, "rollback", "deployment_watch"])
def test_what_looks_at_or_changes_production_is_never_cached(pipeline):
    outside = {
        "deploy_staging", "fetch_candidate", "fetch_champion", "promote", "register_model", "resolve_source",
        "rollback", "rollout_canary", "shadow", "check_serving", "verify_deployment",
    }  # fmt: skip
    found = tasks(pipeline).values()
    assert {task.component for task in found if not task.cached} == {t.component for t in found} & outside


def test_a_deployment_that_does_harm_ends_its_watch_with_a_failed_run():
    found = tasks("deployment_watch")
    assert before(found, "enforce-gates") == {"verify-deployment"}
