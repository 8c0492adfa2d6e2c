"""Diagnoses how a feature changed, from pairs of its stored and its recomputed value.

Relations are tested from the simplest on, and the first that holds is named:

1. a line, new = a·stored + b: a change of unit (b = 0), a shift (a = 1), a changed sign, else a normalization;
2. a map between few values: relabelled, one to one or many to one;
3. a rising or falling function: a monotone re-encoding, named where it is a logarithm, a root, a rank, …;
4. none of these: the feature means something else.

A line is fitted through distinct pairs, so that a value most rows share has no more say than another: slopes of random
pairs of points give the start (Theil 1950, Sen 1968), least squares on the points near that line the end. It holds when
it explains ``EXPLAINED`` of the pairs to within ``CLOSE`` standard deviations of the new values.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from gauntlet.features.line import CLOSE, EXPLAINED, Floats, Line, fit_line
from gauntlet.features.monotone import find_monotone, spearman

_FEW_VALUES = 100
_MOST_CATEGORIES = 1_000
_LARGEST = 1e150
"""Squares of larger numbers come near the largest double."""
_ROWS_A_VALUE = 3
"""With fewer rows a value, any two columns of texts are a map from one to the other."""
_PURE = 0.99
"""Share of the rows that have to follow a map between values."""
_SAME = 1e-3
"""A slope this close to one, or an intercept this small beside the spread, is one, or none."""
_NAMED_BETTER = 0.1
"""A curve has to leave this share of what the line leaves: it is more flexible, so being as good is no evidence."""
_FEWEST = 3
"""Any two points lie on a line."""


class Kind(StrEnum):
    """Relation of new to stored values."""

    NORMALIZATION = "normalization change"
    UNIT = "unit change"
    SHIFT = "shift"
    SIGN = "sign flip"
    NOISE = "numeric noise"
    RELABELLED = "relabelled categories"
    MONOTONE = "monotone re-encoding"
    CONSTANT = "constant"
    MISSING = "missing-value policy"
    DIFFERENT = "different meaning"
    UNDECIDED = "too few values to tell"


@dataclass(frozen=True)
class Diagnosis:
    """Relation found between stored and new values of a feature.

    Attributes:
        kind: the relation.
        slope, intercept: of the line new = slope·stored + intercept, where one was fitted.
        residual: 95th percentile of the absolute residuals, in standard deviations of the new values.
        explained: share of the pairs that the relation explains, in [0, 1].
        rank_correlation: Spearman's, where both sides are numbers.
        function: the name of a monotone function that fits: ``log``, ``rank``, ``binned``…; else empty.
        mapping: for relabelled values: (stored, new) as text, most frequent first.
        pairs: number of pairs it rests on.
        scaled: of the line: ``(centre, scale, what they are)`` where stored statistics say which scaling it is.
    """

    kind: Kind
    slope: float | None = None
    intercept: float | None = None
    residual: float | None = None
    explained: float = 0.0
    rank_correlation: float | None = None
    function: str = ""
    mapping: tuple[tuple[str, str], ...] = ()
    pairs: int = 0
    scaled: str = ""


def diagnose_numbers(
    stored: Floats, new: Floats, *, codes: bool = False, seed: int = 0, close: float = CLOSE
) -> Diagnosis:
    """Name the relation between two columns of numbers.

    Args:
        stored, new: (n,) values of the same rows; rows where either is missing or beyond 1e150 are left out.
        codes: the stored values are whole numbers, which may be codes.
        seed: of the pairs of points that slopes are taken from.
        close: how near the line a pair has to be, in standard deviations of the new values.

    >>> income = np.arange(900.0, 3000.0, 7.0)
    >>> diagnosis = diagnose_numbers(income, income / 1000)
    >>> diagnosis.kind.value, round(diagnosis.slope, 6)
    ('unit change', 0.001)
    >>> diagnosis = diagnose_numbers(income, np.log(income))
    >>> diagnosis.kind.value, diagnosis.function
    ('monotone re-encoding', 'log')
    """
    usable = (np.abs(stored) < _LARGEST) & (np.abs(new) < _LARGEST)  # false for NaN
    x, y = stored[usable], new[usable]
    if len(x) < _FEWEST:
        return Diagnosis(Kind.UNDECIDED, pairs=len(x))
    points = np.unique(np.column_stack([x, y]), axis=0)
    constant = _constant(points, len(x))
    if constant is not None:
        return constant
    u, v = points[:, 0], points[:, 1]
    correlation = spearman(u, v)
    line = fit_line(u, v, np.random.default_rng(seed), close)
    distinct = len(np.unique(u))
    few = distinct <= _FEW_VALUES and len(x) >= _ROWS_A_VALUE * distinct
    relabelled = _relabelled(_texts(x), _texts(y)) if few and (codes or distinct == 2) else None
    if distinct == 2 and relabelled is not None:  # any two points lie on a line: it tells nothing
        return _with(relabelled, line, correlation, len(x))
    monotone = find_monotone(u, v, correlation)
    if line.explained >= EXPLAINED and not _beats(monotone, line):
        return _linear(line, x, correlation, len(x))
    if relabelled is not None:
        return _with(relabelled, line, correlation, len(x))
    if monotone is not None:
        return Diagnosis(Kind.MONOTONE, None, None, None, monotone[1], correlation, monotone[0], pairs=len(x))
    return Diagnosis(
        Kind.DIFFERENT, line.slope, line.intercept, line.residual, line.explained, correlation, pairs=len(x)
    )


def diagnose_texts(stored: Sequence[str], new: Sequence[str]) -> Diagnosis:
    """Name the relation between two columns of categories.

    Args:
        stored, new: (n,) values of the same rows, none missing.
    """
    if len(stored) < _FEWEST:
        return Diagnosis(Kind.UNDECIDED, pairs=len(stored))
    x, y = np.asarray(stored, dtype=object), np.asarray(new, dtype=object)
    mapping = _relabelled(x, y)
    if mapping is None:
        return Diagnosis(Kind.DIFFERENT, pairs=len(x))
    if len(set(y)) == 1 and len(set(x)) > 1:
        return Diagnosis(Kind.CONSTANT, mapping=mapping.mapping, explained=1.0, pairs=len(x))
    return _with(mapping, None, None, len(x))


def _linear(line: Line, x: Floats, correlation: float, pairs: int) -> Diagnosis:
    a, b = line.slope, line.intercept
    small = abs(b) <= _SAME * line.spread
    if abs(a - 1) <= _SAME:
        kind = Kind.NOISE if small else Kind.SHIFT
    elif abs(a + 1) <= _SAME and small:
        kind = Kind.SIGN
    else:
        kind = Kind.UNIT if small else Kind.NORMALIZATION
    scaled = _scaling(a, b, x) if kind in (Kind.NORMALIZATION, Kind.UNIT) else ""
    if scaled:
        kind = Kind.NORMALIZATION
    return Diagnosis(kind, a, b, line.residual, line.explained, correlation, pairs=pairs, scaled=scaled)


def _scaling(a: float, b: float, x: Floats) -> str:
    """Name the statistics of the stored values that centre and scale the line (x - centre) / scale; else empty."""
    if a <= 0:
        return ""
    centre, scale = -b / a, 1 / a
    low, high = float(np.min(x)), float(np.max(x))
    quarters = np.quantile(x, [0.25, 0.5, 0.75])
    candidates = (
        ("mean and standard deviation", float(np.mean(x)), float(np.std(x))),
        ("smallest value and range", low, high - low),
        ("median and interquartile range", float(quarters[1]), float(quarters[2] - quarters[0])),
    )
    for words, middle, width in candidates:
        if width > 0 and abs(centre - middle) <= 0.1 * width and abs(scale / width - 1) <= 0.1:
            return words
    return ""


def _constant(points: Floats, pairs: int) -> Diagnosis | None:
    """Diagnose columns of which at least one is constant."""
    stored, new = len(np.unique(points[:, 0])), len(np.unique(points[:, 1]))
    if new == 1:
        mapping = ((_text(points[0, 0]) if stored == 1 else "any value", _text(points[0, 1])),)
        return Diagnosis(Kind.CONSTANT, explained=1.0, mapping=mapping, pairs=pairs)
    if stored == 1:
        return Diagnosis(Kind.DIFFERENT, mapping=((_text(points[0, 0]), "several values"),), pairs=pairs)
    return None


def _relabelled(x: NDArray[np.object_], y: NDArray[np.object_]) -> Diagnosis | None:
    """Map stored to new values, if nearly all rows follow one map and there are enough rows to estimate it."""
    stored, codes = np.unique(x.astype(str), return_inverse=True)
    new, targets = np.unique(y.astype(str), return_inverse=True)
    if max(len(stored), len(new)) > _MOST_CATEGORIES or len(x) < _ROWS_A_VALUE * len(stored):
        return None
    counts = np.zeros((len(stored), len(new)), dtype=np.int64)
    np.add.at(counts, (codes, targets), 1)
    explained = float(counts.max(axis=1).sum() / len(x))
    if explained < _PURE:
        return None
    return Diagnosis(Kind.RELABELLED, explained=explained, mapping=_mapping(stored, new, counts.argmax(axis=1), counts))


def _mapping(
    stored: NDArray[np.str_], new: NDArray[np.str_], best: NDArray[np.intp], counts: NDArray[np.int64]
) -> tuple[tuple[str, str], ...]:
    order = np.argsort(-counts.sum(axis=1), kind="stable")
    return tuple((str(stored[i]), str(new[best[i]])) for i in order)


def _with(relation: Diagnosis, line: Line | None, correlation: float | None, pairs: int) -> Diagnosis:
    sources, targets = {old for old, _ in relation.mapping}, {to for _, to in relation.mapping}
    return Diagnosis(
        relation.kind,
        line.slope if line else None,
        line.intercept if line else None,
        line.residual if line else None,
        relation.explained,
        correlation,
        "one to one" if len(sources) == len(targets) else "many to one",
        relation.mapping,
        pairs,
    )


def _beats(monotone: tuple[str, float, float] | None, line: Line) -> bool:
    """Whether a named function fits clearly better than a line, as on a short range of a logarithm."""
    if monotone is None or not monotone[0] or line.residual <= 1e-4:
        return False
    return monotone[2] < _NAMED_BETTER * line.residual and not monotone[0].startswith("binned")


def _texts(values: Floats) -> NDArray[np.object_]:
    return np.asarray([_text(value) for value in values], dtype=object)


def _text(value: float) -> str:
    return f"{value:.12g}"
