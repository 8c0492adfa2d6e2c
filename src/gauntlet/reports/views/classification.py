"""Part of the performance page about classes: precision and recall of each, what is taken for what, calibration."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gauntlet.evaluation import curves
from gauntlet.evaluation.per_class import PerClass, calibration_by_class, per_class
from gauntlet.evaluation.sample import Floats, Sample
from gauntlet.reports.format import count, interval, percent
from gauntlet.reports.plots import CalibrationBin

MOST_DRAWN = 20
"""Classes in the matrix; further ones, the rarest, are drawn as one."""
_MOST_CONFUSIONS = 8
_MOST_CALIBRATIONS = 12

Calibration = tuple[CalibrationBin, ...]


@dataclass(frozen=True)
class Classification:
    """Content of the part.

    Attributes:
        table: class, rows, recall, its interval, precision, its interval, written out; the most frequent class first.
        names: classes in the matrix.
        matrix: actual by decided class, summed weights.
        folded: number of classes that the matrix draws as one.
        confusions: actual class, decided class, rows, share of the actual class: the most frequent mistakes.
        calibrations: (class, its curve); for a multiclass model, the most frequent classes.
        not_calibrated: number of classes without a curve.
    """

    table: tuple[tuple[str, ...], ...]
    names: tuple[str, ...]
    matrix: tuple[tuple[float, ...], ...]
    folded: int
    confusions: tuple[tuple[str, str, str, str], ...]
    calibrations: tuple[tuple[str, Calibration], ...] = ()
    not_calibrated: int = 0


def classification(sample: Sample, classes: Sequence[str]) -> Classification:
    """Make the part for a classifier's predictions."""
    found = per_class(sample)
    table = curves.confusion(sample)
    by_size = np.argsort(-found.actual, kind="stable")
    names, matrix = _folded(table, classes, by_size)
    calibrations: tuple[tuple[str, Calibration], ...] = ()
    if sample.task == "multiclass":
        drawn = [int(index) for index in by_size[:_MOST_CALIBRATIONS]]
        every = calibration_by_class(sample)
        calibrations = tuple((classes[index], calibration_bins(every[index])) for index in drawn)
    return Classification(
        table=tuple(_row(found, int(index), classes) for index in by_size),
        names=names,
        matrix=tuple(tuple(row) for row in matrix.tolist()),
        folded=max(0, len(classes) - MOST_DRAWN + 1) if len(classes) > MOST_DRAWN else 0,
        confusions=_confusions(table, classes),
        calibrations=calibrations,
        not_calibrated=len(classes) - len(calibrations) if calibrations else 0,
    )


def calibration_bins(binned: curves.Binned) -> Calibration:
    """A calibration curve as its plot takes it."""
    columns = (binned.predicted, binned.observed, binned.low, binned.high, binned.rows)
    return tuple(
        CalibrationBin(float(predicted), float(observed), float(low), float(high), int(rows))
        for predicted, observed, low, high, rows in zip(*columns, strict=True)
    )


def _row(found: PerClass, index: int, classes: Sequence[str]) -> tuple[str, ...]:
    def share(values: Floats, ends: Floats | None) -> tuple[str, str]:
        known = bool(np.isfinite(values[index]))
        around = None if ends is None or not known else (float(ends[0, index]), float(ends[1, index]))
        return percent(values[index]), interval(around, unit="%")

    recall, precision = share(found.recall, found.recall_ends), share(found.precision, found.precision_ends)
    return (classes[index], count(found.actual[index]), *recall, *precision)


def _folded(table: Floats, classes: Sequence[str], by_size: np.ndarray) -> tuple[tuple[str, ...], Floats]:
    """The matrix, with the rarest of many classes as one."""
    k = len(classes)
    if k <= MOST_DRAWN:
        return tuple(classes), table
    kept = np.sort(by_size[: MOST_DRAWN - 1])
    place = np.full(k, len(kept))
    place[kept] = np.arange(len(kept))
    folded = np.zeros((MOST_DRAWN, MOST_DRAWN))
    np.add.at(folded, (place[:, None], place[None, :]), table)
    return (*(classes[index] for index in kept), f"{k - len(kept)} others"), folded


def _confusions(table: Floats, classes: Sequence[str]) -> tuple[tuple[str, str, str, str], ...]:
    wrong = table - np.diag(table.diagonal())
    totals = table.sum(axis=1)
    largest = np.argsort(-wrong, axis=None, kind="stable")[:_MOST_CONFUSIONS]
    pairs = [divmod(int(place), len(classes)) for place in largest]
    return tuple(
        (
            classes[actual],
            classes[decided],
            count(wrong[actual, decided]),
            percent(wrong[actual, decided] / totals[actual]),
        )
        for actual, decided in pairs
        if wrong[actual, decided] > 0
    )
