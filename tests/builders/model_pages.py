"""The pages of the gates that train models, as they look on made-up loans."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from builders.loans import loans
from builders.predictions import scored
from builders.stability import reruns
from gauntlet.prediction.truth import Truth
from gauntlet.reports.views.stability import stability_page
from gauntlet.reports.views.training_check import training_check_page
from gauntlet.settings import parse
from gauntlet.stability.gate import judge_stability, not_asked
from gauntlet.stability.policy import StabilityPolicy
from gauntlet.training.target import Target
from gauntlet.training_check.evidence import Batch, Evidence, Held, Saved
from gauntlet.training_check.gate import judge_training
from gauntlet.training_check.policy import TrainingPolicy

Page = tuple[str, list[str]]


def _stability() -> Page:
    data = loans(3000)
    seeds = [data.scores(i, noise=0.25) for i in range(6)]
    draws = [data.scores(20 + i, noise=0.45) for i in range(6)]
    policy = parse(
        StabilityPolicy, {"max_seed_sd": {"auc": 0.0001, "log_loss": 0.02}, "max_flips": 0.08}, field="policy"
    )
    result = judge_stability(
        reruns(data.label, seeds, resamples=draws),
        policy,
        challenger=scored(data.label, seeds[0]),
        champion=scored(data.label, data.scores(40, noise=0.8)),
    )
    return stability_page(result), ["What moves each metric", "Another draw adds", "Candidate − champion"]


def _unmeasured() -> Page:
    return stability_page(not_asked(0, parse(StabilityPolicy, {}, field="policy"))), ["No re-trainings were asked for"]


def evidence(*, sound: bool) -> Evidence:
    """What a training check of a binary model might have seen."""
    data = loans(2500)
    held = Held(Truth(data.label, None, None), data.scores(1, noise=0.5 if sound else 8.0))
    rng = np.random.default_rng(3)
    labels = rng.permutation(data.label)
    known = 0.5 + 0.3 * (labels - 0.5) * (0 if sound else 1) + 0.1 * rng.normal(size=len(labels))
    tiny = np.tile([0.0, 1.0], 32)
    rounds = np.arange(1, 101)
    curve = 0.2 + 0.5 / rounds if sound else 0.2 + 0.5 / rounds + (rounds / 60.0) ** 4
    return Evidence(
        target=Target("repaid", "binary", ("no", "yes")),
        custom=False,
        rows={"train": 12_000, "validation": 3_000, "test": 2_500},
        model=held,
        learned=held,
        curve={"train": tuple(curve), "validation": tuple(0.25 + 0.45 / rounds + rounds / 2000)},
        watched="logloss",
        again=held.scores if sound else data.scores(2, noise=0.5),
        batch=Batch(tiny, np.where(tiny == 1, 0.999, 0.001) if sound else np.full(64, 0.5), tuple(0.7 / rounds)),
        saved=Saved(
            {"as batch scoring asks it": (0.0, 2500), "one row at a time": (0.0 if sound else 0.31, 20)},
        ),
        shuffled=Held(Truth(labels, None, None), np.clip(known, 0, 1)),
    )


def _training_check(*, sound: bool) -> Page:
    policy = parse(TrainingPolicy, {"floor": {"auc": {"min": 0.7}}}, field="policy")
    words = ["How learning went", "Shuffled labels", "one row at a time"]
    return training_check_page(judge_training(evidence(sound=sound), policy)), words


MODEL_PAGES: dict[str, Callable[[], Page]] = {
    "stability": _stability,
    "stability-unmeasured": _unmeasured,
    "training_check": lambda: _training_check(sound=True),
    "training_check-failed": lambda: _training_check(sound=False),
}
