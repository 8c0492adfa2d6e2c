"""Public data replayed: a column normalized between spans is found and named, and clean replays raise no alarm.

The Adult and Chicago taxi data, cut at random into spans; a store of their columns, as they are or with one normalized.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as arrow_csv
import pytest

from gauntlet.features.diagnosis import Kind
from gauntlet.features.distributions import Sides, compare_distributions
from gauntlet.features.findings import Comparison, Parties, Pattern, find_feature, of_replay
from gauntlet.features.policy import FeaturesPolicy
from gauntlet.features.replay import replay
from gauntlet.features.span import Span, spans_of
from gauntlet.features.stored import KeyedStore
from gauntlet.features.transform import Transform
from gauntlet.settings import parse
from snapshots import write_snapshot

DATA = Path(os.environ.get("GAUNTLET_DATA", Path(__file__).resolve().parents[4] / "shared" / "data"))
FILES = {"adult": "adult/adult.data", "taxi": "chicago_taxi/data.csv"}
NORMALIZED = {"adult": ("age", "hours-per-week", "capital-gain"), "taxi": ("fare", "trip_miles", "trip_seconds")}
POLICY = parse(FeaturesPolicy, {}, field="policy")
REPLAYS = 100
"""Of each data set: 200 in all."""
STORE = Parties("the store")
SPAN = Span("q1", "historical", None, "q1")  # type: ignore[arg-type]  # nothing is read from it

pytestmark = [
    pytest.mark.realdata,
    pytest.mark.skipif(
        not all((DATA / name).is_file() for name in FILES.values()), reason=f"the public data are not at {DATA}"
    ),
]


def read(name: str) -> pa.Table:
    """A data set in a snapshot's types, with a key."""
    table = arrow_csv.read_csv(
        DATA / FILES[name],
        convert_options=arrow_csv.ConvertOptions(strings_can_be_null=True, null_values=["", "?", " ?"]),
    )
    table = table.rename_columns([column.strip() for column in table.column_names])
    kinds = {pa.int64(): pa.int64(), pa.float64(): pa.float64()}
    columns = {
        one: table.column(one).cast(kinds.get(table.column(one).type, pa.string())) for one in table.column_names
    }
    return pa.table({**columns, "id": pa.array(range(table.num_rows), pa.int64())})


@pytest.fixture(scope="module", params=list(FILES))
def data(request: pytest.FixtureRequest) -> tuple[str, pa.Table]:
    return request.param, read(request.param)


def spread(rows: pa.Table, column: str) -> tuple[float, float]:
    return pc.mean(rows.column(column)).as_py(), pc.stddev(rows.column(column)).as_py()


def normalized(rows: pa.Table, column: str, mean: float, deviation: float) -> pa.Table:
    values = pc.divide(pc.subtract(rows.column(column).cast(pa.float64()), mean), deviation)
    return rows.set_column(rows.column_names.index(column), column, values)


def unchanged(rows: pa.Table) -> pa.Table:
    return rows.drop_columns(["id"])


def replayed(
    folder: Path, spans: dict[str, pa.Table], stored: dict[str, pa.Table], transform: Transform
) -> dict[str, list[Comparison]]:
    """Feature → its comparisons: ``test`` is the new span, the others are history."""
    keyed = {"key": ["id"]}
    history = write_snapshot(folder / "history", {name: one for name, one in spans.items() if name != "test"}, keyed)
    snapshot = write_snapshot(folder / "new", {"test": spans["test"]}, keyed)
    kept = write_snapshot(folder / "stored", stored, keyed)
    shared = {name: name for name in kept.columns if name != "id"}
    found: dict[str, list[Comparison]] = {name: [] for name in shared}
    with KeyedStore(kept, ["id"], list(shared), partition_rows=5_000) as store:
        for span in spans_of(history, snapshot, "test"):
            result = replay(span, transform, store, shared, POLICY)
            for name, feature in result.features.items():
                found[name].append(of_replay(feature, span, bound=POLICY.max_share, store="the store"))
    return found


def cut(rows: pa.Table, rng: np.random.Generator, size: int) -> dict[str, pa.Table]:
    order = rng.permutation(rows.num_rows)
    return {name: rows.take(order[at * size : (at + 1) * size]) for at, name in enumerate(("q1", "q2", "test"))}


