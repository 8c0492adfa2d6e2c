"""A model as feature code: rows in, scores out, so that the same properties can be asked of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gauntlet.errors import DataError
from gauntlet.features.transform import Transform
from gauntlet.prediction.model import Scorer
from gauntlet.prediction.scores import as_scores

if TYPE_CHECKING:
    import pyarrow as pa


def scores_of(scorer: Scorer) -> Transform:
    """A model's scores as columns: ``score``, or ``score_<class>`` each.

    A model that does not say its task gives its output as it is: numbers, one or several columns.
    """

    def apply(rows: pa.Table) -> pa.Table:
        import numpy as np
        import pyarrow as pa

        output = scorer.score(pa.RecordBatch.from_struct_array(rows.to_struct_array().combine_chunks()))
        classes = tuple(map(str, scorer.facts.get("classes", ())))
        task = str(scorer.facts.get("task", ""))
        scores = as_scores(output, task=task, classes=classes, rows=rows.num_rows) if task else np.asarray(output)
        if scores.ndim == 1:
            return pa.table({"score": pa.array(scores)})
        if scores.ndim != 2 or (classes and len(classes) != scores.shape[1]):
            raise DataError(f"gives scores of shape {scores.shape}", field="model", mend="Return one row a row")
        names = classes or tuple(map(str, range(scores.shape[1])))
        return pa.table({f"score_{name}": pa.array(scores[:, code]) for code, name in enumerate(names)})

    return Transform("the model", scorer.digest, apply, scorer.inputs)
