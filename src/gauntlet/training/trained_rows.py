"""Which rows a model was trained on, kept with the model: 64-bit hashes of ``example_id``.

Rows are told apart from others wherever the model is scored, without the data it was trained on. Of many rows the
smallest hashes are kept, a uniform sample: a row whose hash lies beyond the largest of them cannot be told (bottom-k
sketch; Cohen and Kaplan, "Summarizing data using bottom-k sketches", PODC 2007).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from gauntlet.data.identity import groups_of, key_digests
from gauntlet.data.snapshot import EXAMPLE_ID, Snapshot
from gauntlet.errors import DataError

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

FILE = "training_rows.npy"
MOST_KEPT = 131_072
"""1 MiB of hashes; the share of rows that two data sets have in common is then known to 0.2 points or better."""


class TrainedRows:
    """The rows a model was trained on.

    Args:
        hashes: the smallest of their hashes, ascending, distinct.
        most: as many are kept at most.
    """

    def __init__(self, hashes: np.ndarray, most: int = MOST_KEPT) -> None:
        self._hashes = hashes
        self._complete = len(hashes) < most

    def overlap(self, hashes: np.ndarray) -> tuple[int, int]:
        """How many rows can be told, and how many of those the model was trained on.

        Args:
            hashes: (n,) uint64 of ``hashes_of``.
        """
        import numpy as np

        known = hashes if self._complete else hashes[hashes <= self._hashes[-1]]
        return len(known), int(np.isin(known, self._hashes).sum())


def hashes_of(example_ids: pa.Array) -> np.ndarray:
    """Hashes of rows by their ``example_id``, (n,) uint64, uniform."""
    return groups_of(key_digests([example_ids]))


def write_trained_rows(folder: Path, snapshot: Snapshot, splits: Sequence[str]) -> None:
    """Write the rows of the splits that a model learned from into its folder."""
    import numpy as np

    batches = (batch for split in splits for batch in snapshot.batches(split, [EXAMPLE_ID]))
    np.save(folder / FILE, smallest((hashes_of(batch.column(EXAMPLE_ID)) for batch in batches), MOST_KEPT))


def smallest(batches: Iterable[np.ndarray], most: int) -> np.ndarray:
    """The smallest distinct hashes of all batches, ascending, at most ``most``."""
    import numpy as np

    kept = np.empty(0, dtype=np.uint64)
    for batch in batches:
        kept = np.unique(np.concatenate([kept, batch]))[:most]
    return kept


def read_trained_rows(folder: Path) -> TrainedRows | None:
    """Rows that the model in a folder was trained on; ``None`` where it does not say.

    Raises:
        DataError: the file is damaged.
    """
    import numpy as np

    path = folder / FILE
    if not path.is_file():
        return None
    try:
        hashes = np.load(path, allow_pickle=False)
        if hashes.dtype != np.uint64 or hashes.ndim != 1 or len(hashes) > MOST_KEPT:
            raise ValueError(f"{hashes.dtype} of shape {hashes.shape}")
    except (OSError, ValueError, EOFError) as error:
        raise DataError(
            "does not say which rows the model was trained on",
            field=str(path),
            value=str(error),
            mend="Train the model again",
        ) from error
    return TrainedRows(hashes)