def test_a_column_normalized_between_spans_is_found_with_its_constants(
    data: tuple[str, pa.Table], tmp_path: Path
) -> None:
    name, rows = data
    spans = cut(rows, np.random.default_rng(0), rows.num_rows // 3)
    for column in NORMALIZED[name]:
        mean, deviation = spread(rows, column)
        code = Transform("new", "-", lambda given, of=(column, mean, deviation): unchanged(normalized(given, *of)))
        stored = {"q1": spans["q1"], "q2": spans["q2"], "test": normalized(spans["test"], column, mean, deviation)}
        shuffled = {
            split: one.take(np.random.default_rng(1).permutation(one.num_rows)) for split, one in stored.items()
        }
        as_kept = {split: normalized(one, column, 0.0, 1.0) for split, one in shuffled.items()}  # one type over spans
        found = replayed(tmp_path / column, spans, as_kept, code)
        findings = {feature: find_feature(feature, own, STORE) for feature, own in found.items()}
        assert {feature for feature, one in findings.items() if one.pattern is not Pattern.AGREES} == {column}
        assert findings[column].pattern is Pattern.REDEFINED
        diagnosis = findings[column].diagnosis
        assert diagnosis is not None
        assert diagnosis.kind is Kind.NORMALIZATION
        assert diagnosis.slope == pytest.approx(1 / deviation, rel=0.01)
        assert diagnosis.intercept == pytest.approx(-mean / deviation, rel=0.01)


def test_without_keys_the_same_line_is_read_off_the_quantiles(data: tuple[str, pa.Table]) -> None:
    name, rows = data
    spans = cut(rows, np.random.default_rng(0), rows.num_rows // 3)
    column = NORMALIZED[name][0]
    mean, deviation = spread(rows, column)
    new = normalized(spans["q1"], column, mean, deviation)
    found = compare_distributions(
        sides(spans["q1"], new.take(np.random.default_rng(2).permutation(new.num_rows))), POLICY
    )
    assert [one.feature for one in found if one.differs] == [column]
    diagnosis = next(one.diagnosis for one in found if one.differs)
    assert diagnosis is not None
    assert diagnosis.slope == pytest.approx(1 / deviation, rel=0.01)
    assert diagnosis.intercept == pytest.approx(-mean / deviation, rel=0.01)


def sides(stored: pa.Table, new: pa.Table) -> list[Sides]:
    """Every column of two samples, to be compared without keys."""
    return [
        Sides(name, SPAN, stored.column(name).combine_chunks(), new.column(name).combine_chunks())
        for name in stored.column_names
        if name != "id"
    ]


@pytest.mark.simulation
def test_clean_replays_by_key_raise_no_alarm(data: tuple[str, pa.Table], tmp_path: Path) -> None:
    """The store is in single precision and in another order; every tenth row never arrived in it."""
    _, rows = data
    alarms = 0
    for trial in range(REPLAYS):
        rng = np.random.default_rng([3, trial])
        spans = cut(rows, rng, 500)
        stored = {split: single(one.take(rng.permutation(500)[:450])) for split, one in spans.items()}
        found = replayed(tmp_path / str(trial), spans, stored, Transform("same", "-", unchanged))
        alarms += any(find_feature(feature, own, STORE).pattern is not Pattern.AGREES for feature, own in found.items())
    assert alarms <= 0.01 * REPLAYS


def single(rows: pa.Table) -> pa.Table:
    def kept(values: pa.ChunkedArray) -> pa.ChunkedArray:
        return values.cast(pa.float32()).cast(pa.float64()) if values.type == pa.float64() else values

    return pa.table({name: kept(rows.column(name)) for name in rows.column_names})


@pytest.mark.simulation
@pytest.mark.parametrize("size", [300, 2_500])
def test_clean_replays_without_keys_raise_hardly_any(data: tuple[str, pa.Table], size: int) -> None:
    """The harder null: what is stored are other rows of the same kind, not the same rows."""
    _, rows = data
    alarms = 0
    for trial in range(REPLAYS):
        order = np.random.default_rng([4, trial]).permutation(rows.num_rows)
        both = sides(rows.take(order[:size]), rows.take(order[size : 2 * size]))
        alarms += any(one.differs for one in compare_distributions(both, POLICY))
    assert alarms <= 0.01 * REPLAYS
