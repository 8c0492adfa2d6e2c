"""Identities are unique, repetitions are found whatever their number, and files keep memory small."""

import collections

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gauntlet.data import identity
from gauntlet.data.identity import Ledger, content_digests, content_ids, key_digests, key_ids

text = st.text(alphabet="ab|\\", max_size=4)


def digest(row, **columns):
    return content_digests({name: pa.array([value]) for name, value in {**row, **columns}.items()}, 1).tolist()


@settings(deadline=None)
@given(st.lists(st.tuples(text, text), min_size=1, max_size=30, unique=True))
def test_different_keys_have_different_ids(keys):
    ids = key_ids([pa.array([key[position] for key in keys]) for position in range(2)]).to_pylist()
    assert len(set(ids)) == len(keys)


def test_a_key_of_one_column_is_its_own_id():
    assert key_ids([pa.array([7, 8])]).to_pylist() == ["7", "8"]
    assert key_ids([pa.array(["a|b"]), pa.array([1])]).to_pylist() == ["a\\|b|1"]


def test_content_does_not_depend_on_the_order_of_columns_or_on_missing_ones():
    row = {"a": 1, "b": "x"}
    assert digest(row) == digest({"b": "x", "a": 1})
    assert digest(row) == digest(row, c=None)
    assert digest(row) != digest(row, c=0)
    assert digest(row) != digest({"a": "x", "b": 1})
    assert digest({"a": 1}) == digest({"a": 1.0}) == digest({"a": "1"})


def test_a_slice_hashes_as_the_whole():
    values = pa.array([f"v{number}" for number in range(100)])
    assert key_digests([values.slice(40, 20)]).tolist() == key_digests([values]).tolist()[40:60]
    assert key_digests([values.slice(0, 0)]).shape == (0, 2)


@pytest.mark.parametrize("limit", [4, 1 << 20], ids=["spilling to disk", "in memory"])
@settings(deadline=None, max_examples=50)
@given(st.lists(st.integers(0, 12), min_size=1, max_size=60), st.integers(1, 17), st.booleans())
def test_the_ledger_counts_repetitions_as_a_dictionary_would(tmp_path_factory, limit, values, batch, grouped):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(identity, "_ROWS_PER_RANGE", limit)
        patch.setattr(identity, "_ROWS_IN_MEMORY", limit)
        ledger = Ledger(tmp_path_factory.mktemp("ledger") / "files", grouped=grouped)
        digests = key_digests([pa.array(values)])
        groups = np.arange(len(values), dtype=np.uint64)
        starts = range(0, len(values), batch)
        ledger.record(
            (digests[start : start + batch], groups[start : start + batch] if grouped else None) for start in starts
        )
        expected, seen = [], collections.Counter()
        for value in values:
            expected.append(seen[value])
            seen[value] += 1
        count, examples = ledger.find_repetitions()
        assert count == sum(1 for times in expected if times)
        for row, first in examples:
            assert first == values.index(values[row]) < row
        with ledger.read() as reader:
            found = [reader.take(len(digests[start : start + batch])) for start in starts]
    assert np.concatenate([part[0] for part in found]).tolist() == digests.tolist()
    assert np.concatenate([part[2] for part in found]).tolist() == expected
    if grouped:
        assert np.concatenate([part[1] for part in found]).tolist() == groups.tolist()


def test_content_ids_are_unique():
    digests = content_digests({"x": pa.array(["a", "b", "a", "a"])}, 4)
    ids = content_ids(digests, np.array([0, 0, 1, 2])).to_pylist()
    assert len(set(ids)) == 4
    assert [len(name) for name in ids] == [32, 32, 34, 34]
    assert ids[2] == f"{ids[0]}-1"


def test_rows_in_which_everything_is_missing_are_rows():
    columns = {"a": pa.array([1, None, None]), "b": pa.array(["x", None, None])}
    digests = content_digests(columns, 3).tolist()
    assert len(digests) == 3
    assert digests[1] == digests[2] != digests[0]
    assert content_digests({}, 3).tolist() == [digests[1]] * 3
