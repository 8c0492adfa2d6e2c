"""Counts of the scores a model answers, so that a canary's answers can be held against stable's.

A score is the probability of the positive class, or the number a regression gives. They are counted by edges (how many
were at most 0.31), for all rows and for the groups of chosen columns. A model of more than two classes has no one
score, and nothing is counted of it; nor of a model that answers words.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from itertools import accumulate, pairwise
from threading import Lock
from typing import Any

import numpy as np

from gauntlet.errors import ConfigurationError
from gauntlet.serving.answer import Answer
from gauntlet.serving.contract import Rows
from gauntlet.serving.direct import DirectModel, category
from gauntlet.serving.loading import ServedModel

PROBABILITY_EDGES = tuple(number / 100 for number in range(1, 100))
"""Edges for classifiers: fine enough to hold the deciles of any two models apart."""
MOST_EDGES = 200
MOST_COLUMNS = 4
MOST_VALUES = 20
"""Values of a slice column that are told apart; what a model knows beyond them is ``(other)``."""

OTHER, MISSING = "(other)", "(missing)"


class ScoreCounts:
    """Scores so far, by edge and by slice. Any thread may add.

    Args:
        edges: upper bounds, ascending.
        slices: column → its values that are told apart, as text. No other value ever becomes a name.
        positive: the output column that is the score where there are two and one has this name; else the second.
    """

    def __init__(
        self, edges: Sequence[float], slices: Mapping[str, Sequence[str]] | None = None, positive: str = ""
    ) -> None:
        self.edges = tuple(edges)
        self._array = np.array(self.edges)
        self._positive = positive
        self._lock = Lock()
        self._bins = [0] * (len(self.edges) + 1)
        self._slices: dict[str, list[int]] = {}
        self._tables = {column: self._table(column, values) for column, values in (slices or {}).items()}

    def add(self, rows: Rows, answer: Answer) -> None:
        """Count the scores of rows that were answered."""
        scores = self._scores(answer)
        if scores is None:
            return
        if len(scores) == 1:
            bins = [bisect_left(self.edges, float(scores[0]))]
        else:
            bins = self._array.searchsorted(scores, side="left").tolist()
        with self._lock:
            for one in bins:
                self._bins[one] += 1
            for column, table in self._tables.items():
                other = table[OTHER]
                for one, value in zip(bins, rows.columns[column], strict=True):
                    table.get(_text(value), other)[one] += 1

    def totals(self) -> list[int]:
        """Scores at most at each edge, and all of them: cumulative, ``len(edges) + 1`` numbers."""
        with self._lock:
            return list(accumulate(self._bins))

    def by_slice(self) -> dict[str, list[int]]:
        """``totals`` by slice (``region=north``)."""
        with self._lock:
            return {name: list(accumulate(bins)) for name, bins in self._slices.items()}

    def _table(self, column: str, values: Sequence[str]) -> dict[str, list[int]]:
        names = [*values[:MOST_VALUES], OTHER, MISSING]
        table = {name: [0] * (len(self.edges) + 1) for name in names}
        self._slices |= {f"{column}={name}": bins for name, bins in table.items()}
        return table

    def _scores(self, answer: Answer) -> np.ndarray | None:
        if len(answer.columns) > 2:
            return None
        place = answer.names.index(self._positive) if self._positive in answer.names else -1
        column = answer.columns[place]
        return column if column.dtype.kind in "fiu" else None


def score_counts(
    model: ServedModel, edges: Sequence[float] = (), slice_columns: Sequence[str] = ()
) -> ScoreCounts | None:
    """What is to be counted of a model's answers.

    Args:
        model: the model.
        edges: upper bounds; none given means hundredths for a binary classifier, and nothing for anything else.
        slice_columns: inputs whose groups are counted on their own.

    Returns:
        The counts, at zero; ``None`` where there is nothing to count.

    Raises:
        ConfigurationError: edges that do not ascend or are too many; edges or slices of a model without one score; a
            slice column that is no input, or whose values the model does not know.
    """
    task = str(model.facts.get("task", ""))
    asked = bool(edges or slice_columns)
    if task == "multiclass" and asked:
        raise ConfigurationError(
            "a model of more than two classes has no one score to count",
            field="score_edges" if edges else "slice_columns",
            mend="Leave it out",
        )
    chosen = tuple(edges) or (PROBABILITY_EDGES if task == "binary" else ())
    if not chosen and slice_columns:
        raise ConfigurationError(
            "has no edges to count scores at", field="slice_columns", value=list(slice_columns), mend="Give score_edges"
        )
    if not chosen or task == "multiclass":
        return None
    _check_edges(chosen)
    if len(slice_columns) > MOST_COLUMNS:
        raise ConfigurationError(
            f"names more than {MOST_COLUMNS} columns; each is some {MOST_VALUES * len(chosen):,} series",
            field="slice_columns",
            value=list(slice_columns),
            mend="Choose the groups that matter most",
        )
    slices = {column: known_values(model, column) for column in slice_columns}
    return ScoreCounts(chosen, slices, str(model.facts.get("positive", "")))


def known_values(model: ServedModel, column: str) -> tuple[str, ...]:
    """The values of an input that the model itself knows, as text.

    Raises:
        ConfigurationError: it is no input of the model, or nothing in the model lists its values.
    """
    found = model.contract.by_name.get(column)
    if found is None:
        raise ConfigurationError(
            "is no input of the model",
            field="slice_columns",
            value=column,
            mend=f"Use one of: {', '.join(sorted(model.contract.by_name))}",
        )
    if found.kind.name == "boolean":
        return ("False", "True")
    if isinstance(model.scorer, DirectModel) and column in model.scorer.categories:
        return model.scorer.categories[column]
    raise ConfigurationError(
        "has no values that the model knows, and what callers send must not become a label",
        field="slice_columns",
        value=column,
        mend="Use a boolean column, or a categorical one of a model that Gauntlet trained",
    )


def _check_edges(edges: Sequence[float]) -> None:
    ascending = all(low < high for low, high in pairwise(edges))
    if not ascending or not all(map(math.isfinite, edges)) or len(edges) > MOST_EDGES:
        raise ConfigurationError(
            f"must be finite, ascend, and be at most {MOST_EDGES}",
            field="score_edges",
            value=list(edges),
            mend="Give numbers such as 0.1,0.2,0.5",
        )


def _text(value: Any) -> str:
    """A value as a slice is named by; what has no name of its own cannot be looked up and counts as other."""
    return MISSING if value is None else category(value) or OTHER
