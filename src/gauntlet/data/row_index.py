"""Index of row digests on disk, which also finds duplicate rows, in constant memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from gauntlet.data.identity import DIGEST_BYTES, groups_of

if TYPE_CHECKING:
    import numpy as np

_BUCKETS = 256
_ROWS_IN_MEMORY = 1 << 20
_ROWS_PER_RANGE = 1 << 20


class RowIndex:
    """Digests of all rows on disk: written once in order, then read once in order.

    Also finds duplicates: up to ``_ROWS_IN_MEMORY`` rows in memory; beyond, digests are partitioned on disk by their
    first bits, and searched one partition at a time.

    Args:
        folder: a folder to create for the files.
        grouped: whether rows have a group (``groups``) beside their digest.
    """

    def __init__(self, folder: Path, *, grouped: bool) -> None:
        self.rows = 0
        self._folder = folder
        self._grouped = grouped
        self._held: list[np.ndarray] = []
        self._spilled = False
        folder.mkdir(parents=True)

    def record(self, batches: Iterable[tuple[np.ndarray, np.ndarray | None]]) -> None:
        """Write the digests of all rows.

        Args:
            batches: (n, 2) digests and, when grouped, (n,) uint64 groups.
        """
        import numpy as np

        held = 0
        with (self._folder / "digests").open("wb") as digest_file, (self._folder / "groups").open("wb") as group_file:
            for digests, groups in batches:
                digest_file.write(digests.tobytes())
                if groups is not None:
                    group_file.write(groups.astype("<u8").tobytes())
                records = np.empty((len(digests), 3), dtype=np.uint64)
                records[:, :2] = digests
                records[:, 2] = np.arange(self.rows, self.rows + len(digests))
                self._held.append(records)
                self.rows += len(digests)
                held += len(digests)
                if held > _ROWS_IN_MEMORY:
                    self._spill()
                    held = 0
        if self._spilled:
            self._spill()

    def find_repetitions(self) -> tuple[int, list[tuple[int, int]]]:
        """Find rows equal to an earlier one; call it once, before ``read``.

        Returns:
            their number, and up to three pairs (row, the first row equal to it), row numbers from 0 over all sources.
        """
        count, examples = 0, list[tuple[int, int]]()
        for records in self._buckets():
            rows, occurrences, firsts = _repetitions(records)
            count += len(rows)
            examples = sorted([*examples, *zip(rows[:3].tolist(), firsts[:3].tolist(), strict=True)])[:3]
            self._note(rows, occurrences)
        return count, examples

    def _spill(self) -> None:
        """Move the records in memory to their buckets on disk."""
        import numpy as np

        if not self._held:
            return
        records = np.concatenate(self._held)
        self._held, self._spilled = [], True
        numbers = (records[:, 0] >> np.uint64(56)).astype(np.intp)  # the first 8 bits: _BUCKETS of them
        order = np.argsort(numbers, kind="stable")
        ends = np.cumsum(np.bincount(numbers, minlength=_BUCKETS))
        records, start = records[order], 0
        for number, end in enumerate(ends.tolist()):
            if end > start:
                with (self._folder / f"bucket-{number:03}").open("ab") as file:
                    file.write(records[start:end].tobytes())
            start = end

    def _buckets(self) -> Iterator[np.ndarray]:
        import numpy as np

        if self._held:
            held, self._held = self._held, []
            yield np.concatenate(held)
        for path in sorted(self._folder.glob("bucket-*")):
            yield np.fromfile(path, dtype=np.uint64).reshape(-1, 3)
            path.unlink()

    def _note(self, rows: np.ndarray, occurrences: np.ndarray) -> None:
        """Store repetitions by range of rows, for reading in row order."""
        import numpy as np

        ranges = rows // _ROWS_PER_RANGE
        for number in np.unique(ranges).tolist():
            chosen = ranges == number
            with (self._folder / f"repeated-{number}").open("ab") as file:
                file.write(np.column_stack([rows[chosen], occurrences[chosen]]).astype(np.int64).tobytes())

    def read(self) -> RowIndexReader:
        """Start reading from the first row."""
        return RowIndexReader(self._folder, grouped=self._grouped)


class RowIndexReader:
    """Reads a row index in row order."""

    def __init__(self, folder: Path, *, grouped: bool) -> None:
        self._folder = folder
        self._digests = (folder / "digests").open("rb")
        self._groups = (folder / "groups").open("rb") if grouped else None
        self._row = 0
        self._block = -1
        self._repeated: np.ndarray | None = None

    def __enter__(self) -> RowIndexReader:
        return self

    def __exit__(self, *_: object) -> None:
        self._digests.close()
        if self._groups is not None:
            self._groups.close()

    def take(self, count: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Read the next ``count`` rows.

        Returns:
            (n, 2) digests; (n,) uint64 groups; (n,) number of earlier equal rows.
        """
        import numpy as np

        digests = np.frombuffer(self._digests.read(count * DIGEST_BYTES), dtype=">u8").reshape(-1, 2)
        if self._groups is None:
            groups = groups_of(digests)
        else:
            groups = np.frombuffer(self._groups.read(count * 8), dtype="<u8").astype(np.uint64)
        occurrences = np.zeros(count, dtype=np.int64)
        for block in range(self._row // _ROWS_PER_RANGE, (self._row + count - 1) // _ROWS_PER_RANGE + 1):
            rows, times = self._load(block)
            inside = (rows >= self._row) & (rows < self._row + count)
            occurrences[rows[inside] - self._row] = times[inside]
        self._row += count
        return digests, groups, occurrences

    def _load(self, block: int) -> tuple[np.ndarray, np.ndarray]:
        import numpy as np

        if block != self._block or self._repeated is None:
            path = self._folder / f"repeated-{block}"
            repeated = np.fromfile(path, dtype=np.int64) if path.exists() else np.empty(0, dtype=np.int64)
            self._block, self._repeated = block, repeated.reshape(-1, 2)
        return self._repeated[:, 0], self._repeated[:, 1]


def _repetitions(records: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Find rows equal to an earlier one in a bucket.

    Args:
        records: (n, 3) digest halves and row number.

    Returns:
        rows; number of earlier equal rows; the first equal row.
    """
    import numpy as np

    # lexsort sorts by its last key first: equal digests are adjacent, in row order.
    order = np.lexsort((records[:, 2], records[:, 1], records[:, 0]))
    ordered = records[order]
    same = np.zeros(len(ordered), dtype=bool)
    same[1:] = (ordered[1:, :2] == ordered[:-1, :2]).all(axis=1)
    positions = np.arange(len(ordered))
    first = np.maximum.accumulate(np.where(same, 0, positions)) if len(ordered) else positions
    rows = ordered[:, 2].astype(np.int64)
    return rows[same], (positions - first)[same], rows[first][same]
