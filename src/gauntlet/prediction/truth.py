"""Ground truth of a split: labels, example weights and clusters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gauntlet.data.snapshot import Snapshot
from gauntlet.errors import DataError
from gauntlet.training.encoding import as_text
from gauntlet.training.matrix import check_weights
from gauntlet.training.target import Target

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa


@dataclass(frozen=True)
class Truth:
    """Ground truth of a split, in the order of its rows.

    Attributes:
        labels: (n,) float64; codes into the target's classes, or a regression's values.
        weights: (n,) float64, or ``None`` if none are declared.
        clusters: (n,) int64 codes from 0, or ``None`` if rows are independent.
    """

    labels: np.ndarray
    weights: np.ndarray | None
    clusters: np.ndarray | None

    @property
    def rows(self) -> int:
        """Number of rows."""
        return len(self.labels)


def read_truth(snapshot: Snapshot, split: str, target: Target) -> Truth:
    """Read the ground truth of a split.

    Args:
        snapshot: the data, with its label.
        split: the split.
        target: the target.

    Raises:
        ConfigurationError: no such split.
        DataError: the split is empty, or a label, weight or cluster is missing or unusable.
    """
    import numpy as np

    roles = snapshot.roles
    labels = target.encode(_column(snapshot, split, target.column), where=f"split {split}")
    weights = check_weights(_column(snapshot, split, roles.weight), roles.weight) if roles.weight else None
    return Truth(np.asarray(labels, dtype=np.float64), weights, cluster_codes(snapshot, split))


def cluster_codes(snapshot: Snapshot, split: str) -> np.ndarray | None:
    """Cluster codes of the rows, (n,) int64, in order of appearance; ``None`` if no cluster column is declared.

    Raises:
        DataError: a row has no cluster.
    """
    import numpy as np

    column = snapshot.roles.cluster
    if column is None:
        return None
    codes = cluster_names(_column(snapshot, split, column), column).dictionary_encode().indices
    return np.asarray(codes.to_numpy(zero_copy_only=False), dtype=np.int64)


def cluster_names(values: pa.Array, column: str) -> pa.Array:
    """Convert a cluster column to text.

    Raises:
        DataError: a row has no cluster.
    """
    import pyarrow as pa

    if values.null_count:
        raise DataError(
            f"{values.null_count} rows have no cluster", field=column, mend="Fill the column, or drop the role"
        )
    return values.cast(pa.string()) if pa.types.is_timestamp(values.type) else as_text(values)


def _column(snapshot: Snapshot, split: str, name: str) -> pa.Array:
    return snapshot.table(split, [name])[name].combine_chunks()
