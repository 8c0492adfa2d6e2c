"""Data of the smoke test: a bounded sample, a tiny batch, and the sample with shuffled labels."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from gauntlet.data.snapshot import EXAMPLE_ID, Snapshot
from gauntlet.data.variant import take, variant
from gauntlet.errors import DataError
from gauntlet.prediction.truth import cluster_names
from gauntlet.training.encoding import encode
from gauntlet.training.matrix import check_weights
from gauntlet.training.plan import Plan

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

_SHARES = (0.6, 0.15, 0.25)
"""Shares of the sample for training, early stopping and evaluation, which decides and so gets more than usual."""


def bounded(
    snapshot: Snapshot, folder: Path, splits: tuple[str, str, str], rows: int, rng: np.random.Generator
) -> Snapshot:
    """Sample the splits without replacement; small splits stay whole.

    Args:
        snapshot: the data.
        folder: folder of the sample.
        splits: for training, for early stopping (may be missing), for evaluation.
        rows: of all three together.
        rng: draws the rows.

    Raises:
        ConfigurationError: no split for training or for evaluation.
        DataError: a split is empty or unreadable.
    """
    import numpy as np

    learn, stop, judge = splits
    for name in (learn, judge):
        snapshot.require_split(name)
    tables = {}
    for name, share in zip(splits, _SHARES, strict=True):
        known, limit = snapshot.splits.get(name, 0), int(rows * share)
        if name == stop and not known:
            continue
        chosen = np.sort(rng.choice(known, limit, replace=False)) if known > limit else np.arange(known)
        tables[name] = take(snapshot, name, chosen)
    return variant(snapshot, folder, tables)


def tiny_batch(sample: Snapshot, folder: Path, plan: Plan, split: str, rows: int, rng: np.random.Generator) -> Snapshot:
    """Reduce the training split to a few rows with distinct features.

    Classes alternate, so that rare ones are included.

    Args:
        sample: from ``bounded``.
        folder: folder of the batch.
        plan: features and target.
        split: the training split.
        rows: of the batch, at most.
        rng: draws the rows.

    Raises:
        DataError: fewer than four rows differ, or all of them have one label.
    """
    import numpy as np

    table = sample.table(split)
    labels = plan.target.encode(_column(table, plan.target.column), where=f"split {split}")
    order = rng.permutation(table.num_rows)
    if plan.weight:
        weights = check_weights(_column(table, plan.weight), plan.weight)
        order = order[weights[order] > 0]
    _, first = np.unique(_contents(table, plan)[order], return_index=True)
    distinct = order[np.sort(first)]
    if plan.target.task != "regression":
        distinct = _in_turn(distinct, labels[distinct])
    chosen = np.sort(distinct[:rows])
    if len(chosen) < 4 or len(np.unique(labels[chosen])) < 2:
        raise DataError(
            "too few rows differ in their features to learn a batch by heart",
            field=f"split {split}",
            value=len(chosen),
            mend="Set policy.overfit to false, or give the model more features",
        )
    return variant(sample, folder, {split: sample.table(split, _all(sample)).take(chosen)})


def shuffled(sample: Snapshot, folder: Path, plan: Plan, splits: Sequence[str], rng: np.random.Generator) -> Snapshot:
    """Permute the labels of all splits, so that they are independent of the features.

    Labels are permuted between *groups*: the rows of one cluster where clusters are declared, else the rows with the
    same features. So the only way to predict a held-out row's label is to have seen that row, or one of its group: a
    trainer that reads the held-out split, the same rows or people in two splits, a memorized identifier.

    Args:
        sample: from ``bounded``.
        folder: folder of the shuffled splits.
        plan: features and target.
        splits: those to relabel.
        rng: permutes.
    """
    import numpy as np
    import pyarrow as pa

    tables = [sample.table(name, _all(sample)) for name in splits]
    pooled = pa.concat_tables(tables)
    cluster = sample.roles.cluster
    if cluster:
        keys = np.asarray(cluster_names(_column(pooled, cluster), cluster).to_numpy(zero_copy_only=False)).astype(str)
    else:
        keys = _contents(pooled, plan)
    _, first, group = np.unique(keys, return_index=True, return_inverse=True)
    dealt = first[rng.permutation(len(first))][group]
    label = plan.target.column
    relabelled = pooled.set_column(
        pooled.schema.get_field_index(label), label, pooled[label].combine_chunks().take(pa.array(dealt))
    )
    ends = np.cumsum([table.num_rows for table in tables])
    changed = {
        name: relabelled.slice(end - table.num_rows, table.num_rows)
        for name, table, end in zip(splits, tables, ends.tolist(), strict=True)
    }
    return variant(sample, folder, changed)


def _contents(table: pa.Table, plan: Plan) -> np.ndarray:
    """(rows,) encoded features of each row as one opaque value, for comparison."""
    import numpy as np

    columns = {name: _column(table, name) for name in plan.names}
    matrix = np.nan_to_num(encode(plan.features, columns, table.num_rows), nan=-np.pi) + np.float32(0)
    return np.ascontiguousarray(matrix).view(np.dtype((np.void, matrix.dtype.itemsize * matrix.shape[1]))).ravel()


def _in_turn(rows: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Order rows so that classes alternate."""
    import numpy as np

    rank = np.empty(len(rows), dtype=np.int64)
    for code in np.unique(labels):
        of_class = labels == code
        rank[of_class] = np.arange(of_class.sum())
    return rows[np.argsort(rank, kind="stable")]


def _all(snapshot: Snapshot) -> list[str]:
    return [EXAMPLE_ID, *snapshot.columns]


def _column(table: pa.Table, name: str) -> pa.Array:
    return table[name].combine_chunks()
