"""The integrity gate on the public data sets, on generated loans, and on a table larger than its memory."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pytest

from builders.integrity import checks, statuses
from builders.sources import load
from gauntlet.data.integrity.gate import check_integrity
from gauntlet.data.integrity.policy import IntegrityPolicy
from gauntlet.demo.loans import Faults, generate
from gauntlet.settings import parse
from snapshots import write_snapshot

pytestmark = pytest.mark.realdata

DATA = Path(os.environ.get("GAUNTLET_DATA", Path(__file__).parents[3] / "shared/data"))
ADULT_LABELS = {"<=50K": 0, "<=50K.": 0, ">50K": 1, ">50K.": 1}


def sources(*names):
    for name in names:
        if not (DATA / name).exists():
            pytest.skip(f"{DATA / name} is not there: set GAUNTLET_DATA to where the public data sets are")
    return [DATA / name for name in names]


def examine(snapshot, **policy):
    return check_integrity(snapshot, [], parse(IntegrityPolicy, policy, field="policy"))


def test_adult(tmp_path):
    train, test = sources("adult/adult.data", "adult/adult.test")
    snapshot = load(
        [{"uri": str(train)}, {"uri": str(test), "split": "test"}],
        tmp_path / "snapshot",
        roles={"label": "Y", "exclude": ["fnlwgt"]},
        reader={"missing_values": ["?"], "values": {"Y": ADULT_LABELS}},
        split={"fractions": {"train": 0.85, "validation": 0.15}},
    )
    found = examine(snapshot, label_rate={}, across_splits=[{"max_share": 0.1}])
    assert {name for name, status in statuses(found).items() if status != "pass"} == {
        "across splits: validation, features",
        "across splits: test, features",
    }
    assert found.leaks[0].column == "relationship"
    assert found.leaks[0].power.value == pytest.approx(0.78, abs=0.01)
    assert found.conflicts.in_conflict == 3_873


def test_chicago_taxi_as_its_example_has_it(tmp_path):
    """payment_type is as near to a leak as an honest column comes: tips are recorded for cards alone."""
    (path,) = sources("chicago_taxi/data.csv")
    codes = ["pickup_community_area", "dropoff_community_area", "trip_start_month", "trip_start_day", "trip_start_hour"]
    roles = {
        "label": "big_tip",
        "time": "trip_start_timestamp",
        "categorical": codes,
        "exclude": ["pickup_census_tract", "dropoff_census_tract"],
    }
    split = {"by": "time", "until": {"train": "2015-03-15", "validation": "2015-09-03"}}
    reader = {"derive": {"big_tip": "tips > 0.2 * fare"}}
    clean = load(path, tmp_path / "clean", roles=roles, reader={**reader, "drop": ["tips"]}, split=split)
    found = examine(clean, splits_in_time=True)
    assert set(statuses(found).values()) == {"pass"}
    assert found.leaks[0].column == "payment_type"
    assert found.leaks[0].power.interval[1] < 0.95
    leaky = load(path, tmp_path / "leaky", roles=roles, reader=reader, split=split)
    assert checks(examine(leaky))["leakage: tips"].status == "fail"


@pytest.mark.parametrize("span", [1, 2])
@pytest.mark.parametrize("leak", [False, True])
def test_loans(tmp_path, span, leak):
    table = generate(span, 20_000, 7, Faults(leak=leak))
    position = table.schema.get_field_index("applied_at")
    table = table.set_column(position, "applied_at", table["applied_at"].cast(pa.timestamp("us", tz="UTC")))
    roles = {
        "label": "repaid",
        "key": ["application_id"],
        "cluster": "applicant_id",
        "time": "applied_at",
        "exclude": ["sex", "age", "community"],
        "categorical": ["product_code"],
    }
    parts = {"train": table.slice(0, 14_000), "validation": table.slice(14_000, 3_000), "test": table.slice(17_000)}
    found = examine(write_snapshot(tmp_path / "snapshot", parts, roles), across_splits=[{}], label_rate={"by": "month"})
    failed = {name for name, status in statuses(found).items() if status != "pass"}
    assert failed == ({"leakage: collection_calls"} if leak else set())
    if leak:
        assert found.leaks[0].power.interval[0] > 0.99


ROWS = 6_000_000
MEMORY_MB = 128
_MAKE = """
import duckdb, json, sys
from pathlib import Path
root, rows = Path(sys.argv[1]), int(sys.argv[2])
(root / "train").mkdir(parents=True)
with duckdb.connect(config={"memory_limit": "1GB", "threads": 2}) as connection:
    parts = []
    for start in range(0, rows, 1_000_000):
        parts.append(f"train/part-{len(parts):05d}.parquet")
        connection.execute(
            f"COPY (SELECT 'row ' || i AS example_id, i AS id, i * 7919 % {rows // 3} AS customer,"
            f" 'city ' || hash(i) % 4000000 AS city, (hash(i, 1) % 1000000)::DOUBLE AS x,"
            f" (hash(i, 2) % 10 < 3)::BIGINT AS y FROM range({start}, {start + 1_000_000}) t(i))"
            f" TO '{root / parts[-1]}' (FORMAT parquet)"
        )
    connection.execute(
        f"COPY (SELECT i AS customer FROM range({rows // 3}) t(i) WHERE i <> 12345) TO '{root / 'customers.parquet'}'"
    )
columns = {"id": "int", "customer": "int", "city": "string", "x": "float", "y": "int"}
(root / "snapshot.json").write_text(json.dumps({
    "format": "gauntlet.snapshot/1", "digest": "sha256:0", "columns": columns,
    "roles": {"label": "y", "key": ["id"]}, "splits": {"train": {"rows": rows, "parts": parts}}, "sources": []}))
"""
_EXAMINE = """
import json, resource, sys
from pathlib import Path
import duckdb, numpy, pyarrow.parquet
from gauntlet.data.integrity.gate import check_integrity
from gauntlet.data.integrity.policy import IntegrityPolicy
from gauntlet.data.snapshot import Snapshot
from gauntlet.data.source import resolve
def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
before = peak()
root = Path(sys.argv[1])
by_customer = {"columns": ["customer"], "table": "customers"}
found = check_integrity(
    Snapshot.open(root),
    resolve([{"uri": str(root / "customers.parquet"), "table": "customers"}]),
    IntegrityPolicy.model_validate({
        "memory_mb": int(sys.argv[2]), "keys": [{"columns": ["customer", "city"]}], "references": [by_customer],
        "joins": [by_customer], "sequence": [{"column": "id", "along": "id", "within": ["customer"]}]}),
)
print(json.dumps({"grown": peak() - before, "statuses": {c.name: c.status.value for c in found.verdict.checks},
                  "measured": {c.name: c.measured for c in found.verdict.checks}}))
"""


def run(script, *arguments):
    done = subprocess.run(
        [sys.executable, "-c", script, *map(str, arguments)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_table_larger_than_memory_is_counted_within_it(tmp_path):
    """Six million rows, whose keys alone take about 500 MB in memory, with 128 MB to count in.

    What the process grows by beyond that is the sample of 100,000 rows and the reader of Parquet.
    """
    run(_MAKE, tmp_path / "snapshot", ROWS)
    found = json.loads(run(_EXAMINE, tmp_path / "snapshot", MEMORY_MB))
    assert found["grown"] < MEMORY_MB + 256
    assert found["statuses"]["key: id"] == "pass"
    assert found["statuses"]["reference: customer in customers"] == "fail"
    assert found["measured"]["reference: customer in customers"] == pytest.approx(3 / ROWS)
    assert found["statuses"]["join: customer with customers, rows"] == "pass"
