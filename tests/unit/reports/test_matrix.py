"""Confusion matrices as pictures."""

import pytest

from builders.reports import HOSTILE, shapes, tips, words
from gauntlet.reports.matrix import matrix


def test_cells_show_their_share_of_the_actual_class():
    drawing = matrix(["no", "yes"], [[6, 2], [1, 3]])
    assert words(drawing) == ["decided", "no", "yes", "no", "75%", "25%", "yes", "25%", "75%"]
    assert "no decided as yes: 2, 25.0%" in tips(drawing)
    assert [rect.get("fill-opacity") for rect in shapes(drawing, "rect", "right")] == ["0.75", "0.75"]
    assert [rect.get("fill-opacity") for rect in shapes(drawing, "rect", "wrong")] == ["0.25", "0.25"]


def test_a_class_without_rows_is_an_empty_row():
    assert len(shapes(matrix(["a", "b"], [[0, 0], [0, 4]]), "rect", "wrong")) == 0


@pytest.mark.parametrize("k", [1, 7, 20])
def test_it_is_no_wider_than_the_page_however_many_and_long_the_names(k):
    drawing = matrix([HOSTILE * 3 + str(i) for i in range(k)], [[1] * k] * k)
    assert float(drawing.split('width="')[1].split('"')[0]) <= 960
    assert "<script" not in drawing
    assert len(shapes(drawing, "rect", "cell")) == k * k


def test_cells_too_narrow_for_words_have_none_and_keep_their_tips():
    drawing = matrix([f"a rather long class {i}" for i in range(20)], [[1] * 20] * 20)
    assert "5%" not in words(drawing)
    assert "a rather long class 0 decided as a rather long class 1: 1, 5.0%" in tips(drawing)


def test_no_classes_are_said():
    assert words(matrix([], [])) == ["no classes"]
