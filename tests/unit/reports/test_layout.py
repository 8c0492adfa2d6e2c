from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gauntlet.errors import InternalError
from gauntlet.reports.layout import layered
from hypothesis_profiles import examples


@st.composite
def graphs(draw):
    size = draw(st.integers(0, 14))
    names = [f"n{i}" for i in range(size)]
    pairs = [(a, b) for i, a in enumerate(names) for b in names[i + 1 :]]
    return names, draw(st.lists(st.sampled_from(pairs), max_size=30)) if pairs else []


def test_a_node_lies_below_all_it_depends_on():
    plan = layered("abcd", [("a", "b"), ("b", "c"), ("a", "d"), ("d", "c")], distance=100, narrow=20)
    layers = {name: layer for name, (_, layer) in plan.places.items()}
    assert layers == {"a": 0, "b": 1, "d": 1, "c": 2}


def test_a_link_that_a_longer_way_shows_is_left_out():
    plan = layered("abc", [("a", "b"), ("b", "c"), ("a", "c")], distance=100, narrow=20)
    assert set(plan.routes) == {("a", "b"), ("b", "c")}


def test_a_source_stands_just_above_what_needs_it():
    plan = layered("abcx", [("a", "b"), ("b", "c"), ("x", "c")], distance=100, narrow=20)
    assert plan.places["x"][1] == 1


def test_a_diamond_is_symmetric():
    plan = layered("abcd", [("a", "b"), ("a", "c"), ("b", "d"), ("c", "d")], distance=100, narrow=20)
    x = {name: place[0] for name, place in plan.places.items()}
    assert abs(x["b"] - x["c"]) == pytest.approx(100)
    assert x["a"] == pytest.approx(x["d"]) == pytest.approx((x["b"] + x["c"]) / 2)


def test_crossings_are_untangled():
    plan = layered(["a", "b", "c", "d"], [("a", "d"), ("b", "c")], distance=100, narrow=20)
    x = {name: place[0] for name, place in plan.places.items()}
    assert (x["a"] < x["b"]) == (x["d"] < x["c"])


def test_a_circle_is_our_own_mistake():
    with pytest.raises(InternalError, match="cycle"):
        layered("ab", [("a", "b"), ("b", "a")], distance=1, narrow=1)


@examples(80)
@given(graphs())
def test_every_graph_is_laid_out_without_overlap(graph):
    names, links = graph
    plan = layered(names, links, distance=100, narrow=20)
    assert set(plan.places) == set(names)
    for (a, b), route in plan.routes.items():
        assert route[0] == plan.places[a]
        assert route[-1] == plan.places[b]
        assert [layer for _, layer in route] == list(range(plan.places[a][1], plan.places[b][1] + 1))
    for layer in range(plan.layers):
        x = sorted(place[0] for place in plan.places.values() if place[1] == layer)
        assert all(right - left >= 100 - 1e-6 for left, right in pairwise(x))
    assert all(0 <= place[0] <= plan.width for place in plan.places.values())


@examples(40)
@given(graphs())
def test_what_can_be_reached_stays_reachable(graph):
    names, links = graph
    plan = layered(names, links, distance=100, narrow=20)

    def closure(pairs):
        reach = {(a, b) for a, b in pairs}
        for middle in names:
            reach |= {(a, d) for a, b in reach if b == middle for c, d in reach if c == middle}
        return reach

    assert closure(plan.routes) == closure(links)
