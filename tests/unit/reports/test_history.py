import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders.reports import HOSTILE, parsed, shapes, words
from gauntlet.reports.history import Line, history


def drawn(*lines, **more):
    return history(lines, **{"seconds": 600.0, "y": "evidence", **more})


def test_a_line_goes_through_its_points_and_a_band_around_them():
    svg_plot = drawn(Line("errors", [(0, 0.1), (300, 0.2), (600, 0.3)], [(0.0, 0.2), (0.1, 0.3), (0.2, 0.4)]), unit="%")
    (line,) = shapes(svg_plot, "path", "line")
    (band,) = shapes(svg_plot, "path", "band")
    assert line.get("d").count("L") == 2
    assert band.get("d").count("L") == 5
    assert "errors" in words(svg_plot)
    assert any(word.endswith("%") for word in words(svg_plot))


def test_one_point_is_a_dot_with_its_interval():
    svg_plot = drawn(Line("errors", [(60, 0.1)], [(0.05, 0.2)]))
    assert len(shapes(svg_plot, "circle", "dot")) == 1
    assert len(shapes(svg_plot, "line", "whisker")) == 1


def test_the_bound_is_drawn_and_named():
    svg_plot = drawn(Line("errors", [(0, 1.0), (600, 3.0)]), bound=20.0, bound_name="1/α = 20", log=True)
    assert len(shapes(svg_plot, "line", "bound")) == 1
    assert "1/α = 20" in words(svg_plot)


def test_wide_logarithmic_axes_are_written_in_powers_of_ten():
    svg_plot = words(drawn(Line("errors", [(0, 1e-6), (600, 1e6)]), log=True))
    assert "10⁴" in svg_plot or "10⁶" in svg_plot
    assert not any("000,000" in word for word in svg_plot)


def test_what_cannot_be_drawn_is_left_out_and_said():
    svg_plot = drawn(Line("errors", [(0, math.nan), (60, 0.0), (120, -1.0)]), Line("latency", []), log=True)
    assert shapes(svg_plot, "path", "line") == []
    assert "no values" in words(svg_plot)
    assert "latency (no values)" in words(svg_plot)


def test_many_names_take_several_rows():
    svg_plot = drawn(*(Line(f"a metric with a long name {i}", [(0, 1.0), (600, 2.0)]) for i in range(6)))
    heights = {node.get("y") for node in shapes(svg_plot, "text") if "long name" in "".join(node.itertext())}
    assert len(heights) >= 3


def test_names_are_escaped():
    assert "<script" not in drawn(Line(HOSTILE, [(0, 1.0)]), y=HOSTILE, since=HOSTILE, bound=1.0, bound_name=HOSTILE)


@given(
    st.lists(st.tuples(st.floats(0, 1e6), st.floats(allow_nan=True, allow_infinity=True)), max_size=8),
    st.booleans(),
)
def test_any_values_give_a_sound_drawing(points, log):
    parsed(drawn(Line("a", points), log=log, bound=20.0))


def test_a_band_has_an_interval_for_every_point():
    with pytest.raises(ValueError, match="zip"):
        drawn(Line("a", [(0, 1.0), (1, 2.0)], [(0.0, 1.0)]))
