"""Simulated trials: applications in twenty slices that mean nothing, models of equal skill, and Monte-Carlo bounds."""

from __future__ import annotations

import math

import numpy as np

from builders.predictions import scored
from gauntlet.evaluation.inputs import Scored


def at_most(share: float, trials: int) -> float:
    """The largest share of trials that a true share of ``share`` explains, at two Monte-Carlo standard errors."""
    return share + 2 * math.sqrt(share * (1 - share) / trials)


def at_least(share: float, trials: int) -> float:
    """The smallest such share."""
    return share - 2 * math.sqrt(share * (1 - share) / trials)


def applications(rng: np.random.Generator, rows: int) -> tuple[np.ndarray, np.ndarray, dict[str, np.ndarray]]:
    """Labels, true log-odds, and four columns that make twenty slices and mean nothing."""
    logit = 1.5 * rng.normal(size=rows) - 0.5
    label = (rng.random(rows) < 1 / (1 + np.exp(-logit))).astype(float)
    shares = [0.4, 0.25, 0.15, 0.12, 0.08]
    slices = {name: rng.choice(list("abcde"), rows, p=shares) for name in ("sex", "race", "region", "age")}
    return label, logit, slices


def model(rng: np.random.Generator, logit: np.ndarray, noise: float = 0.7) -> np.ndarray:
    """A model's probabilities: every model of this kind is as good as any other."""
    return 1 / (1 + np.exp(-(logit + noise * rng.normal(size=len(logit)))))


def exchangeable(rng: np.random.Generator, rows: int, *, sliced: bool = True) -> tuple[Scored, Scored]:
    """Two models that differ by luck alone, on the same rows."""
    label, logit, slices = applications(rng, rows)
    chosen = slices if sliced else {}
    return scored(label, model(rng, logit), slices=chosen), scored(label, model(rng, logit), slices=chosen)
