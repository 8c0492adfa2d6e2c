"""Model under test: its inputs, scores and decisions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gauntlet.errors import ConfigurationError
from gauntlet.prediction.model import Scorer
from gauntlet.prediction.scores import as_scores
from gauntlet.training.target import Target

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

_ROWS_AT_ONCE = 65_536


@dataclass(frozen=True)
class Answers:
    """Scores and decisions of a model for some rows.

    Attributes:
        scores: (n,) the score (two classes: probability of the positive one; regression: the prediction), or
            (n, classes) probabilities.
        decisions: (n,) index of the predicted class; regression: 1 at or above the threshold, 0 below; ``None``
            for a regression without a threshold, which has no decisions.
    """

    scores: np.ndarray
    decisions: np.ndarray | None


@dataclass(frozen=True)
class Subject:
    """Model with the columns of the data it is tested on.

    Attributes:
        scorer: the model.
        target: what it predicts.
        inputs: the columns it reads.
        columns: the snapshot's columns → ``int | float | string | bool | timestamp``.
        threshold: a score at or above it is a yes; ``None`` for a regression without one, and for many classes.
    """

    scorer: Scorer
    target: Target
    inputs: tuple[str, ...]
    columns: Mapping[str, str]
    threshold: float | None

    def answer(self, rows: pa.Table) -> Answers:
        """Score rows that hold every input.

        Raises:
            DataError: the model fails on them, or returns no scores.
        """
        import numpy as np

        parts = [
            as_scores(self.scorer.score(batch), task=self.target.task, classes=self.target.classes, rows=batch.num_rows)
            for batch in rows.select(list(self.inputs)).combine_chunks().to_batches(max_chunksize=_ROWS_AT_ONCE)
        ]
        scores = np.concatenate(parts)
        if self.target.task == "multiclass":
            return Answers(scores, scores.argmax(axis=1))
        return Answers(scores, None if self.threshold is None else (scores >= self.threshold).astype(np.int64))

    def describe(self, decision: int) -> str:
        """Describe a decision: ``class paid``; for a regression, the side of the threshold."""
        if self.target.task == "regression":
            return f"at or above {self.threshold:g}" if decision else f"below {self.threshold:g}"
        return f"class {self.target.classes[decision]}"

    def class_index(self, name: object, field: str) -> int:
        """Index of a class among the model's classes.

        Raises:
            ConfigurationError: the model has no such class, or none at all.
        """
        text = str(name).lower() if isinstance(name, bool) else str(name)
        if self.target.task == "regression":
            raise ConfigurationError(
                "the model predicts a number, not a class", field=field, value=text, mend="Expect a score"
            )
        if text not in self.target.classes:
            import difflib

            close = difflib.get_close_matches(text, self.target.classes, n=1)
            mend = f"Did you mean {close[0]!r}?" if close else f"Use one of: {', '.join(self.target.classes)}"
            raise ConfigurationError("the model has no such class", field=field, value=text, mend=mend)
        return self.target.classes.index(text)

    def score_column(self, of: str | None, field: str) -> int | None:
        """Column of multiclass scores that a rule refers to; ``None`` for other tasks.

        Raises:
            ConfigurationError: ``of`` is missing or unknown, or names a class where there is only one score.
        """
        if self.target.task == "multiclass":
            if of is None:
                raise ConfigurationError(
                    "does not say which class's probability is meant",
                    field=field,
                    mend=f"Give of: one of {', '.join(self.target.classes)}",
                )
            return self.class_index(of, f"{field}.of")
        if of is not None and (self.target.task == "regression" or of != self.target.classes[1]):
            what = "the prediction" if self.target.task == "regression" else f"that of {self.target.classes[1]}"
            raise ConfigurationError(f"the model's score is {what}", field=f"{field}.of", value=of, mend="Leave it out")
        return None


def decision_threshold(task: str, configured: float | None) -> float | None:
    """Decision threshold of a task.

    Raises:
        ConfigurationError: one is configured for several classes, or it lies outside (0, 1).
    """
    if task == "multiclass" and configured is not None:
        mend = "Leave it out: with many classes the most probable one is the decision"
        raise ConfigurationError(
            "has no meaning for many classes", field="policy.threshold", value=configured, mend=mend
        )
    if task == "binary" and configured is not None and not 0 < configured < 1:
        raise ConfigurationError(
            "must lie between 0 and 1", field="policy.threshold", value=configured, mend="Correct it"
        )
    return 0.5 if task == "binary" and configured is None else configured
