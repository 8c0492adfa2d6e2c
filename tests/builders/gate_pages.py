"""The pages of training and of the evaluation gates, as their components write them on made-up loans."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from builders.gates import run_gate
from builders.loans import loans
from builders.predictions import write_predictions
from gauntlet.reports.page import render
from gauntlet.reports.plots import Series
from gauntlet.reports.views.training import FeatureRow, MetricRow, TrainingView

Page = tuple[str, list[str]]

_SLICES = {
    "columns": ["sex", "race"],
    "crossings": [["sex", "race"]],
    "bins": {"age": [30.0, 60.0]},
    "fairness": {"demographic_parity": {"max_gap": 0.1, "min_ratio": 0.8}, "equal_opportunity": {"max_gap": 0.1}},
    "performance": {"auc": {"max_gap": 0.05}},
}
_CHAMPION = {"primary": {"metric": "auc", "margin": 0.005}, "slices": {"columns": ["sex", "race"]}}
_MODEL = {"metrics": {"auc": {"min": 0.7}, "log_loss": {"max": 0.45}, "accuracy": {"min": 0.9}}}


def _gate(name: str, policy: Mapping[str, Any], words: list[str], *inputs: str) -> Page:
    data = loans(6000)
    unfair = -0.8 * (data.slices["sex"] == "Female")
    with tempfile.TemporaryDirectory() as folder:
        paths = {
            given: write_predictions(Path(folder) / given, data.label, data.scores(i, shift=unfair), slices=data.slices)
            for i, given in enumerate(inputs)
        }
        return run_gate(name, Path(folder), dict(policy), **paths).page, words


def _training() -> Page:
    names = ["income", "loan_amount", "months_since_the_last_missed_payment_of_any_kind", "purpose", "age"]
    rounds = range(1, 301)
    view = TrainingView(
        task="binary",
        label="repaid",
        classes=("no", "yes"),
        rows={"train": 27678, "validation": 4883},
        device="cpu",
        reason="auto: the installed XGBoost was built without CUDA",
        rounds=109,
        most_rounds=300,
        seeds=(0, 1, 2),
        metrics=(
            MetricRow("auc", 0.9289, 0.9286, 0.9289, 0.00019),
            MetricRow("log_loss", 0.2784, 0.2784, 0.2789, 0.0003),
        ),
        curve=(
            Series("train", rounds, [0.2 + 0.5 / i for i in rounds]),
            Series("validation", rounds, [0.28 + 0.5 / i for i in rounds]),
        ),
        watched="logloss",
        features=tuple(FeatureRow(name, "number", None, 0.2) for name in names),
        important=tuple((name, 0.2) for name in names),
        notes=("purpose: 3 categories occur once and were read as missing",),
        parameters={"max_depth": "6", "eta": "0.1"},
        digests={"model": "sha256:" + "b" * 64},
    )
    return render("training.html.j2", title="Training", view=view), ["boosting round", "of at most 300"]


GATE_PAGES: dict[str, Callable[[], Page]] = {
    "champion": lambda: _gate("compare_champion", _CHAMPION, ["Slice by slice"], "challenger", "champion"),
    "performance": lambda: _gate("evaluate_performance", _MODEL, ["ROC curve", "Calibration"], "predictions"),
    "slices": lambda: _gate("evaluate_slices", _SLICES, ["Every slice", "sex=Female"], "predictions"),
    "training": _training,
}
