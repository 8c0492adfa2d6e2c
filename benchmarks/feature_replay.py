"""History replayed through new feature code and diagnosed: 1 and 10 million stored values, time and peak memory.

    .environments/model/bin/python benchmarks/feature_replay.py [--rows 100000 1000000]

Ten features (eight numbers, two texts) over four spans; one is normalized, one is relabelled, one is missing where it
was not. Each size and order runs in a process of its own, and its findings are asserted before it is timed.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

sys.path[:0] = [str(Path(__file__).resolve().parents[1] / "src")]

from gauntlet.data.snapshot import Snapshot  # noqa: E402 - run from a checkout, where nothing is installed
from gauntlet.features.diagnosis import Kind  # noqa: E402
from gauntlet.features.policy import FeaturesPolicy  # noqa: E402
from gauntlet.features.replay import replay  # noqa: E402
from gauntlet.features.span import spans_of  # noqa: E402
from gauntlet.features.stored import KeyedStore  # noqa: E402
from gauntlet.features.transform import Transform  # noqa: E402
from gauntlet.settings import parse  # noqa: E402

NUMBERS, SPANS, CHUNK = 8, 4, 50_000
FEATURES = (*(f"n{i}" for i in range(NUMBERS)), "purpose", "region")
MEAN, DEVIATION = 2_600.0, 1_100.0
RELABELLED = {"car": "1", "home": "2", "education": "3", "business": "4"}


def write(folder: Path, rows: int, *, shuffled: bool) -> None:
    """History, new rows and a store of both, as snapshots."""
    names = [f"q{span}" for span in range(1, SPANS)] + ["test"]
    for kind in ("history", "new", "stored"):
        (folder / kind).mkdir(parents=True)
    splits: dict[str, dict[str, dict]] = {"history": {}, "new": {}, "stored": {}}
    for span, name in enumerate(names):
        chunks = [chunk(span, start, min(CHUNK, rows // SPANS - start)) for start in range(0, rows // SPANS, CHUNK)]
        raw = "new" if name == "test" else "history"
        splits[raw][name] = part(folder / raw, name, chunks)
        stored = [changed(one) if name == "test" else one for one in chunks]
        if shuffled:
            table = pa.concat_tables(stored)
            stored = [table.take(np.random.default_rng(span).permutation(table.num_rows))]
        splits["stored"][name] = part(folder / "stored", name, stored)
    kinds = {**{f"n{i}": "float" for i in range(NUMBERS)}, "purpose": "string", "region": "string", "id": "int"}
    for kind, described in splits.items():
        document = {"format": "gauntlet.snapshot/1", "digest": kind, "columns": kinds, "roles": {"key": ["id"]}}
        (folder / kind / "snapshot.json").write_text(json.dumps({**document, "splits": described, "sources": []}))


def chunk(span: int, start: int, rows: int) -> pa.Table:
    rng = np.random.default_rng([span, start])
    ids = np.arange(start, start + rows) + span * 100_000_000
    columns = {f"n{i}": rng.lognormal(7.8, 0.4, rows) for i in range(NUMBERS)}
    return pa.table(
        {
            "example_id": pa.array(ids).cast(pa.string()),
            **columns,
            "purpose": rng.choice(list(RELABELLED), rows),
            "region": rng.choice(["north", "south"], rows),
            "id": ids,
        }
    )


def part(folder: Path, name: str, chunks: list[pa.Table]) -> dict:
    (folder / name).mkdir()
    with pq.ParquetWriter(folder / name / "part-00000.parquet", chunks[0].schema) as writer:
        for one in chunks:
            writer.write_table(one)
    return {"rows": sum(one.num_rows for one in chunks), "parts": [f"{name}/part-00000.parquet"]}


def changed(rows: pa.Table) -> pa.Table:
    """The new feature code, over Arrow."""
    income = pc.divide(pc.subtract(rows.column("n0"), MEAN), DEVIATION)
    purpose = pc.replace_with_mask(
        rows.column("purpose").combine_chunks(), pa.array([True] * rows.num_rows), _relabel(rows.column("purpose"))
    )
    gone = pc.less(rows.column("n1"), 1_500.0)
    rows = rows.set_column(rows.schema.get_field_index("n0"), "n0", income)
    rows = rows.set_column(rows.schema.get_field_index("n1"), "n1", pc.if_else(gone, None, rows.column("n1")))
    return rows.set_column(rows.schema.get_field_index("purpose"), "purpose", purpose)


def _relabel(values: pa.ChunkedArray) -> pa.Array:
    encoded = values.combine_chunks().dictionary_encode()
    return pa.array([RELABELLED[one] for one in encoded.dictionary.to_pylist()]).take(encoded.indices)


def run(folder: Path) -> dict[str, float]:
    """Replay every span; what came out is checked."""
    history, new, stored = (Snapshot.open(folder / kind) for kind in ("history", "new", "stored"))
    policy = parse(FeaturesPolicy, {}, field="policy")
    shared = {name: name for name in FEATURES}
    code = Transform("benchmark", "none", lambda rows: changed(rows).select(list(FEATURES)))
    before = peak_memory()
    began, used = time.perf_counter(), time.process_time()
    with KeyedStore(stored, ("id",), FEATURES, partition_rows=policy.partition_rows) as store:
        found = [replay(span, code, store, shared, policy) for span in spans_of(history, new, "test")]
    seconds, processor = time.perf_counter() - began, time.process_time() - used
    for one in found:
        differs = {name for name, feature in one.features.items() if feature.differing}
        assert one.matched == one.span.rows
        assert differs == (set() if one.span.age == "new" else {"n0", "n1", "purpose"}), differs
        if one.span.age == "historical":
            line = one.features["n0"].diagnosis
            assert line is not None
            assert line.kind is Kind.NORMALIZATION
            assert abs(line.slope * DEVIATION - 1) < 1e-9
            assert one.features["purpose"].diagnosis.kind is Kind.RELABELLED
            assert one.features["n1"].diagnosis.kind is Kind.MISSING
    peak = peak_memory()
    rows = sum(one.matched for one in found)
    return {"values": rows * len(FEATURES), "seconds": seconds, "processor": processor, "before": before, "peak": peak}


def peak_memory() -> float:
    """Of this program alone, in MB: ``ru_maxrss`` would carry over what its parent took."""
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, nargs="*", default=[100_000, 1_000_000], help="rows in all, over 4 spans")
    parser.add_argument("--only", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.only:
        print(json.dumps(run(options.only)))
        return
    from machine import describe

    print(describe())
    print(f"{'values':>12} {'order':>10} {'seconds':>8} {'processor':>10} {'peak MB':>8} {'at start':>9}")
    for rows in options.rows:
        for shuffled in (False, True):
            with tempfile.TemporaryDirectory() as scratch:
                write(Path(scratch) / "data", rows, shuffled=shuffled)
                command = [sys.executable, __file__, "--only", str(Path(scratch) / "data")]
                done = subprocess.run(command, check=True, capture_output=True, text=True, env=os.environ)
                found = json.loads(done.stdout.splitlines()[-1])
            order = "shuffled" if shuffled else "the same"
            print(
                f"{found['values']:>12,} {order:>10} {found['seconds']:>8.1f} {found['processor']:>10.1f} "
                f"{found['peak']:>8.0f} {found['before']:>9.0f}"
            )


if __name__ == "__main__":
    main()
