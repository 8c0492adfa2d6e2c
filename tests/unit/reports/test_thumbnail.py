"""Histograms the size of a word."""

import math

import pytest

from builders.reports import HOSTILE, parsed, shapes
from gauntlet.reports.thumbnail import thumbnail


def heights(drawing: str) -> list[int]:
    (path,) = shapes(drawing, "path", "solo")
    return [28 - int(step.split("H")[0]) for step in path.get("d").split("V")[1:-1]]


def test_bars_are_as_high_as_their_share_of_the_highest():
    assert heights(thumbnail([1, 3, 0, 2])) == [9, 27, 0, 18]


def test_a_bar_of_few_rows_can_be_told_from_none():
    assert heights(thumbnail([1e-9, 1, 0])) == [1, 27, 0]


def test_many_bars_are_drawn_together_and_the_picture_stays_small():
    drawing = thumbnail([1.0] * 1000)
    assert len(heights(drawing)) == 40
    assert len(drawing) < 900


@pytest.mark.parametrize("shares", [[], [0.0, 0.0], [math.nan, -1.0]])
def test_nothing_to_draw_is_an_empty_picture(shares):
    assert not shapes(thumbnail(shares), "path")


def test_its_name_is_escaped():
    parsed(thumbnail([1.0], title=HOSTILE))
