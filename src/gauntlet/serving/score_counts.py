"""Histogram counts of a model's scores, to compare a canary's score distribution with stable's.

A score is the probability of the positive class, or a regression's prediction. Scores are counted by bucket (cumulative
as in Prometheus), for all rows and by the values of slice columns. A multiclass model has no single score and is not
counted, nor is a model that returns text.
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
"""Edges for classifiers: fine enough to separate the deciles of any two models."""
MOST_EDGES = 200
MOST_COLUMNS = 4
MOST_VALUES = 20
"""Limit of values counted per slice column; further values are ``(other)``."""

OTHER, MISSING = "(other)", "(missing)"


class ScoreCounts:
    """Score counts by bucket and slice. Thread-safe.

    Args:
        edges: upper bounds, ascending.
        slices: column → values counted separately, as text. No other value becomes a label.
        positive: name of the score among two output columns; without a match the last one is the score.
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
        """Count the scores of answered rows."""
        scores = self._scores(answer)
        if scores is None:
            return
        if len(scores) == 1:
            bins = [bisect_left(self.edges, float(scores[0]))]
        else:
            bins = self._array.searchsorted(scores, side="left").tolist()
        with self._lock:
            for bucket in bins:
                self._bins[bucket] += 1
            for column, table in self._tables.items():
                other = table[OTHER]
                for bucket, value in zip(bins, rows.columns[column], strict=True):
                    table.get(_text(value), other)[bucket] += 1

    def totals(self) -> list[int]:
        """Cumulative counts at each edge and in total: ``len(edges) + 1`` numbers."""
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
        position = answer.names.index(self._positive) if self._positive in answer.names else -1
        column = answer.columns[position]
        return column if column.dtype.kind in "fiu" else None


def score_counts(
    model: ServedModel, edges: Sequence[float] = (), slice_columns: Sequence[str] = ()
) -> ScoreCounts | None:
    """Create the score counts of a model.

    Args:
        model: the model.
        edges: upper bounds; by default hundredths for a binary classifier, and none for other models.
        slice_columns: inputs whose values are counted separately.

    Returns:
        The counts, at zero; ``None`` if there is nothing to count.

    Raises:
        ConfigurationError: edges that do not ascend or are too many; edges or slices for a model without a single
            score; a slice column that is no input, or whose values the model does not know.
    """
    task = str(model.facts.get("task", ""))
    if task == "multiclass" and (edges or slice_columns):
        raise ConfigurationError(
            "a multiclass model has no single score to count",
            field="score_edges" if edges else "slice_columns",
            mend="Remove it",
        )
    chosen = tuple(edges) or (PROBABILITY_EDGES if task == "binary" else ())
    if not chosen and slice_columns:
        raise ConfigurationError(
            "needs edges to count scores", field="slice_columns", value=list(slice_columns), mend="Give score_edges"
        )
    if not chosen or task == "multiclass":
        return None
    _check_edges(chosen)
    if len(slice_columns) > MOST_COLUMNS:
        raise ConfigurationError(
            f"names more than {MOST_COLUMNS} columns; each adds about {MOST_VALUES * len(chosen):,} series",
            field="slice_columns",
            value=list(slice_columns),
            mend="Choose the most important columns",
        )
    slices = {column: known_values(model, column) for column in slice_columns}
    return ScoreCounts(chosen, slices, str(model.facts.get("positive", "")))


def known_values(model: ServedModel, column: str) -> tuple[str, ...]:
    """Values of an input that the model knows, as text.

    Raises:
        ConfigurationError: it is no input of the model, or the model does not list its values.
    """
    model_input = model.contract.by_name.get(column)
    if model_input is None:
        raise ConfigurationError(
            "is not an input of the model",
            field="slice_columns",
            value=column,
            mend=f"Use one of: {', '.join(sorted(model.contract.by_name))}",
        )
    if model_input.kind.name == "boolean":
        return ("False", "True")
    if isinstance(model.scorer, DirectModel) and column in model.scorer.categories:
        return model.scorer.categories[column]
    raise ConfigurationError(
        "has no values known to the model, and values of requests must not become labels",
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
    """Slice value as text; a value without a category name counts as other."""
    return MISSING if value is None else category(value) or OTHER
