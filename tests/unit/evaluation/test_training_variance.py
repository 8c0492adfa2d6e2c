from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from builders.loans import loans
from builders.predictions import scored
from builders.spreads import stability
from gauntlet.errors import DataError
from gauntlet.evaluation.comparison import compare
from gauntlet.evaluation.policies import ChampionPolicy
from gauntlet.evaluation.training_variance import Component, MetricVariance, TrainingVariance, read_if_there
from gauntlet.settings import parse
from gauntlet.storage import write_absent
from gauntlet.verdict import Status

ORDER = [Status.PASS, Status.INCONCLUSIVE, Status.FAIL, Status.ERROR]


def test_it_reads_what_it_wrote(tmp_path: Path) -> None:
    part = Component(0.01, 4, (0.005, 0.03))
    found = TrainingVariance(
        "sha256:s",
        "test",
        "binary",
        "sha256:m",
        "sha256:r",
        0.5,
        5,
        4,
        {"auc": MetricVariance(0.8, part, part, part, 0.02)},
    )
    found.write(tmp_path / "stability")
    assert TrainingVariance.read(tmp_path / "stability") == found
    assert json.loads((tmp_path / "stability").read_text())["format"] == "gauntlet.stability/1"
    bare = TrainingVariance("s", "test", "regression", "", "r", 0.5, 2, 0, {"rmse": MetricVariance(3.0, part)})
    bare.write(tmp_path / "bare")
    assert TrainingVariance.read(tmp_path / "bare") == bare


@pytest.mark.parametrize("text", ["", "{}", '{"format": "gauntlet.stability/2"}', '{"format": "gauntlet.stability/1"}'])
def test_something_else_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "stability").write_text(text)
    with pytest.raises(DataError, match="is not what measure_stability writes"):
        TrainingVariance.read(tmp_path / "stability")


def test_what_is_not_connected_or_absent_is_none(tmp_path: Path) -> None:
    assert read_if_there(None) is None
    write_absent(tmp_path / "stability", "No re-trainings were asked for.")
    assert read_if_there(tmp_path / "stability") is None


def test_a_cap_is_broken_by_what_was_found_and_not_by_what_may_be() -> None:
    found = stability({"auc": 0.004, "log_loss": 0.02}, caps={"auc": 0.005, "log_loss": 0.01})
    assert found.broken_caps == {"log_loss": 0.01}
    assert found.seed_spread["auc"].seeds == 5


@pytest.mark.parametrize("demands", [{}, {"require_improvement": True}, {"guardrails": {"log_loss": {"margin": 0.01}}}])
@pytest.mark.parametrize("noises", [(0.3, 0.8), (0.5, 0.52), (0.5, 0.5), (0.55, 0.5), (0.8, 0.5), (1.5, 0.5)])
def test_a_noisier_challenger_never_gets_a_better_verdict(noises: tuple[float, float], demands: dict) -> None:
    """Better, as good and worse challengers, each with a seed that moves more and more: no check ever gets better."""
    data = loans(2000)
    slices = {"sex": data.slices["sex"], "race": data.slices["race"]}
    challenger, champion = (
        scored(data.label, data.scores(i, noise=noise), slices=slices) for i, noise in enumerate(noises)
    )
    policy = parse(ChampionPolicy, {"primary": {"metric": "auc", "margin": 0.01}, **demands}, field="policy")
    before: dict[str, int] = {}
    for deviation in (0.0, *np.geomspace(0.0005, 0.5, 7)):
        spread = stability({"auc": float(deviation), "log_loss": float(deviation)}, caps={"auc": 0.003})
        verdict = compare(challenger, champion, policy, spread).verdict
        now = {check.name: ORDER.index(check.status) for check in verdict.checks}
        assert all(now[name] >= before[name] for name in before), (deviation, verdict.summary)
        before = now
    assert verdict.status is not Status.PASS, "a seed that moves the metric by half of everything leaves nothing shown"
