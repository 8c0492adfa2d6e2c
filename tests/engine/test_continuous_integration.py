"""What a pull request goes through: minutes of nothing when all is well, and the right sentence when it is not."""

import pytest

from engine.conftest import ROOT, example, run
from gauntlet.demo.faults import FAULTS, SECOND, Materials, sound
from gauntlet.orchestration.environments import ensure_environment
from gauntlet.orchestration.project import find_project
from gauntlet.orchestration.record import RunState, TaskState
from gauntlet.verdict import Status

pytestmark = pytest.mark.engine

PIPELINE = "continuous_integration"
IGNORES_LABELS = '''
import numpy as np
from sklearn.dummy import DummyClassifier

def train(job):
    """Somebody commented the fit out."""
    return DummyClassifier(strategy="prior").fit(np.zeros((2, 1)), [0, 1])
'''


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    return tmp_path_factory.mktemp("integration")


@pytest.fixture(scope="module")
def materials(runs):
    folder = runs / "data"
    folder.mkdir()
    python = ensure_environment(find_project(ROOT), "model", lambda sentence: None).python
    return Materials(folder, 20_000, 20, python)


def parameters_for(changes):
    return {**example("loans-ci"), **changes}


def test_a_sound_change_passes_on_a_sample(materials, runs, monkeypatch):
    monkeypatch.chdir(ROOT)
    result = run(parameters_for(sound(SECOND, materials)), runs, PIPELINE)

    assert result.state is RunState.PASSED, result.record.message
    for gate in ("validate-schema", "check-integrity", "check-training", "check-behavior"):
        assert result.verdict(gate).status is Status.PASS, result.verdict(gate).summary
    assert result.verdict("check-features").status is Status.NOT_ASKED  # there is no champion and no store yet
    rows = result.verdict("check-integrity").facts["rows"]
    assert 9_000 < rows < 11_000


def test_training_code_that_learns_nothing_is_found(materials, runs, monkeypatch, tmp_path):
    monkeypatch.chdir(ROOT)
    (tmp_path / "forgetful.py").write_text(IGNORES_LABELS)
    changes = {**sound(SECOND, materials), "recipe": {"trainer": "forgetful:train"}, "behavior_suite": []}
    result = run(parameters_for(changes), runs, PIPELINE, modules=(tmp_path,))

    assert result.state is RunState.STOPPED, result.record.message
    assert result.verdict("check-training").status is Status.FAIL
    assert "check_training (fail)" in result.record.message


def test_a_normalization_that_forgets_history_never_reaches_the_branch(materials, runs, monkeypatch):
    monkeypatch.chdir(ROOT)
    planted = FAULTS["normalization"].plant(SECOND, materials)
    result = run(parameters_for(planted), runs, PIPELINE)

    assert result.state is RunState.STOPPED, result.record.message
    assert "stopped by check_features (fail)" in result.record.message
    assert "`income` was redefined" in result.record.message


def test_a_column_that_gives_the_label_away_stops_it_before_training(materials, runs, monkeypatch):
    monkeypatch.chdir(ROOT)
    planted = FAULTS["leak"].plant(SECOND, materials)
    result = run(parameters_for(planted), runs, PIPELINE)

    assert result.state is RunState.STOPPED
    assert result.task("train-model").state is TaskState.SKIPPED
    assert "stopped by check_integrity (fail)" in result.record.message
