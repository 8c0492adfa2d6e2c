"""The row index gives back what was written, in order, and finds what occurs again, in memory or through files."""

import collections

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gauntlet.data import row_index as module
from gauntlet.data.identity import key_digests
from gauntlet.data.row_index import RowIndex
from hypothesis_profiles import examples


@pytest.mark.parametrize("limit", [4, 1 << 20], ids=["spilling to disk", "in memory"])
@examples(50)
@given(st.lists(st.integers(0, 12), min_size=1, max_size=60), st.integers(1, 17), st.booleans())
def test_the_ledger_counts_repetitions_as_a_dictionary_would(tmp_path_factory, limit, values, batch, grouped):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_ROWS_PER_RANGE", limit)
        patch.setattr(module, "_ROWS_IN_MEMORY", limit)
        row_index = RowIndex(tmp_path_factory.mktemp("index") / "files", grouped=grouped)
        digests = key_digests([pa.array(values)])
        groups = np.arange(len(values), dtype=np.uint64)
        starts = range(0, len(values), batch)
        row_index.record(
            (digests[start : start + batch], groups[start : start + batch] if grouped else None) for start in starts
        )
        expected, seen = [], collections.Counter()
        for value in values:
            expected.append(seen[value])
            seen[value] += 1
        count, examples = row_index.find_repetitions()
        assert count == sum(1 for times in expected if times)
        for row, first in examples:
            assert first == values.index(values[row]) < row
        with row_index.read() as reader:
            found = [reader.take(len(digests[start : start + batch])) for start in starts]
    assert np.concatenate([part[0] for part in found]).tolist() == digests.tolist()
    assert np.concatenate([part[2] for part in found]).tolist() == expected
    if grouped:
        assert np.concatenate([part[1] for part in found]).tolist() == groups.tolist()
