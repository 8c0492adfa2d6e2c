"""Who a row is: its hash, its ``example_id``, and whether it was seen before, in memory that does not grow with rows.

The identity of a row is BLAKE2b-128 over the canonical text of its key columns, or of its content when there is no
key, with the unit separator between them. It depends on nothing else: not on the platform, the reader's version,
other rows, or the type a column gets in the end. ``PERSON`` is its version: changing it would move rows between splits.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from gauntlet.data.columns import canonical_text

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

PERSON = b"gauntlet-row-1"
DIGEST_BYTES = 16

_SEPARATOR = "\x1f"
_KEY_SEPARATOR = "|"
_BUCKETS = 256
_ROWS_IN_MEMORY = 1 << 20
_ROWS_PER_RANGE = 1 << 20


def key_digests(columns: Sequence[pa.Array]) -> np.ndarray:
    """Hash rows by their key.

    Args:
        columns: the key columns without nulls, in the key's order; at least one, equal lengths.

    Returns:
        (n, 2) big-endian uint64: BLAKE2b-128 of each row.
    """
    import pyarrow.compute as pc

    texts = [canonical_text(column) for column in columns]
    return _hash(texts[0] if len(texts) == 1 else pc.binary_join_element_wise(*texts, _SEPARATOR))


def content_digests(columns: Mapping[str, pa.Array], rows: int) -> np.ndarray:
    """Hash rows by their content: ``name=value`` and a unit separator for every value that is there, by name.

    Missing values are left out, so a column that older rows do not have does not change who they are.

    Args:
        columns: name → values.
        rows: their length.

    Returns:
        (n, 2) big-endian uint64: BLAKE2b-128 of each row.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    if not columns:
        return _hash(pa.array([""] * rows, pa.string()))
    named = [
        pc.fill_null(pc.binary_join_element_wise(f"{name}=", canonical_text(columns[name]), _SEPARATOR, ""), "")
        for name in sorted(columns)
    ]
    # Not null_handling="skip": it loses rows in which everything is null.
    return _hash(named[0] if len(named) == 1 else pc.binary_join_element_wise(*named, ""))


def groups_of(digests: np.ndarray) -> np.ndarray:
    """The number a row is split by, (n,) uint64, uniform: the first half of its digest."""
    import numpy as np

    return digests[:, 0].astype(np.uint64)


def _hash(text: pa.Array) -> np.ndarray:
    from hashlib import blake2b

    import numpy as np

    content, ends = _buffers(text)
    # Copying a prepared state is cheaper than preparing one for every row.
    prepare = blake2b(digest_size=DIGEST_BYTES, person=PERSON).copy
    digests = []
    for start, end in itertools.pairwise(ends):
        state = prepare()
        state.update(content[start:end])
        digests.append(state.digest())
    return np.frombuffer(b"".join(digests), dtype=">u8").reshape(-1, 2)


def _buffers(text: pa.Array) -> tuple[bytes, list[int]]:
    """The bytes of a string array without nulls, and its n + 1 offsets into them."""
    import numpy as np

    _, offsets, content = text.buffers()
    if not len(text):
        return b"", []
    ends = np.frombuffer(offsets, dtype=np.int32)[text.offset : text.offset + len(text) + 1]
    return content.to_pybytes() if content is not None else b"", ends.tolist()


def key_ids(columns: Sequence[pa.Array]) -> pa.Array:
    """Example identifiers made of key values joined with ``|`` (a bar inside a value is written ``\\|``)."""
    import pyarrow.compute as pc

    texts = [canonical_text(column) for column in columns]
    if len(texts) == 1:
        return texts[0]
    escaped = [pc.replace_substring(pc.replace_substring(text, "\\", "\\\\"), "|", "\\|") for text in texts]
    return pc.binary_join_element_wise(*escaped, _KEY_SEPARATOR)


def content_ids(digests: np.ndarray, occurrences: np.ndarray) -> pa.Array:
    """Example identifiers for rows without a key: 32 hex digits, then ``-1``, ``-2``… for the repetitions of a row.

    Args:
        digests: (n, 2) from ``row_digests``.
        occurrences: (n,) how often an equal row came before.
    """
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    digits = np.frombuffer(digests.tobytes().hex().encode(), dtype=f"S{2 * DIGEST_BYTES}")
    ids = pa.array(digits).cast(pa.string())
    repeated = np.flatnonzero(occurrences)
    if not len(repeated):
        return ids
    suffixed = [f"{digits[row].decode()}-{occurrences[row]}" for row in repeated]
    mask = pa.array(occurrences > 0)
    return pc.replace_with_mask(ids, mask, pa.array(suffixed, pa.string()))


class Ledger:
    """Digests of all rows, on disk: written once in order, then read once in order.

    Also finds repetitions. Up to ``_ROWS_IN_MEMORY`` rows that happens in memory; beyond, digests are spread over
    buckets on disk by their first bits, and one bucket at a time is looked at.

    Args:
        folder: a folder to be made for the files.
        grouped: rows have a group of their own (``groups``) beside their identity.
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
        """Find rows equal to an earlier one; once, before ``read``.

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
        """Move the records held in memory to the buckets they belong to."""
        import numpy as np

        if not self._held:
            return
        records = np.concatenate(self._held)
        self._held, self._spilled = [], True
        numbers = (records[:, 0] >> np.uint64(56)).astype(np.intp)
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
        """Write down repetitions where reading in row order finds them."""
        import numpy as np

        ranges = rows // _ROWS_PER_RANGE
        for number in np.unique(ranges).tolist():
            chosen = ranges == number
            with (self._folder / f"repeated-{number}").open("ab") as file:
                file.write(np.column_stack([rows[chosen], occurrences[chosen]]).astype(np.int64).tobytes())

    def read(self) -> LedgerReader:
        """Start reading from the first row."""
        return LedgerReader(self._folder, grouped=self._grouped)


class LedgerReader:
    """Reads a ledger in row order."""

    def __init__(self, folder: Path, *, grouped: bool) -> None:
        self._folder = folder
        self._digests = (folder / "digests").open("rb")
        self._groups = (folder / "groups").open("rb") if grouped else None
        self._row = 0
        self._block = -1
        self._repeated: np.ndarray | None = None

    def __enter__(self) -> LedgerReader:
        return self

    def __exit__(self, *_: object) -> None:
        self._digests.close()
        if self._groups is not None:
            self._groups.close()

    def take(self, count: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The next ``count`` rows.

        Returns:
            (n, 2) digests; (n,) uint64 groups; (n,) how often an equal row came before.
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
            found = np.fromfile(path, dtype=np.int64) if path.exists() else np.empty(0, dtype=np.int64)
            self._block, self._repeated = block, found.reshape(-1, 2)
        return self._repeated[:, 0], self._repeated[:, 1]


def _repetitions(records: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rows equal to an earlier one in a bucket.

    Args:
        records: (n, 3) digest halves and row number.

    Returns:
        rows; how often an equal row came before each; the first row equal to each.
    """
    import numpy as np

    order = np.lexsort((records[:, 2], records[:, 1], records[:, 0]))
    ordered = records[order]
    same = np.zeros(len(ordered), dtype=bool)
    same[1:] = (ordered[1:, :2] == ordered[:-1, :2]).all(axis=1)
    positions = np.arange(len(ordered))
    first = np.maximum.accumulate(np.where(same, 0, positions)) if len(ordered) else positions
    rows = ordered[:, 2].astype(np.int64)
    return rows[same], (positions - first)[same], rows[first][same]
