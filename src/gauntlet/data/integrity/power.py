"""Does one column predict the label almost alone?

Every feature is used as the only one: on some folds the label's mean is learned for each of its quantile bins or
categories (a missing value is one of its own), on the fold left out it is judged by AUC, or R². A column that gives the
outcome away in any shape is found, upwards, downwards or in pieces; one that merely names rows is not, because what it
learned is about rows that the fold left out does not hold.

The cross-validated AUC and its variance are LeDell, Petersen and van der Laan's (2015, Electronic Journal of Statistics
9): the mean over folds, with the influence of every row on the AUC of its fold (DeLong, DeLong and Clarke-Pearson
1988), added up within clusters (Obuchowski 1997).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from gauntlet.stats.proportions import clopper_pearson

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
_PRIOR_ROWS = 1.0
"""Rows that the overall mean counts for in the mean of a bin: a category seen once is half believed."""


@dataclass(frozen=True)
class Outcome:
    """Labels and how rows are grouped, for n rows.

    Attributes:
        targets: (n, k) float: 0 or 1 for each of k classes that are predicted; regression: (n, 1) values.
        fold: (n,) the fold that holds each row.
        folds: how many.
        cluster: (n,) codes of clusters; ``None``: every row is one.
        regression: judge by R², not by AUC.
    """

    targets: Floats
    fold: Ints
    folds: int
    cluster: Ints | None
    regression: bool


@dataclass(frozen=True)
class Power:
    """How well one column predicts the label.

    Attributes:
        value: held-out AUC, of several classes the mean; regression: held-out R².
        interval: at the confidence asked for.
        error: standard error of the value.
        effective: rows that an AUC is worth as a share of pairs in order; ``None`` for R².
    """

    value: float
    interval: tuple[float, float]
    error: float
    effective: float | None


def power_of(codes: Ints, outcome: Outcome, alpha: float) -> Power:
    """How well a column of codes predicts the label.

    Args:
        codes: (n,) bin or category of each row, from 0.
        outcome: the label.
        alpha: 1 − confidence.
    """
    scores = _held_out_means(codes, outcome)
    measure = _r2 if outcome.regression else _auc
    values, influence = np.zeros(outcome.targets.shape[1]), np.zeros(len(codes))
    for column in range(outcome.targets.shape[1]):
        for fold in range(outcome.folds):
            held = outcome.fold == fold
            value, parts = measure(scores[held, column], outcome.targets[held, column])
            values[column] += value / outcome.folds
            influence[held] += parts / outcome.folds / len(values)
    value = float(values.mean())
    variance, units = _variance(influence, outcome)
    error = math.sqrt(variance)
    if outcome.regression:
        half = NormalDist().inv_cdf(1 - alpha / 2) * error
        return Power(value, (value - half, min(1.0, value + half)), error, None)
    effective = value * (1 - value) / variance + 1 if variance > 0 and 0 < value < 1 else units
    return Power(value, clopper_pearson(value * effective, effective, alpha), error, effective)


def quantile_codes(values: Floats, missing: NDArray[np.bool_], bins: int) -> Ints:
    """Bins of a number: cut at observed quantiles, so that a value held by many rows has a bin of its own.

    The cuts see no label, so they may see all rows.

    Args:
        values: (n,) what is there where ``missing`` is set does not matter.
        missing: (n,) which values are missing; their code is the last.
        bins: how many at most.
    """
    there = values[~missing]
    if not len(there):
        return np.zeros(len(values), dtype=np.int64)
    cuts = np.unique(np.quantile(there, np.linspace(0, 1, bins + 1)[:-1], method="lower"))
    codes = np.searchsorted(cuts, values, side="left").astype(np.int64)
    codes[missing] = len(cuts) + 1
    return codes


def category_codes(values: NDArray[np.uint64], missing: NDArray[np.bool_]) -> Ints:
    """Codes of categories, a missing value being one of them; see ``quantile_codes``."""
    _, codes = np.unique(values, return_inverse=True)
    codes = codes.astype(np.int64)
    codes[missing] = codes.max(initial=0) + 1
    return codes


def _held_out_means(codes: Ints, outcome: Outcome) -> Floats:
    """(n, k): the mean label of a row's bin in the other folds, drawn towards their overall mean."""
    width, folds = int(codes.max()) + 1, outcome.folds
    cell = codes * folds + outcome.fold
    counts = np.bincount(cell, minlength=width * folds).reshape(width, folds)
    others = counts.sum(axis=1, keepdims=True) - counts
    found = np.empty_like(outcome.targets)
    for column in range(found.shape[1]):
        target = outcome.targets[:, column]
        sums = np.bincount(cell, weights=target, minlength=width * folds).reshape(width, folds)
        rest = sums.sum(axis=1, keepdims=True) - sums
        prior = rest.sum(axis=0) / np.maximum(others.sum(axis=0), 1)
        found[:, column] = ((rest + _PRIOR_ROWS * prior) / (others + _PRIOR_ROWS))[codes, outcome.fold]
    return found


def _auc(scores: Floats, target: Floats) -> tuple[float, Floats]:
    """AUC with ties counted half, and the influence of every row on it."""
    levels, code = np.unique(scores, return_inverse=True)
    positive = target > 0.5
    ups = np.bincount(code[positive], minlength=len(levels)).astype(np.float64)
    downs = np.bincount(code[~positive], minlength=len(levels)).astype(np.float64)
    n_up, n_down = ups.sum(), downs.sum()
    if not n_up or not n_down:
        return 0.5, np.zeros(len(scores))
    below = (np.cumsum(downs) - downs / 2) / n_down
    above = 1 - (np.cumsum(ups) - ups / 2) / n_up
    value = float(ups @ below / n_up)
    placed = np.where(positive, below[code], above[code])
    return value, (placed - value) / np.where(positive, n_up, n_down)


def _r2(scores: Floats, target: Floats) -> tuple[float, Floats]:
    """1 − Σ(y − ŷ)² / Σ(y − ȳ)², and the influence of every row on it (delta method)."""
    error, spread = (target - scores) ** 2, (target - target.mean()) ** 2 if len(target) else np.zeros(0)
    total = float(spread.sum())
    if not total:
        return 0.0, np.zeros(len(scores))
    value = 1 - float(error.sum()) / total
    return value, -(error - (1 - value) * spread) / total


def _variance(influence: Floats, outcome: Outcome) -> tuple[float, float]:
    """Variance of the estimate, and the units behind it: rows or clusters of the rarest class."""
    rarest = float(min(outcome.targets.sum(axis=0).min(), (1 - outcome.targets).sum(axis=0).min()))
    rows = np.arange(len(influence)) if outcome.cluster is None else outcome.cluster
    sums, units = np.bincount(rows, weights=influence), float(len(np.unique(rows)))
    support = min(units, rarest) if not outcome.regression else units
    return float(sums @ sums) * support / max(support - 1, 1.0), support
