"""Drawings of a load: what is on them, and that nothing breaks them."""

from __future__ import annotations

import math
import re
from itertools import pairwise

import pytest

from builders.reports import HOSTILE
from gauntlet.reports.plots import Series, TailMark, Trial, scatter, tail, trials


def numbers(pattern: str, drawing: str) -> list[float]:
    return [float(found) for found in re.findall(pattern, drawing)]


def test_every_further_nine_takes_the_same_room() -> None:
    quantiles = [0.0, 0.9, 0.99, 0.999]
    drawn = tail([Series("latency", quantiles, [1.0, 2.0, 4.0, 8.0])], y="ms")
    path = re.search(r'd="(M[^"]+)" class="line l0"', drawn)
    assert path is not None
    points = [tuple(map(float, pair.split())) for pair in re.split(" ?[ML]", path.group(1))[1:]]
    steps = [b[0] - a[0] for a, b in pairwise(points)]
    assert steps == pytest.approx([steps[0]] * 3, abs=0.02)
    heights = [b[1] - a[1] for a, b in pairwise(points)]
    assert heights == pytest.approx([heights[0]] * 3, abs=0.02)  # twice the latency, the same step
    for words in ("0%", "50%", "90%", "99%", "99.9%"):
        assert f">{words}<" in drawn


def test_a_mark_carries_its_interval_its_limit_and_its_status() -> None:
    mark = TailMark(0.99, 40.0, 30.0, 55.0, 50.0, "inconclusive")
    drawn = tail([Series("latency", [0.5, 0.99], [10.0, 40.0])], [mark], y="ms")
    assert "40, interval 30 to 55, limit 50" in drawn
    assert "s-inconclusive" in drawn
    assert 'class="bound"' in drawn
    open_end = tail([Series("latency", [0.5], [10.0])], [TailMark(0.999, 40.0, 30.0, math.inf)], y="ms")
    assert "at least 30" in open_end
    assert "nan" not in open_end.lower()


@pytest.mark.parametrize("values", [[], [1.0], [0.0, -1.0], [math.nan, math.inf], [5.0] * 9])
def test_a_tail_of_anything_is_a_drawing(values: list[float]) -> None:
    drawn = tail([Series(HOSTILE, [i / 10 for i in range(len(values))], values)], y=HOSTILE)
    assert drawn.startswith("<svg")
    assert "<script" not in drawn
    assert "nan" not in drawn.lower()


def test_runs_that_were_kept_and_not_are_told_apart_by_shape() -> None:
    runs = [Trial(100, 10, True), Trial(200, 12, True), Trial(400, 900, False)]
    drawn = trials(runs, limit=250.0, asked=150.0, x="rate", y="p99")
    assert drawn.count("s-pass fill") == 3  # the legend has one of each
    assert drawn.count("s-fail fill") == 2
    assert drawn.count('class="bound"') == 2
    assert "400: 900, not kept" in drawn
    assert trials([], x="rate", y="p99").startswith("<svg")
    assert trials([Trial(100, math.nan, False)], x=HOSTILE, y="p99").count("<script") == 0


def test_equal_pairs_lie_on_the_diagonal() -> None:
    drawn = scatter([0.1, 0.5, 0.9], [0.1, 0.5, 0.8], x="offline", y="served")
    across, up = numbers(r'cx="([\d.]+)"', drawn), numbers(r'cy="([\d.]+)"', drawn)
    line = re.search(r'x1="([\d.]+)" y1="([\d.]+)" x2="([\d.]+)" y2="([\d.]+)" class="reference"', drawn)
    assert line is not None
    x1, y1, x2, y2 = map(float, line.groups())
    on_line = [y1 + (x - x1) / (x2 - x1) * (y2 - y1) for x in across]
    assert up[:2] == pytest.approx(on_line[:2], abs=0.05)
    assert up[2] - on_line[2] > 5  # below the diagonal: served less than offline


def test_of_many_pairs_those_farthest_apart_are_drawn() -> None:
    offline = [i / 10_000 for i in range(10_000)]
    served = [*offline[:-1], 0.2]
    drawn = scatter(offline, served, x="offline", y="served")
    across, up = numbers(r'cx="([\d.]+)"', drawn), numbers(r'cy="([\d.]+)"', drawn)
    assert 300 < len(across) <= 700
    line = re.search(r'x1="([\d.]+)" y1="([\d.]+)" x2="([\d.]+)" y2="([\d.]+)" class="reference"', drawn)
    assert line is not None
    x1, y1, x2, y2 = map(float, line.groups())
    apart = [y - (y1 + (x - x1) / (x2 - x1) * (y2 - y1)) for x, y in zip(across, up, strict=True)]
    assert max(apart) > 100
    assert max(across) - min(across) > 300  # and the rest is still spread over all values


def test_no_pairs_and_pairs_that_are_no_numbers_are_drawings() -> None:
    assert scatter([], [], x="a", y="b").startswith("<svg")
    assert "nan" not in scatter([math.nan, 1.0], [1.0, math.inf], x="a", y="b").lower()
