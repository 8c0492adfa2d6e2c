"""Readable names of values, in columns and where a policy compares with one."""

import pyarrow as pa
import pytest

from gauntlet.evaluation.value_names import named, named_reference


@pytest.mark.parametrize(
    ("values", "names", "expected"),
    [
        (pa.array([0, 1, 1, None]), {"0": "Black", "1": "white"}, ["Black", "white", "white", None]),
        (pa.array([True, False]), {"true": "member"}, ["member", "false"]),
        (pa.array(["a", "b"]), {"a": "b", "b": "a"}, ["b", "a"]),
        (pa.array([2.0, 0.5]), {"2": "two"}, ["two", "0.5"]),
        (pa.array([], pa.int64()), {"0": "x"}, []),
    ],
    ids=["codes", "booleans", "swapped", "numbers", "no rows"],
)
def test_values_take_their_names_and_the_others_keep_theirs(values, names, expected):
    parts = pa.chunked_array([values.slice(0, 1), values.slice(1)], values.type)
    assert named(parts, names).to_pylist() == expected


def test_a_reference_may_be_written_by_name_or_as_the_data_do():
    names = {"race": {"0": "Black", "1": "white"}}
    assert named_reference({"race": "1", "sex": "2"}, names) == {"race": "white", "sex": "2"}
    assert named_reference({"race": "white"}, names) == {"race": "white"}
