from __future__ import annotations

from pathlib import Path

import pytest

from builders.artifacts import artifact, load_component
from gauntlet.errors import EXIT_BROKEN, EXIT_STOPPED, EXIT_USAGE
from gauntlet.verdict import Check, Status, Verdict


def written(folder: Path, gate: str, status: Status) -> object:
    path = folder / gate
    Verdict(gate, (Check("auc", status, f"AUC of {gate} is what it is."),), "summary").write(path)
    return artifact("Artifact", path)


def test_a_run_goes_on_with_one_line(tmp_path: Path) -> None:
    enforce = load_component("evaluation", "enforce_gates")
    line = enforce(
        stage="before registering",
        first=written(tmp_path, "evaluate_model", Status.INCONCLUSIVE),
        second=written(tmp_path, "evaluate_slices", Status.PASS),
    )
    expected = "before registering: 2 gates let the run go on, with warnings from evaluate_model (inconclusive)"
    assert line == expected


def test_a_run_is_stopped_with_one_paragraph(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    enforce = load_component("evaluation", "enforce_gates")
    with pytest.raises(SystemExit) as stopped:
        enforce(stage="before registering", first=written(tmp_path, "evaluate_model", Status.FAIL))
    assert stopped.value.code == EXIT_STOPPED
    message = capsys.readouterr().err.strip()
    assert message.startswith("GateStopped: before registering: stopped by evaluate_model (fail).")
    assert "AUC of evaluate_model is what it is." in message
    assert "\n" not in message


def test_a_policy_that_cannot_be_used(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    enforce = load_component("evaluation", "enforce_gates")
    with pytest.raises(SystemExit) as stopped:
        enforce(stage="s", first=written(tmp_path, "evaluate_model", Status.PASS), policy={"inconclusiv": {}})
    assert stopped.value.code == EXIT_USAGE
    assert "Did you mean 'inconclusive'?" in capsys.readouterr().err


def test_what_is_no_verdict_is_not_let_through(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "broken").write_text('{"status": "pass"}')
    enforce = load_component("evaluation", "enforce_gates")
    with pytest.raises(SystemExit) as stopped:
        enforce(stage="s", first=artifact("Artifact", tmp_path / "broken"))
    assert stopped.value.code == EXIT_BROKEN
    assert "is not a verdict" in capsys.readouterr().err
