"""Misspelt text: what each way does, and what it leaves alone."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gauntlet.behavior.spelling import in_case, with_spaces, with_typos

TEXTS = pa.array(["North East", "straße", "", None])


@pytest.mark.parametrize(
    ("to", "expected"),
    [("upper", "NORTH EAST"), ("lower", "north east"), ("title", "North East"), ("swap", "nORTH eAST")],
)
def test_case(to, expected):
    changed = in_case(TEXTS, to)
    assert changed[0].as_py() == expected
    assert changed[3].as_py() is None


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ("leading", " North East"),
        ("trailing", "North East "),
        ("around", " North East "),
        ("doubled", "North  East"),
    ],
)
def test_spaces(where, expected):
    changed = with_spaces(TEXTS, where)
    assert changed[0].as_py() == expected
    assert changed[3].as_py() is None


def test_a_place_for_spaces_that_there_is_not():
    with pytest.raises(ValueError, match="between"):
        with_spaces(TEXTS, "between")


@given(st.lists(st.none() | st.text(max_size=12), min_size=1, max_size=8), st.integers(1, 3), st.integers(0, 99))
def test_slips_keep_types_nulls_and_nearly_the_length(texts, slips, seed):
    before = pa.array(texts, pa.string())
    after = with_typos(before, slips, np.random.default_rng(seed))
    assert after.type == pa.string()
    for old, new in zip(texts, after.to_pylist(), strict=True):
        assert (old is None) == (new is None)
        if old is not None and new is not None:
            assert abs(len(new) - len(old)) <= slips
            assert (new == "") == (old == ""), "a text is never slipped away"
            assert (Counter(new) - Counter(old)).total() <= slips, "at most one letter a slip is new"


@given(st.text(min_size=1, max_size=12), st.integers(0, 999))
def test_one_slip_always_shows(text, seed):
    assert with_typos(pa.array([text]), 1, np.random.default_rng(seed))[0].as_py() != text


def test_the_seed_decides():
    texts = pa.array(["region"] * 50)
    first, again, other = (with_typos(texts, 1, np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert first == again
    assert first != other
    assert len(set(first.to_pylist())) > 5
