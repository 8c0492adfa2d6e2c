"""Statistics from Parquet in a stream, beside TFDV's generate_statistics_from_csv on the same rows.

    .environments/data/bin/python benchmarks/statistics_parquet.py [--rows 200000]

Agreement is asserted before anything is timed. Memory is the peak of a process of its own for each size.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
import warnings
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

sys.path[:0] = [str(Path(__file__).resolve().parents[1] / "src")]

from gauntlet.data.roles import Roles  # noqa: E402 - run from a checkout, where nothing is installed
from gauntlet.data.statistics import OPTIONS, compute  # noqa: E402

NUMBERS, TEXTS = 14, 6
COLUMNS = {f"n{i}": "float" for i in range(NUMBERS)} | {f"t{i}": "string" for i in range(TEXTS)}
CHUNK = 250_000


def write_parquet(path: Path, rows: int) -> None:
    """``rows`` rows of 14 numbers and 6 texts, a chunk at a time."""
    writer = None
    for start in range(0, rows, CHUNK):
        rng = np.random.default_rng(start)
        n = min(CHUNK, rows - start)
        data = {f"n{i}": rng.lognormal(i / 4, 1, n).round(6) for i in range(NUMBERS)}
        names = [np.array([f"v{value}" for value in range(5 * 2**i)]) for i in range(TEXTS)]
        data |= {f"t{i}": names[i][rng.integers(0, len(names[i]), n)] for i in range(TEXTS)}
        table = pa.table(data)
        writer = writer or pq.ParquetWriter(path, table.schema)
        writer.write_table(table)
    writer.close()


def ours(path: Path):
    with pq.ParquetFile(path) as file:
        return compute(file.iter_batches(batch_size=65_536), COLUMNS, Roles())


def peak_memory(rows: int, folder: Path) -> dict[str, float]:
    """Peak resident memory (MB) and seconds of a process that does nothing but this."""
    path = folder / f"{rows}.parquet"
    subprocess.run([sys.executable, __file__, "--write", str(path), "--rows", str(rows)], check=True)
    found = subprocess.run(
        [sys.executable, __file__, "--measure", str(path)], check=True, capture_output=True, text=True
    )
    path.unlink()
    return json.loads(found.stdout)


def processor() -> float:
    """Seconds of processors, of this process and of those it waited for."""
    return sum(
        usage.ru_utime + usage.ru_stime
        for usage in map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    )


def assert_agreement(path: Path, csv: Path) -> tuple[float, float]:
    """Our numbers are TFDV's; returns what its CSV function took in the same run: clock and processors, in seconds."""
    import tensorflow_data_validation as tfdv

    start, used = time.perf_counter(), processor()
    theirs = tfdv.generate_statistics_from_csv(str(csv), stats_options=tfdv.StatsOptions(**OPTIONS))
    seconds = time.perf_counter() - start, processor() - used
    mine = {feature.path.step[0]: feature for feature in ours(path).datasets[0].features}
    for feature in theirs.datasets[0].features:
        own = mine[feature.path.step[0]]
        if feature.HasField("num_stats"):
            a, b = own.num_stats, feature.num_stats
            assert (a.common_stats.num_non_missing, a.num_zeros) == (b.common_stats.num_non_missing, b.num_zeros)
            # TFDV reads CSV as 32-bit floats.
            np.testing.assert_allclose([a.mean, a.std_dev, a.min, a.max], [b.mean, b.std_dev, b.min, b.max], rtol=1e-5)
            ranks = [
                [bucket.high_value for bucket in next(h for h in stats.histograms if h.type == 1).buckets]
                for stats in (a, b)
            ]
            np.testing.assert_allclose(ranks[0][:-1], ranks[1][:-1], rtol=0.05)
        else:
            a, b = own.string_stats, feature.string_stats
            assert a.unique == b.unique
            counts = [{x.label: x.sample_count for x in stats.rank_histogram.buckets} for stats in (a, b)]
            assert counts[0] == counts[1]
    return seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=200_000, help="rows of the comparison; 0: none")
    parser.add_argument(
        "--memory", type=int, nargs="*", default=[1_000_000, 10_000_000], help="rows of the memory runs"
    )
    parser.add_argument("--write", help=argparse.SUPPRESS)
    parser.add_argument("--measure", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.write:
        write_parquet(Path(arguments.write), arguments.rows)
        return
    if arguments.measure:
        start = time.perf_counter()
        ours(Path(arguments.measure))
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(json.dumps({"seconds": time.perf_counter() - start, "megabytes": peak}))
        return
    # First, while this process is small: a process inherits the peak of the one that starts it.
    with tempfile.TemporaryDirectory() as name:
        for rows in arguments.memory:
            found = peak_memory(rows, Path(name))
            print(f"{rows:>12,} rows: peak {found['megabytes']:.0f} MB, {found['seconds']:.1f} s")
    if not arguments.rows:
        return
    warnings.simplefilter("ignore")
    import tensorflow_data_validation as tfdv

    print(
        f"{datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f},",
        end=" ",
    )
    print(
        f"Python {platform.python_version()}, TFDV {tfdv.__version__}, pyarrow {pa.__version__}, "
        f"{arguments.rows:,} rows × {len(COLUMNS)} columns"
    )
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        path, csv = folder / "data.parquet", folder / "data.csv"
        write_parquet(path, arguments.rows)
        pyarrow.csv.write_csv(pq.read_table(path), csv)
        theirs = assert_agreement(path, csv)
        print("agreement: every count and category equal, moments to 1e-5 (CSV is read as 32-bit), quantiles to 5%")
        seconds = []
        for _ in range(3):
            start, used = time.perf_counter(), processor()
            ours(path)
            seconds.append((time.perf_counter() - start, processor() - used))
        for name, csv_s, runs in zip(("clock", "processors"), theirs, zip(*seconds, strict=True), strict=True):
            mine = min(runs)
            print(f"{name}: generate_statistics_from_csv {csv_s:.1f} s; ours {mine:.2f} s; {csv_s / mine:.1f} times")


if __name__ == "__main__":
    main()
