"""Decisions on people, made up: labels, scores and groups with faults planted where a test wants them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Loans:
    """Applications with the truth about each.

    Attributes:
        label: (n,) 0 or 1.
        logit: (n,) the true log-odds.
        slices: sex, race and age of each.
    """

    label: np.ndarray
    logit: np.ndarray
    slices: dict[str, np.ndarray]

    def scores(self, seed: int, noise: float | np.ndarray = 0.5, shift: float | np.ndarray = 0.0) -> np.ndarray:
        """(n,) probabilities of a model that sees the log-odds with ``noise``, moved by ``shift``."""
        rng = np.random.default_rng(seed)
        return 1 / (1 + np.exp(-(self.logit + shift + noise * rng.normal(size=len(self.logit)))))


def loans(rows: int = 6000, *, seed: int = 11, rare: int = 0) -> Loans:
    """Applications in which no group differs from another; ``rare``: rows of a race that hardly occurs."""
    rng = np.random.default_rng(seed)
    logit = 1.8 * rng.normal(size=rows) - 0.8
    race = rng.choice(["White", "Black", "Asian"], rows, p=[0.7, 0.18, 0.12]).astype(object)
    race[:rare] = "Other"
    return Loans(
        label=(rng.random(rows) < 1 / (1 + np.exp(-logit))).astype(float),
        logit=logit,
        slices={
            "sex": rng.choice(["Male", "Female"], rows, p=[0.6, 0.4]),
            "race": race,
            "age": rng.integers(18, 90, rows),
        },
    )
