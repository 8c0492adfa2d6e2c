"""Detects monotone relations of two columns of numbers, and names well-known functions."""

from __future__ import annotations

import numpy as np

from gauntlet.features.line import EXPLAINED, Floats, fit_line

_MONOTONE = 0.9999
"""Not 1: rounding swaps neighbours."""
_ROWS_A_BIN = 3


def find_monotone(x: Floats, y: Floats, correlation: float) -> tuple[str, float, float] | None:
    """Find a monotone relation: (name or empty, share explained, residual); ``None`` if there is none."""
    named = _named(x, y)
    steps = np.diff(y[np.argsort(x, kind="stable")])
    rising, falling = float(np.mean(steps >= 0)), float(np.mean(steps <= 0))
    share = max(rising, falling)
    if named is not None:
        return named
    if max(abs(correlation), share) < _MONOTONE:
        return None
    if len(np.unique(y)) * _ROWS_A_BIN <= len(np.unique(x)):
        return f"binned into {len(np.unique(y))} values", share, 0.0
    return "", share, 0.0


def _named(x: Floats, y: Floats) -> tuple[str, float, float] | None:
    """Find the best of a few well-known functions f with y = a·f(x) + b; ``None`` if none fits."""
    candidates: list[tuple[str, float, float]] = []
    for name, transformed in _functions(x):
        if not np.isfinite(transformed).all() or np.ptp(transformed) == 0:
            continue
        line = fit_line(transformed, y, np.random.default_rng(0))
        if line.explained >= EXPLAINED:
            candidates.append((name, line.explained, line.residual))
    return min(candidates, key=lambda candidate: candidate[2], default=None)


def _functions(x: Floats) -> list[tuple[str, Floats]]:
    known: list[tuple[str, Floats]] = []
    if x.min() > 0:
        known += [("log", np.log(x)), ("reciprocal", 1 / x)]
    if x.min() > -1:
        known.append(("log(1 + x)", np.log1p(x)))
    if x.min() >= 0:
        known += [("square root", np.sqrt(x)), ("square", x * x)]
    if np.abs(x).max() < 50:  # beyond, all but the largest values of exp(x) are one point on its scale
        known.append(("exponential", np.exp(x)))
    return [*known, ("rank", ranks(x))]


def spearman(x: Floats, y: Floats) -> float:
    """Spearman's rank correlation of two columns, neither of them constant."""
    first, second = ranks(x), ranks(y)
    first, second = first - first.mean(), second - second.mean()
    return float(first @ second / np.sqrt((first @ first) * (second @ second)))


def ranks(values: Floats) -> Floats:
    """Ranks from 1; ties have their mean rank."""
    _, codes, counts = np.unique(values, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    return np.asarray((ends - (counts - 1) / 2)[codes], dtype=np.float64)
