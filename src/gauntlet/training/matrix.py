"""Streams training rows into XGBoost's quantile matrix; the raw columns are never in memory all at once.

The quantile matrix (one byte per value up to 256 bins), labels and weights stay in memory. XGBoost reads the stream
about five times to build it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from gauntlet.data.snapshot import Snapshot
from gauntlet.data.weights import Weights
from gauntlet.errors import DataError
from gauntlet.training.encoding import encode
from gauntlet.training.plan import Plan

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

Encoded = tuple["np.ndarray", "np.ndarray", "np.ndarray | None"]


def encoded_batches(snapshot: Snapshot, split: str, plan: Plan) -> Iterator[Encoded]:
    """Stream encoded batches of a split.

    Yields:
        Features, float32 (rows, features); labels as of ``Target.encode``; weights, float64 or ``None``.

    Raises:
        DataError: invalid labels, weights or values; weights that are all zero, very small or very large.
    """
    columns = [*plan.names, plan.target.column, *([plan.weight] if plan.weight else [])]
    seen = Weights(plan.weight) if plan.weight else None
    for batch in snapshot.batches(split, list(dict.fromkeys(columns))):
        values = dict(zip(batch.schema.names, batch.columns, strict=True))
        labels = plan.target.encode(values[plan.target.column], where=f"split {split}")
        weights = check_weights(values[plan.weight], plan.weight) if plan.weight else None
        if seen is not None:
            seen.add(batch)
        yield encode(plan.features, values, batch.num_rows), labels, weights
    if seen is not None:
        seen.require_usable(split)


def check_weights(values: pa.Array, column: str) -> np.ndarray:
    """Convert example weights to float64.

    Raises:
        DataError: a weight is not a number, missing, negative or infinite.
    """
    import numpy as np
    import pyarrow as pa

    try:
        weights = np.asarray(values.cast(pa.float64()).to_numpy(zero_copy_only=False))
    except pa.ArrowInvalid as error:
        raise DataError("weights must be numbers", field=column, mend="Choose another weight column") from error
    invalid = ~(np.isfinite(weights) & (weights >= 0))
    if invalid.any():
        raise DataError(
            f"{int(invalid.sum())} rows have a weight that is missing, negative or infinite",
            field=column,
            value=float(weights[invalid][0]),
            mend="Correct the weight column",
        )
    return weights


def quantile_matrix(snapshot: Snapshot, split: str, plan: Plan, *, bins: int, like: Any = None) -> Any:
    """Build the ``xgboost.QuantileDMatrix`` of a split; its features have no names (see ``boosting``).

    Args:
        snapshot: the data.
        split: the split.
        plan: features and target.
        bins: histogram bins per feature.
        like: the training matrix, whose cut points a validation matrix must share.
    """
    import xgboost

    class Stream(xgboost.DataIter):  # type: ignore[misc]  # xgboost is untyped
        def __init__(self) -> None:
            super().__init__(release_data=True)
            self._batches = encoded_batches(snapshot, split, plan)

        def reset(self) -> None:
            self._batches = encoded_batches(snapshot, split, plan)

        def next(self, input_data: Any) -> bool:
            batch = next(self._batches, None)
            if batch is None:
                return False
            matrix, labels, weights = batch
            input_data(
                data=matrix,
                label=labels,
                weight=weights,
                feature_types=[feature.xgboost_type for feature in plan.features],
            )
            return True

    return xgboost.QuantileDMatrix(Stream(), max_bin=bins, ref=like, enable_categorical=True)
