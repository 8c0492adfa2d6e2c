"""Who a row is: its hash, and its ``example_id``.

The identity of a row is BLAKE2b-128 over the canonical text of its key's values, or of all its values when there is no
key, with the unit separator between them. It is of values, not of their spelling: 8, 8.0 and 8e0 are one number, true
and 1 one answer, two ways to write an instant one time; in a column of text they are texts. It depends on nothing else:
not on the platform, the reader's version, the file's format or, but for what type a column has, on other rows.
``PERSON`` is its version: changing it would move rows between splits.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from gauntlet.data.columns import canonical_text, readable_text

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

PERSON = b"gauntlet-row-1"
DIGEST_BYTES = 16

_SEPARATOR = "\x1f"
_KEY_SEPARATOR = "|"


def key_digests(columns: Sequence[pa.Array]) -> np.ndarray:
    """Hash rows by their key.

    Args:
        columns: the key columns without nulls, in the key's order; at least one, equal lengths.

    Returns:
        (n, 2) big-endian uint64: BLAKE2b-128 of each row.
    """
    import pyarrow.compute as pc

    texts = [_text(column) for column in columns]
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
        pc.fill_null(pc.binary_join_element_wise(f"{name}=", _text(columns[name]), _SEPARATOR, ""), "")
        for name in sorted(columns)
    ]
    # Not null_handling="skip": it loses rows in which everything is null.
    return _hash(named[0] if len(named) == 1 else pc.binary_join_element_wise(*named, ""))


def _text(column: pa.Array) -> pa.Array:
    """Canonical text, in which true is 1: one program writes booleans, another numbers."""
    import pyarrow as pa

    return canonical_text(column.cast(pa.int64()) if column.type == pa.bool_() else column)


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

    texts = [readable_text(column) for column in columns]
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
