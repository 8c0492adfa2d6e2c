"""Each fault that the demo plants is stopped by the gate meant for it and by no other; without one, none stops."""

import re

import pytest

from engine.conftest import ROOT, Run, example, run
from gauntlet.demo.__main__ import SEED, demo
from gauntlet.demo.faults import FAULTS, FIRST, SECOND, Materials, merged, sound
from gauntlet.demo.summary import line
from gauntlet.gates import Stage, gates_before
from gauntlet.orchestration.environments import ensure_environment
from gauntlet.orchestration.project import find_project
from gauntlet.orchestration.record import RunRecord, RunState, TaskState
from gauntlet.verdict import Status

pytestmark = pytest.mark.engine

OF_TRAINING = [name for name, fault in FAULTS.items() if fault.plant]
SHOWN = ("normalization", "golden")
"""The demo that the README begins with, and one that ends at the last gate; the others in ``make test-all``."""
GATES = tuple(gate.runs_in.replace("_", "-") for gate in gates_before(Stage.TRAINING, Stage.REGISTERING))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """All demos share what pure tasks made of the first quarter."""
    return tmp_path_factory.mktemp("demo")


def last_run(folder):
    newest = max(folder.glob("continuous-training-*/run.json"), key=lambda path: path.stat().st_mtime).parent
    return Run(RunRecord.read(newest), newest, [])


def verdicts(result):
    """Gate → its verdict, of the gates that were reached."""
    reached = {TaskState.SUCCEEDED, TaskState.REUSED}
    return {gate: result.verdict(gate) for gate in GATES if result.task(gate).state in reached}


MEANS = {
    "normalization": "`income` no longer means what it meant when it was stored: ",
    "bias": "Of every 100 applicants with sex=female it would accept ",
    "skew": "Applications arrive with another `debt_ratio` than the model learns from",
    "noise": "It looks better by luck",
    "leak": "`collection_calls` gives away how a loan ended",
    "golden": "It would get a case wrong that everybody here agrees on: an applicant late seven times",
}
SAID = {
    "normalization": "`income` was redefined and its past was not recomputed",
    "bias": "selection rate",
    "skew": "`debt_ratio` moved",
    "noise": "re-training",
    "leak": "`collection_calls` alone predicts the label",
    "golden": "an applicant late seven times is no safe bet: answered with",
}


@pytest.mark.parametrize(
    "fault", [fault if fault in SHOWN else pytest.param(fault, marks=pytest.mark.exhaustive) for fault in OF_TRAINING]
)
def test_a_fault_is_stopped_by_its_own_gate_and_by_no_other(fault, folder, monkeypatch, capsys):
    monkeypatch.chdir(ROOT)
    assert set(SAID) == set(MEANS) == set(OF_TRAINING)
    assert demo.main(["--fault", fault, "--folder", str(folder)], standalone_mode=False) == 1

    result, gate = last_run(folder), FAULTS[fault].gate
    assert result.state is RunState.STOPPED
    by = re.search(r"stopped by (.*?)\. ", result.record.message)[1]
    assert re.findall(r"(\w+) \(\w+\)", by) == [gate], result.record.message
    bad = {verdict.gate for verdict in verdicts(result).values() if verdict.status in {Status.FAIL, Status.ERROR}}
    assert bad <= {gate}
    assert SAID[fault] in result.record.message
    told = capsys.readouterr().out
    assert f"by {gate}; what serves goes on serving." in told
    assert line("in short", MEANS[fault]) in told


def test_without_a_fault_no_gate_has_anything_to_say(folder, monkeypatch):
    monkeypatch.chdir(ROOT)
    runs = folder / "clean"
    data = runs / "data"
    data.mkdir(parents=True)
    environment = ensure_environment(find_project(ROOT), "model", lambda sentence: None)
    materials = Materials(data, 20_000, SEED, environment.python)
    for span in (FIRST, SECOND):
        result = run(merged(example("loans"), sound(span, materials)), runs)
        assert result.state is RunState.PASSED, result.record.message
    found = verdicts(result)
    assert set(found) == set(GATES)
    assert {gate for gate, verdict in found.items() if not verdict.status.is_clear} == set()
