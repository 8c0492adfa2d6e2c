from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from builders.feature_code import raw_rows
from gauntlet.errors import DataError
from gauntlet.features.properties.checks import check_properties
from gauntlet.features.properties.policy import PropertiesPolicy, Property
from gauntlet.features.properties.scoring import scores_of
from gauntlet.prediction.model import Scorer
from gauntlet.verdict import Status

BINARY = {"task": "binary", "classes": ["no", "yes"]}


def scorer(score: Callable[[pa.RecordBatch], Any], **facts: Any) -> Scorer:
    return Scorer("sha256:0", facts, ("income", "term"), score)


def income(rows: pa.RecordBatch) -> np.ndarray:
    return np.nan_to_num(rows["income"].to_numpy(zero_copy_only=False))


def bounded(values: np.ndarray) -> np.ndarray:
    positive = np.clip(values / 10_000, 0, 1)
    return np.column_stack([1 - positive, positive])


def test_scores_are_columns_named_by_their_class() -> None:
    rows = raw_rows(20)
    assert scores_of(scorer(lambda batch: bounded(income(batch)), **BINARY))(rows).column_names == ["score"]
    multiclass = scorer(lambda batch: bounded(income(batch)), task="multiclass", classes=["a", "b"])
    assert scores_of(multiclass)(rows).column_names == ["score_a", "score_b"]
    assert scores_of(scorer(income))(rows).column_names == ["score"]
    assert scores_of(scorer(lambda batch: bounded(income(batch))))(rows).column_names == ["score_0", "score_1"]


def test_scores_of_another_shape_are_refused() -> None:
    with pytest.raises(DataError, match="gives scores of shape"):
        scores_of(scorer(lambda batch: np.zeros((batch.num_rows, 2, 2))))(raw_rows(5))


def test_a_model_that_ranks_within_its_batch_is_found() -> None:
    def ranked(batch: pa.RecordBatch) -> np.ndarray:
        return np.argsort(np.argsort(income(batch))) / batch.num_rows

    policy = PropertiesPolicy.model_validate({})
    for score, status in ((ranked, Status.FAIL), (lambda batch: bounded(income(batch))[:, 1], Status.PASS)):
        (check,) = check_properties(scores_of(scorer(score, **BINARY)), raw_rows(), policy, only=[Property.ONE_ROW])
        assert check.status is status
    found = check_properties(
        scores_of(scorer(lambda batch: bounded(income(batch))[:, 1], **BINARY)), raw_rows(), policy
    )
    assert {one.status for one in found} == {Status.PASS}
