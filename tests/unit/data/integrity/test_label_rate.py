"""The label's rate from span to span."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa
import pytest

from builders.integrity import QUIET, checks, examine, statuses
from gauntlet.errors import ConfigurationError
from gauntlet.stats.proportions import difference_of_shares


def look(tmp_path, columns, rate, *, confidence=0.95, **roles):
    policy = {**QUIET, "label_rate": rate, "confidence": confidence}
    return examine(tmp_path, columns, policy, roles={"label": "y", **roles})


def by_source(**rates):
    """A thousand rows from each source, with so many positives."""
    columns = {"source": [], "x": [], "y": []}
    for source, positives in rates.items():
        columns["source"] += [source] * 1_000
        columns["y"] += [1] * positives + [0] * (1_000 - positives)
    columns["x"] = list(range(len(columns["y"])))
    return columns


def test_each_span_is_held_against_the_rest(tmp_path):
    found = look(tmp_path, by_source(a=300, b=310, c=500), {"column": "source", "tolerance": 0.07})
    assert statuses(found) == {
        "label rate: a": "inconclusive",
        "label rate: b": "inconclusive",
        "label rate: c": "fail",
    }
    check = checks(found)["label rate: c"]
    assert check.measured == pytest.approx(0.5 - 0.305)
    assert check.interval == pytest.approx(difference_of_shares((610, 2000), (500, 1000), 0.05 / 3))
    assert "In c, `y` is 1 in 50.0% of rows, elsewhere 30.5%" in check.reason
    assert checks(found)["label rate: a"].rows_needed > 1_000
    assert checks(found)["label rate: b"].rows_needed is None, "the others' rate is not known to two points"


def test_alike_spans_pass(tmp_path):
    found = look(tmp_path, by_source(a=300, b=310, c=305), {"column": "source", "tolerance": 0.08})
    assert set(statuses(found).values()) == {"pass"}


def test_spans_too_small_are_named_and_not_judged(tmp_path):
    columns = by_source(a=300, b=310)
    columns = {name: values + values[:30] for name, values in columns.items()}
    columns["source"] = [*columns["source"][:2000], *["tiny"] * 30]
    found = look(tmp_path, columns, {"column": "source"})
    check = checks(found)["label rate: small spans"]
    assert check.status == "inconclusive"
    assert check.rows_needed == 100
    assert "tiny (30 rows)" in check.reason
    assert "label rate: tiny" not in statuses(found)


def test_one_span_alone_has_nothing_to_be_compared_with(tmp_path):
    assert statuses(look(tmp_path, {"x": [1, 2], "y": [0, 1]}, {})) == {"label rate": "error"}


@pytest.mark.parametrize(
    ("by", "names"),
    [
        ("month", ["2024-01", "2024-02", "2024-03"]),
        ("quarter", ["2023, quarter 4", "2024, quarter 1"]),
        ("year", ["2023", "2024"]),
        ("week", ["week of 2023-12-25", "week of 2024-01-01"]),
        ("day", ["2023-12-31", "2024-01-01"]),
    ],
)
def test_spans_of_time_are_those_of_the_calendar_in_utc(tmp_path, by, names):
    start = datetime(2024, 1, 1, tzinfo=UTC) if by == "month" else datetime(2023, 12, 31, tzinfo=UTC)
    step = timedelta(days=31) if by == "month" else timedelta(days=1)
    times = [start + step * (n % len(names)) for n in range(300)]
    columns = {"t": pa.array(times, pa.timestamp("us", tz="UTC")), "x": list(range(300)), "y": [0, 0, 0, 1, 1, 1] * 50}
    found = look(tmp_path, columns, {"by": by}, time="t")
    assert [span.span for span in found.rates.spans] == names


def test_splits_come_in_their_order(tmp_path):
    part = {"x": list(range(200)), "y": [0, 1] * 100}
    policy = {**QUIET, "label_rate": {}}
    found = examine(tmp_path, dict.fromkeys(["test", "train", "validation"], part), policy, roles={"label": "y"})
    assert [span.span for span in found.rates.spans] == ["train", "validation", "test"]


def test_clustered_rows_give_wider_intervals(tmp_path):
    rng = np.random.default_rng(0)
    person = np.repeat(rng.random(400) < 0.3, 10).astype(int)
    columns = {
        "source": ["a"] * 2000 + ["b"] * 2000,
        "who": np.repeat(np.arange(400), 10),
        "x": range(4000),
        "y": person,
    }
    columns["x"] = list(columns["x"])
    alone = look(tmp_path / "a", columns, {"column": "source"}).rates.spans[0].interval
    shared = look(tmp_path / "b", columns, {"column": "source"}, cluster="who").rates.spans[0].interval
    assert (shared[1] - shared[0]) / (alone[1] - alone[0]) == pytest.approx(np.sqrt(10), rel=0.1)


def test_every_class_of_several_is_compared(tmp_path):
    rng = np.random.default_rng(1)
    kinds = np.concatenate([rng.choice(["p", "q", "r"], 2000), rng.choice(["p", "q", "r"], 2000, p=[0.6, 0.2, 0.2])])
    columns = {"source": ["a"] * 2000 + ["b"] * 2000, "x": list(range(4000)), "y": kinds.tolist()}
    found = statuses(look(tmp_path, columns, {"column": "source", "tolerance": 0.15}))
    assert found["label rate: b, p"] == "fail"
    assert len(found) == 6


def test_a_number_is_compared_in_its_standard_deviations(tmp_path):
    rng = np.random.default_rng(2)
    price = np.concatenate([rng.normal(100, 10, 2000), rng.normal(108, 10, 2000)])
    columns = {"source": ["a"] * 2000 + ["b"] * 2000, "x": list(range(4000)), "y": price}
    found = look(tmp_path, columns, {"column": "source", "tolerance": 0.5})
    check = checks(found)["label rate: b"]
    assert check.status == "fail"
    assert check.measured == pytest.approx(0.8 / np.hypot(1, 0.4), rel=0.1)
    assert "standard deviations" in check.reason


def test_too_many_spans_are_refused(tmp_path):
    columns = {"source": [f"s{n}" for n in range(500)], "x": list(range(500)), "y": [0, 1] * 250}
    with pytest.raises(ConfigurationError, match="400 can be judged"):
        look(tmp_path, columns, {"column": "source"})


@pytest.mark.simulation
def test_equal_spans_are_called_different_at_most_as_often_as_promised(tmp_path):
    """300 tables of ten equal spans: some interval misses a difference of nothing in at most 8 of 100 (promised: 5)."""
    misses = 0
    for seed in range(300):
        rng = np.random.default_rng(seed)
        columns = {"source": [f"s{n}" for n in range(10)] * 200, "x": list(range(2000)), "y": (rng.random(2000) < 0.2)}
        spans = look(tmp_path / str(seed), columns, {"column": "source"}).rates.spans
        misses += any(span.interval[0] > 0 or span.interval[1] < 0 for span in spans)
    assert misses / 300 <= 0.08


def test_rows_without_a_source_are_not_those_of_a_source_called_missing(tmp_path):
    """Together they would be like the rest."""
    columns = by_source(missing=900, none=100, a=500)
    columns["source"][1_000:2_000] = [None] * 1_000
    found = look(tmp_path, columns, {"column": "source", "tolerance": 0.1})
    assert statuses(found) == {
        "label rate: a": "pass",
        "label rate: missing": "fail",
        "label rate: (missing)": "fail",
    }
