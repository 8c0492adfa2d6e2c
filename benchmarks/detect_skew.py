"""Skew between two samples of 500,000 rows × 15 columns, beside Evidently on the same files.

    .environments/data/bin/python benchmarks/detect_skew.py [--repeats 3]

Both start from two Parquet files on disk and end with a decision for each column; imports are not counted. Evidently
runs in its own environment (``.environments/bench-skew``, made from ``benchmarks/requirements-skew.lock``) with its
preset for drift as it comes. Each side is one process and may use every core. That both call the same columns moved is
asserted before times are shown: seconds on the clock, and of all processors, which other work on the machine does not
change as much.
"""

from __future__ import annotations

import argparse
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
PEER = ROOT / ".environments" / "bench-skew" / "bin" / "python"
PEER_PROGRAM = """
import json, sys, time, warnings
from time import process_time as processor
warnings.simplefilter("ignore")
import pandas, evidently
from evidently import DataDefinition, Dataset, Report
from evidently.presets import DataDriftPreset
best = []
for _ in range(int(sys.argv[3])):
    start, used = time.perf_counter(), processor()
    before, after = (pandas.read_parquet(path) for path in sys.argv[1:3])
    numbers = [name for name in before if name[0] == "n"]
    texts = [name for name in before if name[0] == "t"]
    definition = DataDefinition(numerical_columns=numbers, categorical_columns=texts)
    data = [Dataset.from_pandas(frame, data_definition=definition) for frame in (after, before)]
    found = Report([DataDriftPreset()]).run(*data).dict()
    best.append((time.perf_counter() - start, processor() - used))
seconds = [min(one) for one in zip(*best)]
print(json.dumps({"seconds": seconds, "version": evidently.__version__, "metrics": found["metrics"]}, default=str))
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


def ours(before: Path, after: Path, folder: Path) -> tuple[set[str], tuple[float, float]]:
    """Columns that failed, and seconds from files to verdict: on the clock, of processors."""
    from gauntlet.data import tfdv
    from gauntlet.data.schema import choose_schema
    from gauntlet.data.schema_inference import InferencePolicy
    from gauntlet.data.skew import detect_skew
    from gauntlet.data.skew_policy import SkewPolicy
    from gauntlet.data.snapshot import Snapshot
    from gauntlet.data.statistics import write_statistics

    tfdv.load_generators()
    start, used = time.perf_counter(), time.process_time()
    training, serving = (
        write_statistics(Snapshot.open(path), folder / f"{path.name}-statistics") for path in (before, after)
    )
    result = detect_skew(training, serving, None, choose_schema(training, [], InferencePolicy()), SkewPolicy())
    seconds = time.perf_counter() - start, time.process_time() - used
    return {one.column for one in result.comparisons if one.status.value == "fail"}, seconds


def peer(before: Path, after: Path, repeats: int) -> tuple[set[str], tuple[float, float], str]:
    """The same from Evidently, and its version."""
    command = [str(PEER), "-c", PEER_PROGRAM, str(before), str(after), str(repeats)]
    found = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()[-1])
    drifted = set()
    for metric in found["metrics"]:
        settings = metric["config"]
        if "column" in settings and "threshold" in settings:
            above = float(metric["value"]) >= settings["threshold"]
            drifted |= {settings["column"]} if above else set()
    return drifted, tuple(found["seconds"]), found["version"]


def main() -> None:
    from snapshots import write_snapshot

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=3, help="runs of each side, of which the best counts")
    arguments = parser.parse_args()
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
        runs = [ours(folder / "before", folder / "after", folder) for _ in range(arguments.repeats)]
        theirs, their_seconds, version = peer(folder / "before.parquet", folder / "after.parquet", arguments.repeats)
        found = runs[0][0]
        assert found == theirs == MOVED, (sorted(found), sorted(theirs), sorted(MOVED))
        seconds = [min(run[1][clock] for run in runs) for clock in (0, 1)]
        print(
            f"{datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f},",
            end=" ",
        )
        print(
            f"Python {platform.python_version()}, pyarrow {pa.__version__}, "
            f"Evidently {version}, {ROWS:,} rows × {NUMBERS + TEXTS} columns a side, best of {arguments.repeats}"
        )
        print(f"agreement: both call exactly {', '.join(sorted(found))} moved")
        for name, theirs_s, ours_s in zip(("clock", "processors"), their_seconds, seconds, strict=True):
            print(f"{name}: Evidently {theirs_s:.2f} s; ours {ours_s:.2f} s; {theirs_s / ours_s:.1f} times")


if __name__ == "__main__":
    main()
