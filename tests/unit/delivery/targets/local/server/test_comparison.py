"""Two answers held beside each other, in both protocols and every form of a row."""

from __future__ import annotations

import json

import pytest

from gauntlet.delivery.targets.local.server.comparison import Incomparable, Pair, compare


def v1(*rows):
    return json.dumps({"predictions": list(rows)}).encode()


def v2(*columns):
    tensors = [{"name": str(index), "data": list(column)} for index, column in enumerate(columns)]
    return json.dumps({"model_name": "m", "outputs": tensors}).encode()


@pytest.mark.parametrize(
    ("stable", "candidate", "flip", "difference", "scores"),
    [
        (0.25, 0.375, False, 0.125, (0.25, 0.375)),
        (0.25, 0.5, True, 0.25, (0.25, 0.5)),  # the threshold itself decides for the class
        (1.0, 0, True, 1.0, (1.0, 0)),
        ([0.75, 0.25], [0.25, 0.75], True, 0.5, (0.25, 0.75)),
        ([0.5, 0.25, 0.25], [0.375, 0.375, 0.25], False, 0.125, (0.25, 0.25)),
        ([0.5, 0.25, 0.25], [0.25, 0.5, 0.25], True, 0.25, (0.25, 0.25)),
        ({"no": 0.75, "yes": 0.25}, {"yes": 0.75, "no": 0.25}, True, 0.5, (0.25, 0.75)),
        ("yes", "yes", False, 0.0, None),
        ("yes", "no", True, 1.0, None),
        (1, 2, True, 1.0, None),
        (True, False, True, 1.0, None),
    ],
)
def test_one_row(stable, candidate, flip, difference, scores):
    assert compare(v1(stable), v1(candidate), 0.5) == [Pair(flip, difference, scores)]


def test_the_threshold_is_the_caller_s():
    assert [compare(v1(0.25), v1(0.5), threshold)[0].flip for threshold in (0.125, 0.375, 0.75)] == [False, True, False]


def test_rows_of_the_second_protocol_stand_across_its_tensors():
    assert compare(v2([0.25, 0.5]), v2([0.25, 0.25]), 0.5) == compare(v1(0.25, 0.5), v1(0.25, 0.25), 0.5)
    assert compare(v2([0.75], [0.25]), v2([0.25], [0.75]), 0.5) == [Pair(True, 0.5, (0.25, 0.75))]


@pytest.mark.parametrize(
    ("stable", "candidate"),
    [
        (v1(0.1), v1(0.1, 0.2)),
        (v1(0.1), v1([0.1, 0.9])),
        (v1(0.1), b"<html>"),
        (v1(0.1), b"{}"),
        (v1(0.1), b"[]"),
        (v1(0.1), b"3"),
        (v1(0.1), b'{"predictions": 3}'),
        (v1(0.1), b'{"outputs": [{"data": [0.1]}, {"data": []}]}'),
        (v1(0.1), b'{"outputs": [{}]}'),
        (v1(0.1), b"\xff"),
    ],
)
def test_what_cannot_be_compared_says_so(stable, candidate):
    for one, other in ((stable, candidate), (candidate, stable)):
        with pytest.raises(Incomparable):
            compare(one, other, 0.5)
