import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders.reports import HOSTILE, parsed, shapes, tips, words
from gauntlet.reports.curves import CalibrationBin, Series, calibration, curve, sparkline
from hypothesis_profiles import examples

FLOATS = st.lists(st.floats(), max_size=30)


def _points(drawing, class_="l0"):
    (path,) = [node for node in shapes(drawing, "path", class_) if "line" in node.get("class")]
    numbers = path.get("d").replace("M", " ").replace("L", " ").split()
    return list(zip(map(float, numbers[::2]), map(float, numbers[1::2]), strict=True))


def test_a_roc_curve_runs_from_corner_to_corner_of_its_diagonal():
    drawing = curve([Series("model", [0, 0.2, 1], [0, 0.9, 1])], x="fpr", y="tpr", diagonal=True)
    (diagonal,) = shapes(drawing, "line", "reference")
    points = _points(drawing)
    assert points[0] == (float(diagonal.get("x1")), float(diagonal.get("y1")))
    assert points[-1] == (float(diagonal.get("x2")), float(diagonal.get("y2")))
    assert {"model", "fpr", "tpr"} <= set(words(drawing))


def test_a_long_series_is_thinned_and_keeps_its_peak():
    y = [0.5] * 100_000
    y[54_321] = 1.0
    y[77_777] = 0.0
    points = _points(curve([Series("s", range(100_000), y)], x="x", y="y", unit_square=False))
    assert len(points) <= 410
    heights = [height for _, height in points]
    assert min(heights) < heights[0] < max(heights)


def test_one_point_is_a_dot_and_none_says_so():
    assert len(shapes(curve([Series("s", [1], [2])], x="x", y="y"), "circle", "dot")) == 1
    assert "s (no values)" in words(curve([Series("s", [], [])], x="x", y="y"))
    parsed(curve([], x="x", y="y"))


def test_lines_differ_by_more_than_colour():
    several = [Series(f"s{i}", [0, 1], [i, i]) for i in range(5)]
    looks = {node.get("class") for node in shapes(curve(several, x="x", y="y"), "path", "line")}
    assert len(looks) == 5


def test_names_are_escaped():
    drawing = curve([Series(HOSTILE, [0, 1], [0, 1])], x=HOSTILE, y=HOSTILE)
    assert "<script" not in drawing


def test_calibration_shows_each_group_with_its_interval_and_rows():
    drawing = calibration([CalibrationBin(0.2, 0.25, 0.21, 0.29, 1200), CalibrationBin(0.8, 0.7, 0.6, 0.8, 40)])
    assert "predicted 20.0%, observed 25.0% (21.0% to 29.0%), 1,200 rows" in tips(drawing)
    assert len(shapes(drawing, "line", "whisker")) == 2
    large, small = shapes(drawing, "rect", "first")
    assert float(large.get("height")) > float(small.get("height"))


def test_calibration_of_nothing_says_so():
    assert "no values" in words(calibration([]))
    assert "no values" in words(calibration([CalibrationBin(math.nan, 0.1, 0, 1, 3)]))


def test_a_sparkline_says_where_it_starts_and_ends():
    assert parsed(sparkline([1, 5, 2])).get("aria-label") == "from 1 to 2"
    assert parsed(sparkline([])).get("aria-label") == "no values"
    assert len(shapes(sparkline([math.nan, 3]), "circle")) == 1


@examples(60)
@given(FLOATS, FLOATS, st.booleans())
def test_any_series_can_be_drawn(x, y, diagonal):
    for drawing in (curve([Series("s", x, y)], x="x", y="y", diagonal=diagonal), sparkline(y)):
        assert "nan" not in drawing.lower()
        parsed(drawing)


@examples(60)
@given(st.lists(st.builds(CalibrationBin, *[st.floats()] * 4, st.integers(0, 10**12)), max_size=8))
def test_any_calibration_can_be_drawn(bins):
    drawing = calibration(bins)
    assert "nan" not in drawing.lower()
    parsed(drawing)


def test_axes_of_huge_values_stay_readable():
    drawing = curve([Series("s", [0, 1e308], [-1e308, 1e308])], x="x", y="y")
    assert all(len(text) < 20 for text in words(drawing))


@pytest.mark.parametrize("value", [0.0, 5.0, -3.0])
def test_a_constant_series_lies_in_the_middle(value):
    points = _points(curve([Series("s", [0, 1], [value, value])], x="x", y="y"))
    assert points[0][1] == points[1][1]
