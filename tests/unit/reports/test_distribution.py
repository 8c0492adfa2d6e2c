import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders.reports import HOSTILE, parsed, shapes, tips, words
from gauntlet.reports.distribution import bars, histogram_pair
from hypothesis_profiles import examples

FLOATS = st.lists(st.floats(), max_size=12)


def test_counts_are_shown_as_shares_whatever_their_totals():
    small = histogram_pair([0, 1, 2], [1, 3], [25, 75])
    large = histogram_pair([0, 1, 2], [1000, 3000], [1, 3])
    assert small == large
    assert tips(small) == ["0 to 1: 25.0% / 25.0%", "1 to 2: 75.0% / 75.0%"]


def test_bins_of_equal_width_stand_on_a_scale_of_values():
    first, second = shapes(histogram_pair([0, 1, 3], [1, 1]), "rect", "solo")
    assert float(second.get("width")) == pytest.approx(2 * float(first.get("width")), rel=0.02)


@pytest.mark.parametrize(
    "edges", [[0, 1, 2, 3, 1e6], [0, 1, 1000, 2000, 3000], [-math.inf, 0, 1, 2, math.inf], [0, 0, 1, 2, 3]]
)
def test_very_unequal_bins_are_drawn_equally_wide(edges):
    widths = {rect.get("width") for rect in shapes(histogram_pair(edges, [1, 1, 1, 1]), "rect", "solo")}
    assert len(widths) == 1


def test_edge_labels_never_overlap():
    edges = [0, 1.25, 2.5, 5.5, 17, 40, 90, 400, 123456789.0]
    axis = [
        node for node in shapes(histogram_pair(edges, [1] * 8), "text", "num") if node.get("text-anchor") == "middle"
    ]
    places = [(float(node.get("x")), len(node.text)) for node in axis]
    for (x, length), (next_x, next_length) in pairwise(places):
        assert next_x - x > 6 * (length + next_length) / 2


def test_the_second_distribution_is_an_outline_with_a_legend():
    drawing = histogram_pair([0, 1, 2], [1, 3], [3, 1], names=("training", "serving"))
    assert {"training", "serving"} <= set(words(drawing))
    assert len(shapes(drawing, "path", "second")) == 1


@pytest.mark.parametrize(("edges", "counts"), [([], []), ([1.0], []), ([0, 1], [])])
def test_no_bins_say_so(edges, counts):
    assert words(histogram_pair(edges, counts)) == ["no values"]


def test_all_zero_counts_are_drawn_as_nothing():
    (rect,) = shapes(histogram_pair([0, 1], [0]), "rect", "solo")
    assert float(rect.get("height")) == 0


def test_the_largest_categories_come_first_and_the_rest_is_summed():
    drawing = bars([f"c{i}" for i in range(20)], list(range(20)), top=3)
    assert [text for text in words(drawing) if "%" not in text] == ["c19", "c18", "c17", "17 more"]
    shares = [float(text.rstrip("%")) for text in words(drawing) if "%" in text]
    assert sum(shares) == pytest.approx(100, abs=0.2)


def test_one_category_over_the_top_gets_its_own_bar():
    assert "1 more" not in words(bars(["a", "b", "c"], [3, 2, 1], top=2))


def test_raw_values_are_not_divided():
    assert {"0.31", "0.22"} <= set(words(bars(["age", "gain"], [0.31, 0.22], shares=False)))


def test_a_category_that_vanished_has_a_bar_of_no_length():
    drawing = bars(["a", "b"], [1, 1], [2, 0], names=("then", "now"))
    lengths = [float(rect.get("width")) for rect in shapes(drawing, "rect", "solid")]
    assert lengths[1] == 0
    assert "0%" in words(drawing)


def test_category_names_are_escaped():
    drawing = bars([HOSTILE], [1])
    assert "<script" not in drawing
    parsed(drawing)


@examples(60)
@given(FLOATS, FLOATS, st.one_of(st.none(), FLOATS))
def test_any_histogram_can_be_drawn(edges, before, after):
    drawing = histogram_pair(sorted(edges), before, after)
    assert "nan" not in drawing.lower()
    parsed(drawing)


@examples(60)
@given(
    st.lists(st.text(max_size=40, alphabet="ab<&é"), max_size=20), FLOATS, st.one_of(st.none(), FLOATS), st.booleans()
)
def test_any_categories_can_be_drawn(categories, before, after, shares):
    drawing = bars(categories, before, after, shares=shares)
    assert "nan" not in drawing.lower()
    parsed(drawing)


def test_bars_of_whole_numbers_are_named_by_whole_numbers():
    assert words(histogram_pair([-0.5, 0.5, 1.5], [3, 1]))[-2:] == ["0", "1"]


def test_bars_of_points_in_time_are_named_by_dates():
    edges = [1_767_225_600 + 86_400 * day for day in range(41)]
    drawn = histogram_pair(edges, [1] * 40, times=True)
    assert words(drawn)[-3:] == ["2026-01-01", "2026-01-15", "2026-01-29"]
    assert tips(drawn)[0] == "2026-01-01 to 2026-01-02: 2.5%"
