import pytest

from builders.reports import words
from gauntlet.reports import svg
from gauntlet.reports.elapsed import axis, elapsed


@pytest.mark.parametrize(
    ("seconds", "unit"),
    [(20, "seconds"), (180, "seconds"), (181, "minutes"), (10_800, "minutes"), (11_000, "hours"), (400_000, "days")],
)
def test_time_is_counted_in_the_unit_one_would_use(seconds, unit):
    across = elapsed(seconds, start=0, end=100)
    assert across.unit == unit
    assert across.at(seconds) == pytest.approx(100)
    assert across.at(seconds / 2) == pytest.approx(50)
    assert across.at(0) == 0


@pytest.mark.parametrize("seconds", [0.0, -3.0])
def test_no_time_at_all_is_an_axis_too(seconds):
    assert elapsed(seconds, start=0, end=100).at(0) == 0


def test_the_axis_says_since_when():
    parts = axis(elapsed(1_500, start=0, end=400), 10, "2026-03-01T14:05:09Z")
    labels = words(svg.drawing(400, 60, *parts, title="t"))
    assert labels[-1] == "minutes since 2026-03-01T14:05:09Z"
    assert labels[:3] == ["0", "5", "10"]
