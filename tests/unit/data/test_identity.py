"""Identities are unique, and depend on what a row says and on nothing else."""

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from gauntlet.data.identity import content_digests, content_ids, key_digests, key_ids

text = st.text(alphabet="ab|\\", max_size=4)


def digest(row, **columns):
    return content_digests({name: pa.array([value]) for name, value in {**row, **columns}.items()}, 1).tolist()


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
