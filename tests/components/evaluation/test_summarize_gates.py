from __future__ import annotations

from pathlib import Path

import pytest

from builders.artifacts import artifact, load_component
from builders.verdicts import check
from gauntlet.verdict import Status, Verdict


def written(folder: Path, gate: str, status: Status) -> object:
    path = folder / gate
    Verdict(gate, (check("auc", status, f"AUC of {gate} is what it is.", gate=gate),), "summary").write(path)
    return artifact("Artifact", path)


def summarize(folder: Path, **inputs: object) -> tuple[str, dict[str, float]]:
    report, metrics = artifact("HTML", folder / "report.html"), artifact("Metrics", folder / "metrics")
    load_component("evaluation", "summarize_gates")(stage="before training", report=report, metrics=metrics, **inputs)
    return Path(report.path).read_text(), metrics.metadata


def test_a_stop_is_said_before_enforcement_fails(tmp_path: Path) -> None:
    page, metrics = summarize(
        tmp_path,
        first=written(tmp_path, "validate_schema", Status.PASS),
        second=written(tmp_path, "detect_skew", Status.FAIL),
    )
    assert "Before training: stopped by detect_skew (fail)." in page
    assert "AUC of detect_skew is what it is." in page
    assert (metrics["validate_schema"], metrics["detect_skew"]) == (1.0, -1.0)


def test_the_policy_is_enforcements(tmp_path: Path) -> None:
    page, metrics = summarize(
        tmp_path, first=written(tmp_path, "detect_skew", Status.FAIL), policy={"advisory": ["detect_skew"]}
    )
    assert "1 gate lets the run go on, with warnings from detect_skew (fail)." in page
    assert metrics["detect_skew"] == -1.0
    with pytest.raises(SystemExit) as stopped:
        summarize(tmp_path, first=written(tmp_path, "detect_skew", Status.FAIL), policy={"advisory": ["skew"]})
    assert stopped.value.code == 2
