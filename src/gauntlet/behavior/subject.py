"""The model under test: what it reads, what it answers, and what counts as its decision."""

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
    """What a model said about rows.

    Attributes:
        scores: (n,) the score (two classes: probability of the positive one; regression: the prediction), or
            (n, classes) probabilities.
        decisions: (n,) index of the class decided for; regression: 1 at or above the threshold, 0 below; ``None``
            for a regression without a threshold, which decides nothing.
    """

    scores: np.ndarray
    decisions: np.ndarray | None


@dataclass(frozen=True)
class Subject:
    """A model and the data it is tried on.

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
        """Ask about rows that hold every input.

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

    def said(self, decision: int) -> str:
        """A decision in words: ``class paid``; for a regression, on which side of the threshold it is."""
        if self.target.task == "regression":
            return f"at or above {self.threshold:g}" if decision else f"below {self.threshold:g}"
        return f"class {self.target.classes[decision]}"

    def class_index(self, name: object, field: str) -> int:
        """Where a class stands among the model's.

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
        """Which column of multiclass scores a rule means; ``None`` where there is only one.

        Raises:
            ConfigurationError: ``of`` is missing or unknown, or names a class where the score has only one meaning.
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


def decision_threshold(task: str, asked: float | None) -> float | None:
    """The threshold that holds for a task.

    Raises:
        ConfigurationError: one is asked for where the most probable class is the decision, or it lies outside (0, 1).
    """
    if task == "multiclass" and asked is not None:
        mend = "Leave it out: with many classes the most probable one is the decision"
        raise ConfigurationError("means nothing for many classes", field="policy.threshold", value=asked, mend=mend)
    if task == "binary" and asked is not None and not 0 < asked < 1:
        raise ConfigurationError("must lie between 0 and 1", field="policy.threshold", value=asked, mend="Correct it")
    return 0.5 if task == "binary" and asked is None else asked
