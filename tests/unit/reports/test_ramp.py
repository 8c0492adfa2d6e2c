import pytest

from builders.reports import HOSTILE, parsed, shapes, tips, words
from gauntlet.reports.ramp import Mark, Stretch, ramp

WAY = (
    Stretch(0, 60, 0, "deploying"),
    Stretch(60, 300, 5, "ramping"),
    Stretch(300, 560, 10, "ramping"),
    Stretch(560, 580, 0, "rolling back", back=True),
    Stretch(580, 580, 0, "rolled back", back=True),
)
LOOKS = (Mark(120, "inconclusive", "look 1"), Mark(180, "pass", "look 2"), Mark(560, "fail", "look 3"))
MOMENTS = (Mark(560, "fail", "harm shown"), Mark(580, "none", "20 s later: no requests any more"))


def drawn(way=WAY, looks=LOOKS, moments=MOMENTS, seconds=580.0):
    return ramp(way, looks, moments, seconds=seconds, since="2026-03-01T14:05:09Z")


def test_the_weight_is_a_step_line_from_the_beginning_to_the_end():
    (line,) = shapes(drawn(), "path", "line")
    points = [tuple(map(float, pair[1:].split())) for pair in line.get("d").replace(" L", "|L").split("|")]
    assert len(points) == 2 * len(WAY)
    assert [x for x, _ in points] == sorted(x for x, _ in points)
    zero, five, ten = points[0][1], points[2][1], points[4][1]
    assert zero - ten == pytest.approx(2 * (zero - five))
    assert points[-1][1] == zero


def test_neighbours_of_one_phase_are_one_area_and_what_is_taken_back_is_told_apart():
    svg_plot = drawn()
    assert len(shapes(svg_plot, "rect", "phase")) == 4
    assert len(shapes(svg_plot, "rect", "back")) == 2
    assert "ramping" in words(svg_plot)
    assert "ramping, 8 min 20 s" in tips(svg_plot)
    assert "rolling back" not in words(svg_plot), "there is no room for it"


def test_every_look_has_a_mark_and_a_tip():
    svg_plot = drawn()
    assert {"look 1", "look 2", "look 3"} <= set(tips(svg_plot))
    assert tips(svg_plot).index("look 2") < tips(svg_plot).index("look 3"), "the worst lies on top"


def test_words_of_moments_do_not_lie_over_each_other():
    svg_plot = drawn(moments=(*MOMENTS, Mark(570, "pass", "another word")))
    heights = [node.get("y") for node in shapes(svg_plot, "text", "halo")]
    assert len(heights) == len(set(heights)) == 3
    far_apart = drawn(moments=(Mark(60, "pass", "first"), Mark(400, "pass", "second")))
    assert len({node.get("y") for node in shapes(far_apart, "text", "halo")}) == 1


def test_many_looks_are_small():
    def radius(n):
        svg_plot = drawn(looks=tuple(Mark(i, "pass", f"look {i}") for i in range(n)))
        return max(float(node.get("r")) for node in shapes(svg_plot, "circle", "s-pass"))

    assert radius(400) < radius(40)


@pytest.mark.parametrize("seconds", [0.0, 580.0])
def test_nothing_and_strange_words_still_make_a_drawing(seconds):
    parsed(drawn(way=(), looks=(), moments=(), seconds=seconds))
    strange = drawn(way=(Stretch(0, 580, 5, HOSTILE),), looks=(Mark(1, HOSTILE, HOSTILE),), moments=MOMENTS)
    assert "<script" not in strange
