import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gauntlet.reports.scale import Scale, robust, scale_over

FLOATS = st.lists(st.one_of(st.none(), st.floats()), max_size=20)


def test_ticks_are_round_and_written_alike():
    scale = Scale(0.013, 0.987, 0, 100)
    ticks = scale.ticks(5)
    assert ticks == pytest.approx([0.2, 0.4, 0.6, 0.8])
    assert scale.written(ticks) == ["0.2", "0.4", "0.6", "0.8"]
    assert scale.written(ticks, unit="%") == ["20%", "40%", "60%", "80%"]


def test_a_quarter_step_keeps_its_digits():
    scale = Scale(0, 0.1, 0, 100)
    assert scale.written(scale.ticks(4)) == ["0.000", "0.025", "0.050", "0.075", "0.100"]


def test_log_ticks_over_decades_and_within_one():
    wide = Scale(0.9, 1500, 0, 100, log=True)
    assert wide.ticks(6) == [1, 10, 100, 1000] or set(wide.ticks(6)) >= {1.0, 10.0, 100.0, 1000.0}
    narrow = Scale(0.5, 1.5, 0, 100, log=True)
    assert len(narrow.ticks(6)) >= 3


def test_pixels_run_either_way_and_end_at_the_ends():
    down = Scale(0, 10, 200, 20)
    assert down.at(0) == 200
    assert down.at(10) == 20
    assert down.at(5) == 110
    assert down.at(math.inf) == 20
    assert down.at(-math.inf) == 200
    assert Scale(1, 100, 0, 10, log=True).at(10) == pytest.approx(5)


def test_nothing_one_value_and_equal_values_give_a_scale():
    assert scale_over([], start=0, end=1) == Scale(0, 1, 0, 1)
    for values in ([5.0], [5.0, 5.0], [0.0], [-3.0, math.nan, None]):
        scale = scale_over(values, start=0, end=100)
        assert scale.low < scale.high
        assert scale.holds(values[0])


def test_a_margin_stops_at_the_floor():
    assert scale_over([0.0, 1.0], start=0, end=1, floor=0.0).low == 0.0
    assert scale_over([0.5, 1.0], start=0, end=1, ceiling=1.0).high == 1.0


def test_an_outlier_does_not_squeeze_the_rest():
    values = [float(i) for i in range(20)]
    assert robust([*values, 1e6]) == values
    assert robust(values) == values
    assert robust([1.0, 2.0, 1e6]) == [1.0, 2.0, 1e6]


@given(FLOATS, st.booleans(), st.integers(2, 8))
def test_any_values_give_a_usable_scale(values, log, most):
    scale = scale_over(values, start=10, end=300, log=log)
    assert math.isfinite(scale.low)
    assert math.isfinite(scale.high)
    assert scale.low < scale.high
    ticks = scale.ticks(most)
    assert len(ticks) <= 4 * most + 2
    assert all(math.isfinite(tick) for tick in ticks)
    assert len(scale.written(ticks)) == len(ticks)
    for value in values:
        if value is not None:
            assert 10 - 1e-6 <= scale.at(value) <= 300 + 1e-6
