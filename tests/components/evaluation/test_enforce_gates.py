from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from builders.artifacts import COMPONENTS, artifact, load_component
from builders.verdicts import check
from gauntlet.errors import EXIT_BROKEN, EXIT_STOPPED, EXIT_USAGE
from gauntlet.verdict import Status, Verdict, read_verdicts


def written(folder: Path, gate: str, status: Status) -> object:
    path = folder / gate
    Verdict(gate, (check("auc", status, f"AUC of {gate} is what it is.", gate=gate),), "summary").write(path)
    return artifact("Artifact", path)


@pytest.fixture
def enforce(tmp_path: Path) -> Callable[..., str]:
    component = load_component("evaluation", "enforce_gates")
    return partial(component, verdicts=artifact("Artifact", tmp_path / "verdicts"))


def test_a_run_goes_on_with_one_line(enforce: Callable[..., str], tmp_path: Path) -> None:
    line = enforce(
        stage="before registering",
        first=written(tmp_path, "compare_champion", Status.INCONCLUSIVE),
        second=written(tmp_path, "evaluate_slices", Status.PASS),
    )
    expected = "before registering: 2 gates let the run go on, with warnings from compare_champion (inconclusive)"
    assert line == expected


def test_what_was_let_through_is_passed_on_with_what_an_earlier_stage_let_through(
    enforce: Callable[..., str], tmp_path: Path
) -> None:
    enforce(
        stage="before training",
        first=written(tmp_path, "detect_skew", Status.INCONCLUSIVE),
        verdicts=artifact("Artifact", tmp_path / "before"),
    )
    line = enforce(
        stage="before registering",
        first=written(tmp_path, "evaluate_performance", Status.PASS),
        earlier=artifact("Artifact", tmp_path / "before"),
    )
    assert line == "before registering: 1 gate lets the run go on"
    passed_on = [(verdict.gate, verdict.status) for verdict in read_verdicts(tmp_path / "verdicts")]
    assert passed_on == [("detect_skew", Status.INCONCLUSIVE), ("evaluate_performance", Status.PASS)]


def test_a_run_is_stopped_with_one_paragraph(
    enforce: Callable[..., str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stopped:
        enforce(stage="before registering", first=written(tmp_path, "evaluate_performance", Status.FAIL))
    assert stopped.value.code == EXIT_STOPPED
    message = capsys.readouterr().err.strip()
    assert message.startswith("GateStopped: before registering: stopped by evaluate_performance (fail).")
    assert "AUC of evaluate_performance is what it is." in message
    assert "\n" not in message
    assert not (tmp_path / "verdicts").exists()


def test_it_runs_by_the_command_of_its_spec_on_what_a_clusters_driver_hands_over(tmp_path: Path) -> None:
    # The driver of Kubeflow Pipelines names no type, and numbers artifacts.
    def stored(gate: str, number: str) -> dict[str, object]:
        written(tmp_path, gate, Status.PASS)
        metadata = {"display_name": "verdict", "store_session_info": "{}", "checks": 1.0}
        kind = {"instanceSchema": ""}
        return {"artifacts": [{"name": number, "type": kind, "uri": str(tmp_path / gate), "metadata": metadata}]}

    message = {
        "inputs": {
            "artifacts": {"first": stored("evaluate_performance", "43"), "second": stored("evaluate_slices", "44")},
            "parameterValues": {"stage": "before registering"},
        },
        "outputs": {
            "parameters": {"Output": {"outputFile": str(tmp_path / "out" / "Output")}},
            "artifacts": {
                "verdicts": {
                    "artifacts": [
                        {
                            "name": "verdicts",
                            "type": {"schemaTitle": "system.Artifact", "schemaVersion": "0.0.1"},
                            "uri": str(tmp_path / "verdicts"),
                        }
                    ]
                }
            },
            "outputFile": str(tmp_path / "out" / "executor_output.json"),
        },
    }
    words = ["--executor_input", json.dumps(message), "--function_to_execute", "enforce_gates"]
    done = subprocess.run(
        [sys.executable, "-m", "kfp.dsl.executor_main", *words],
        cwd=COMPONENTS / "evaluation",
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    output = json.loads((tmp_path / "out" / "executor_output.json").read_text())
    assert output["parameterValues"]["Output"] == "before registering: 2 gates let the run go on"


def test_a_policy_that_cannot_be_used(
    enforce: Callable[..., str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stopped:
        enforce(stage="s", first=written(tmp_path, "evaluate_performance", Status.PASS), policy={"inconclusiv": {}})
    assert stopped.value.code == EXIT_USAGE
    assert "Did you mean 'inconclusive'?" in capsys.readouterr().err


def test_what_is_no_verdict_is_not_let_through(
    enforce: Callable[..., str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "broken").write_text('{"status": "pass"}')
    with pytest.raises(SystemExit) as stopped:
        enforce(stage="s", first=artifact("Artifact", tmp_path / "broken"))
    assert stopped.value.code == EXIT_BROKEN
    assert "is not a verdict" in capsys.readouterr().err
