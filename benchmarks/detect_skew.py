"""Skew between two samples of 500,000 rows × 15 columns, beside Evidently on the same files.

    .environments/data/bin/python benchmarks/detect_skew.py

Both start from two Parquet files on disk and end with a decision for each column; imports are not counted. Evidently
runs in its own environment (``.environments/bench-skew``, made from ``benchmarks/requirements-skew.lock``) with its
preset for drift as it comes. That both call the same columns moved is asserted before times are shown.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "src"), str(ROOT / "tests")]  # run from a checkout, where nothing is installed

ROWS, NUMBERS, TEXTS = 500_000, 10, 5
MOVED = {"n2", "n5", "t1", "t3"}
REPEATS = 3
PEER = ROOT / ".environments" / "bench-skew" / "bin" / "python"
PEER_PROGRAM = """
import json, sys, time, warnings
warnings.simplefilter("ignore")
import pandas, evidently
from evidently import DataDefinition, Dataset, Report
from evidently.presets import DataDriftPreset
best = None
for _ in range(int(sys.argv[3])):
    start = time.perf_counter()
    before, after = (pandas.read_parquet(path) for path in sys.argv[1:3])
    numbers = [name for name in before if name[0] == "n"]
    texts = [name for name in before if name[0] == "t"]
    definition = DataDefinition(numerical_columns=numbers, categorical_columns=texts)
    data = [Dataset.from_pandas(frame, data_definition=definition) for frame in (after, before)]
    found = Report([DataDriftPreset()]).run(*data).dict()
    seconds = time.perf_counter() - start
    best = seconds if best is None else min(best, seconds)
print(json.dumps({"seconds": best, "version": evidently.__version__, "metrics": found["metrics"]}, default=str))
"""


def sample(seed: int, *, moved: bool) -> pa.Table:
    """10 numbers (normal, lognormal) and 5 texts of 5 to 80 values; ``MOVED`` are shifted by much more than noise."""
    rng = np.random.default_rng(seed)
    data = {}
    for i in range(NUMBERS):
        values = rng.normal(10, 2, ROWS) if i % 2 else rng.lognormal(2, 0.5, ROWS)
        data[f"n{i}"] = values * 3 if moved and f"n{i}" in MOVED else values
    for i in range(TEXTS):
        names = np.array([f"v{value}" for value in range(5 * 2**i)])
        shares = np.linspace(2, 1, len(names)) / np.linspace(2, 1, len(names)).sum()
        if moved and f"t{i}" in MOVED:
            shares = 0.6 * shares + 0.4 * (np.arange(len(names)) == 0)
        data[f"t{i}"] = rng.choice(names, ROWS, p=shares)
    return pa.table(data)


def ours(before: Path, after: Path, folder: Path) -> tuple[set[str], float]:
    """Columns that failed, and seconds from files to verdict."""
    from gauntlet.data import tfdv
    from gauntlet.data.schema import choose_schema
    from gauntlet.data.schema_inference import InferencePolicy
    from gauntlet.data.skew import detect_skew
    from gauntlet.data.skew_policy import SkewPolicy
    from gauntlet.data.snapshot import Snapshot
    from gauntlet.data.statistics import write_statistics

    tfdv.load_generators()
    start = time.perf_counter()
    training, serving = (
        write_statistics(Snapshot.open(path), folder / f"{path.name}-statistics") for path in (before, after)
    )
    result = detect_skew(training, serving, None, choose_schema(training, [], InferencePolicy()), SkewPolicy())
    seconds = time.perf_counter() - start
    return {one.column for one in result.comparisons if one.status.value == "fail"}, seconds


def peer(before: Path, after: Path) -> tuple[set[str], float, str]:
    """The same from Evidently, and its version."""
    command = [str(PEER), "-c", PEER_PROGRAM, str(before), str(after), str(REPEATS)]
    found = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()[-1])
    drifted = set()
    for metric in found["metrics"]:
        settings = metric["config"]
        if "column" in settings and "threshold" in settings:
            above = float(metric["value"]) >= settings["threshold"]
            drifted |= {settings["column"]} if above else set()
    return drifted, found["seconds"], found["version"]


def main() -> None:
    from snapshots import write_snapshot

    if not PEER.exists():
        raise SystemExit(
            "uv venv --python 3.11 .environments/bench-skew && uv pip sync -p .environments/bench-skew"
            " benchmarks/requirements-skew.lock"
        )
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for side, table, split in (
            ("before", sample(1, moved=False), "train"),
            ("after", sample(2, moved=True), "serving"),
        ):
            write_snapshot(folder / side, {split: table})
            pq.write_table(table, folder / f"{side}.parquet")
        runs = [ours(folder / "before", folder / "after", folder) for _ in range(REPEATS)]
        theirs, their_seconds, version = peer(folder / "before.parquet", folder / "after.parquet")
        found = runs[0][0]
        assert found == theirs == MOVED, (sorted(found), sorted(theirs), sorted(MOVED))
        seconds = min(run[1] for run in runs)
        print(f"{datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} cores, Python {platform.python_version()},", end=" ")
        print(f"pyarrow {pa.__version__}, Evidently {version}, {ROWS:,} rows × {NUMBERS + TEXTS} columns a side")
        print(f"agreement: both call exactly {', '.join(sorted(found))} moved")
        print(f"Evidently {their_seconds:.2f} s; ours {seconds:.2f} s; {their_seconds / seconds:.1f} times")


if __name__ == "__main__":
    main()
