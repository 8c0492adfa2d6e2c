import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders.reports import HOSTILE, parsed, shapes, words
from gauntlet.reports.forest import ForestRow, forest, interval_bar
from hypothesis_profiles import examples

FLOAT = st.one_of(st.none(), st.floats())
STATUS = st.sampled_from(["pass", "fail", "inconclusive", "error", "", "something else"])
ROWS = st.lists(
    st.builds(ForestRow, st.text(max_size=60, alphabet="ab <&é"), FLOAT, FLOAT, FLOAT, st.integers(0, 10**9), STATUS),
    max_size=30,
)


def test_each_row_shows_its_name_its_size_and_its_interval():
    labels = words(forest([ForestRow("sex=Female", 0.0512, 0.0401, 0.0623, 10771, "pass")], bound=0.1, unit="%"))
    assert "sex=Female" in labels
    assert "10,771" in labels
    assert "5.1% (4.0% to 6.2%)" in labels


def test_a_status_is_a_shape_and_not_only_a_colour():
    kinds = {}
    for status in ("pass", "fail", "inconclusive", "error"):
        tree = forest([ForestRow("x", 1.0, None, None, 5, status)])
        marks = [node for tag in ("circle", "path") for node in shapes(tree, tag, f"s-{status}")]
        assert len(marks) == 1
        kinds[status] = (marks[0].tag, "hollow" in marks[0].get("class"), marks[0].get("d", "").count("M"))
    assert len(set(kinds.values())) == 4


def test_the_bound_is_drawn_and_the_side_beyond_it_shaded():
    row = ForestRow("x", 0.0, -1.0, 1.0)
    (bound,) = shapes(forest([row], bound=0.5, direction="max"), "line", "bound")
    (beyond,) = shapes(forest([row], bound=0.5, direction="max"), "rect", "beyond")
    assert float(beyond.get("x")) == pytest.approx(float(bound.get("x1")))
    (below,) = shapes(forest([row], bound=0.5, direction="min"), "rect", "beyond")
    assert float(below.get("x")) + float(below.get("width")) == pytest.approx(float(bound.get("x1")), abs=0.02)
    assert not shapes(forest([row], bound=0.5), "rect", "beyond")
    assert not shapes(forest([row], bound=math.nan), "line", "bound")


def test_an_open_end_is_an_arrow_and_a_closed_one_a_tick():
    closed = forest([ForestRow("x", 0.1, 0.0, 0.2, 9, "pass")])
    opened = forest([ForestRow("x", 0.1, 0.0, math.inf, 9, "pass"), ForestRow("y", 0.2)])
    assert len(shapes(closed, "path", "fill")) == 0
    assert len(shapes(opened, "path", "fill")) == 1
    assert "0.10 (at least 0)" in words(opened) or any("at least 0" in text for text in words(opened))


def test_what_could_not_be_estimated_says_so():
    assert "not estimated" in words(forest([ForestRow("x", None), ForestRow("y", math.nan, 0.0, 1.0)]))


def test_no_rows_is_a_drawing_that_says_so():
    assert words(forest([])) == ["nothing to show"]


def test_a_hundred_rows_get_an_axis_at_both_ends():
    rows = [ForestRow(f"slice {i}", i / 100, i / 100 - 0.1, i / 100 + 0.1, i, "pass") for i in range(100)]
    drawing = forest(rows)
    assert words(drawing).count("0.25") == words(drawing).count("0.75") == 2
    assert float(parsed(drawing).get("height")) > 100 * 20


@pytest.mark.parametrize("worst", [ForestRow("worst", 0.9, 0.7, 1.0, 40, "fail"), ForestRow("worst", 0.9)])
def test_the_group_that_fares_worst_is_in_view_however_far_out(worst):
    rows = [ForestRow(f"slice {i}", i / 1000, i / 1000 - 0.01, i / 1000 + 0.01, 500, "pass") for i in range(40)]
    drawing = forest([worst, *rows], bound=0.1, direction="max")
    assert {"0.0", "0.2", "0.4", "0.6", "0.8"} <= set(words(drawing))
    assert len(shapes(drawing, "path")) == (worst.status == "fail"), "its own mark, and no arrow"


def test_an_interval_that_says_nothing_leaves_the_plot_and_the_rest_can_be_read():
    rows = [ForestRow("a", 1.0, 0.8, 1.2, 500, "pass"), ForestRow("b", 2.0, -400.0, 900.0, 3, "inconclusive")]
    drawing = forest(rows, bound=1.5, direction="max")
    assert len(shapes(drawing, "path", "s-inconclusive")) == 2, "an arrow at either end"
    assert "2 (−400 to 900)" in " ".join(words(drawing))
    failed = forest([rows[0], ForestRow("b", 2.0, 1.6, 900.0, 3, "fail")], bound=1.5, direction="max")
    assert "1,000" in words(failed) or "800" in words(failed)


@pytest.mark.parametrize("ends", [(0.0, 0.0), (None, None)])
def test_a_ratio_of_zero_has_an_arrow_where_a_log_scale_has_no_place(ends):
    drawing = forest([ForestRow("x", 0.0, *ends, 5, "fail"), ForestRow("y", 1.5)], log=True, bound=0.8)
    assert shapes(drawing, "path", "s-fail")


def test_a_ratio_of_zero_is_left_out_of_a_log_scale():
    parsed(forest([ForestRow("x", 0.0, 0.0, 2.0, 5, "fail"), ForestRow("y", 1.5, 1.0, 2.0)], log=True, bound=0.8))


def test_names_are_escaped_and_long_ones_shortened_with_the_whole_name_in_a_tip():
    drawing = forest([ForestRow(HOSTILE * 3, 0.5, 0.4, 0.6)])
    assert "<script" not in drawing
    assert HOSTILE * 3 in {node.text for node in parsed(drawing).iter("{http://www.w3.org/2000/svg}title")}


@examples(60)
@given(ROWS, FLOAT, st.sampled_from(["", "max", "min"]), st.sampled_from(["", "%", "ms"]), st.booleans())
def test_any_rows_can_be_drawn(rows, bound, direction, unit, log):
    drawing = forest(rows, bound=bound, direction=direction, unit=unit, log=log)
    assert "nan" not in drawing.lower()
    assert drawing == forest(rows, bound=bound, direction=direction, unit=unit, log=log)
    parsed(drawing)


@examples(60)
@given(FLOAT, st.one_of(st.none(), st.tuples(FLOAT, FLOAT)), FLOAT, STATUS)
def test_any_check_can_have_a_bar(measured, ends, bound, status):
    drawing = interval_bar(measured, ends, bound, direction="max", status=status)
    assert "nan" not in drawing.lower()
    if drawing:
        parsed(drawing)


def test_a_check_without_a_value_has_no_bar():
    assert interval_bar(None, None, 0.5) == ""
