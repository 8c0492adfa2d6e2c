from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

import pytest

from gauntlet.orchestration.cache import TaskCache
from gauntlet.orchestration.executor_messages import ExecutorInput, ExecutorOutput


def executor_input(folder: Path, **changes: Any) -> ExecutorInput:
    source = folder / "source"
    source.write_text(changes.get("content", "data"))
    metadata = changes.get("metadata", {"rows": 3, "lineage": "[]"})
    artifact = {"name": "x", "uri": str(source), "type": {"schemaTitle": "system.Dataset"}, "metadata": metadata}
    artifacts = {} if changes.get("absent") else {"x": {"artifacts": [artifact]}}
    out = {"name": "out", "uri": str(folder / "out"), "type": {"schemaTitle": changes.get("type", "system.Model")}}
    return ExecutorInput(
        {
            "inputs": {
                "parameterValues": changes.get("parameters", {"a": {"c": 1, "b": [2.0]}}),
                "artifacts": artifacts,
            },
            "outputs": {
                "outputFile": str(folder / "kfp" / "job" / "task" / "executor_output.json"),
                "artifacts": {changes.get("output", "out"): {"artifacts": [out]}},
            },
        }
    )


def key(folder: Path, **changes: Any) -> str:
    return TaskCache(folder / "cache", pytest.fail).key(
        executor_input(folder, **changes),
        component=changes.get("component", "f"),
        code=changes.get("code", "c"),
        environment=changes.get("environment", "e"),
        variables=changes.get("variables", {}),
    )


@pytest.mark.parametrize(
    "changes",
    [
        {"component": "g"},
        {"code": "d"},
        {"environment": "f"},
        {"variables": {"MODE": "fast"}},
        {"parameters": {"a": {"c": 1, "b": [2.5]}}},
        {"content": "other"},
        {"absent": True},
        {"metadata": {"rows": 4}},
        {"output": "other"},
        {"type": "system.Artifact"},
    ],
    ids=lambda changes: "-".join(changes),
)
def test_everything_a_task_depends_on_is_in_the_key(tmp_path, changes):
    assert key(tmp_path, **changes) != key(tmp_path)


@pytest.mark.parametrize(
    "changes", [{"parameters": {"a": {"b": [2.0], "c": 1}}}, {"metadata": {"lineage": "[1]", "rows": 3}}, {}]
)
def test_order_and_history_are_not(tmp_path, changes):
    assert key(tmp_path, **changes) == key(tmp_path)


def test_where_the_input_lies_is_not(tmp_path):
    (tmp_path / "other").mkdir()
    assert key(tmp_path / "other") == key(tmp_path)


def executor_output(folder: Path) -> ExecutorOutput:
    """A task's folder with a file and a folder, and its output with a parameter and an artifact without content."""
    (folder / "model" / "deep").mkdir(parents=True)
    (folder / "model" / "deep" / "weights").write_text("1 2 3")
    (folder / "note").write_text("n")
    artifacts = {
        name: {"artifacts": [{"name": name, "uri": str(folder / name), "metadata": {"n": 1}}]}
        for name in ("model", "note", "metrics")
    }
    return ExecutorOutput({"parameterValues": {"Output": 3}, "artifacts": artifacts})


def test_what_was_stored_comes_back_elsewhere(tmp_path):
    store = TaskCache(tmp_path / "cache", pytest.fail)
    store.store("k", tmp_path / "first", executor_output(tmp_path / "first"))
    output = TaskCache(tmp_path / "cache", pytest.fail).restore("k", tmp_path / "second")
    assert output is not None
    assert output.parameters == {"Output": 3}
    assert {artifact.name: artifact.path for artifact in output.artifacts}["model"] == tmp_path / "second" / "model"
    assert {artifact.name: artifact.metadata for artifact in output.artifacts}["metrics"] == {"n": 1}
    assert (tmp_path / "second/model/deep/weights").read_text() == "1 2 3"
    assert not (tmp_path / "second/metrics").exists()


def test_nothing_stored_is_nothing(tmp_path):
    assert TaskCache(tmp_path / "cache", pytest.fail).restore("k", tmp_path / "second") is None
    assert not (tmp_path / "second").exists()


@pytest.mark.parametrize("damage", ["content", "removed", "added", "description", "no description"])
def test_damage_is_a_miss_with_a_warning_and_leaves_nothing(tmp_path, damage):
    warnings: list[str] = []
    store = TaskCache(tmp_path / "cache", warnings.append)
    store.store("k", tmp_path / "first", executor_output(tmp_path / "first"))
    entry = tmp_path / "cache" / "k"
    match damage:
        case "content":
            (entry / "outputs/model/deep/weights").write_text("1 2 4")
        case "removed":
            (entry / "outputs/note").unlink()
        case "added":
            (entry / "outputs/model/more").write_text("")
        case "description":
            text = json.loads((entry / "entry.json").read_text())
            text["output"]["parameterValues"]["Output"] = 4
            (entry / "entry.json").write_text(json.dumps(text))
        case _:
            (entry / "entry.json").unlink()
    assert store.restore("k", tmp_path / "second") is None
    assert len(warnings) == 1
    assert "damaged" in warnings[0]
    assert not (tmp_path / "second").exists()
    assert store.restore("k", tmp_path / "second") is None
    assert len(warnings) == 1


def test_an_artifact_that_lies_elsewhere_is_not_stored(tmp_path):
    store = TaskCache(tmp_path / "cache", pytest.fail)
    output = executor_output(tmp_path / "first")
    store.store("k", tmp_path / "another", output)
    assert not (tmp_path / "cache").exists()


def test_a_store_that_cannot_be_written_is_a_warning(tmp_path):
    warnings: list[str] = []
    (tmp_path / "cache").write_text("a file where the folder should be")
    TaskCache(tmp_path / "cache", warnings.append).store("k", tmp_path / "first", executor_output(tmp_path / "first"))
    assert len(warnings) == 1
    assert "could not be written" in warnings[0]


def stored(folder: Path, name: str, days: float) -> Path:
    """An entry that was last used so many days ago."""
    (folder / "work").mkdir(exist_ok=True)
    (folder / "work" / "out").write_text("result")
    TaskCache(folder / "cache", pytest.fail).store(name, folder / "work", ExecutorOutput({"artifacts": {}}))
    then = time.time() - days * 24 * 3600
    os.utime(folder / "cache" / name, (then, then))
    return folder / "cache" / name


def test_what_nobody_used_for_a_month_is_forgotten(tmp_path):
    old, recent = stored(tmp_path, "old", 31), stored(tmp_path, "recent", 29)
    TaskCache(tmp_path / "cache", pytest.fail).evict()
    assert not old.exists()
    assert recent.exists()


def test_what_is_used_is_kept(tmp_path):
    entry = stored(tmp_path, "old", 31)
    reuse = TaskCache(tmp_path / "cache", pytest.fail)
    assert reuse.restore("old", tmp_path / "again") is not None
    reuse.evict()
    assert entry.exists()


def test_there_may_be_nothing_to_forget(tmp_path):
    TaskCache(tmp_path / "cache", pytest.fail).evict()
    assert not (tmp_path / "cache").exists()
