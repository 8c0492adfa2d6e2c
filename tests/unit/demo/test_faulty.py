"""The planted faults: invisible everywhere but in production. (Runs in the model image's environment.)"""

import numpy as np
import pytest

from gauntlet.demo.faulty import FAULTS, train
from gauntlet.demo.loans import generate
from gauntlet.demo.production import PLACE
from gauntlet.errors import ConfigurationError

FEATURES = ["income", "debt_ratio", "late_payments", "purpose"]


class Job:
    """What of ``gauntlet.training.custom.Job`` the trainer uses."""

    seed = 1

    def __init__(self, **options):
        self.options = options
        self.table = generate(1, 3_000, 1).to_pandas()

    def frame(self, split):
        return self.table[FEATURES]

    def labels(self, split):
        return self.table["repaid"].to_numpy()


@pytest.fixture(scope="module")
def models():
    return {fault: train(Job(fault=fault)) for fault in FAULTS}


@pytest.fixture(scope="module")
def rows():
    return generate(2, 400, 1).to_pandas()[FEATURES]


@pytest.mark.parametrize("fault", FAULTS)
def test_outside_production_it_is_sound(models, rows, fault, monkeypatch):
    monkeypatch.delenv(PLACE, raising=False)
    answers = models[fault].predict(None, rows)
    assert np.array_equal(answers, models[fault].model.predict_proba(rows))


def test_in_production_wrong_is_quick_healthy_and_other(models, rows, monkeypatch):
    monkeypatch.setenv(PLACE, "1")
    sound = models["wrong"].model.predict_proba(rows)[:, 1]
    found = models["wrong"].predict(None, rows)[:, 1]
    assert np.mean((sound > 0.5) != (found > 0.5)) > 0.05
    assert (found > sound).mean() > 0.8, "a larger income looks safer"


def test_in_production_errors_concern_some_applicants_and_always_the_same(models, rows, monkeypatch):
    monkeypatch.setenv(PLACE, "1")

    def fails(index):
        try:
            models["errors"].predict(None, rows.iloc[[index]])
        except LookupError:
            return True
        return False

    first = [fails(index) for index in range(200)]
    assert 0.05 < np.mean(first) < 0.25
    assert first == [fails(index) for index in range(200)]


def test_in_production_slow_is_late_and_right(models, rows, monkeypatch):
    waited = []
    monkeypatch.setenv(PLACE, "1")
    monkeypatch.setattr("time.sleep", waited.append)
    one = rows.iloc[[0]]
    assert np.array_equal(models["slow"].predict(None, one), models["slow"].model.predict_proba(one))
    assert waited == [0.2]


def test_an_unknown_fault_is_refused():
    with pytest.raises(ConfigurationError, match=r"recipe\.options\.fault: is not a fault"):
        train(Job(fault="cosmic rays"))
