"""What others wait beside the largest requests a model server takes: health checks and one-row requests, while one
caller sends large bodies one after the other.

    .environments/serving/bin/python benchmarks/large_bodies.py [--seconds 5]

Two models: one that Gauntlet trained, and a team's formula over a frame. Bodies of the largest size allowed: rows of
every form, and JSON that takes long to parse for its size. Target: everybody else is answered within 100 ms.
"""

from __future__ import annotations

import argparse
import http.client
import json
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from machine import describe
from serving_models import Bench, applications, gauntlet_model, pandas_model
from serving_peers import HOST, V1, V2, body, ours

from gauntlet.serving.contract import MOST_ROWS
from gauntlet.serving.service import MOST_BYTES

PAUSE_SECONDS = 0.01
TARGET_MS = 100.0


def main() -> int:
    """Measure; 1 if somebody waited longer than the target."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=5.0, help="for each body")
    seconds = parser.parse_args().seconds
    print(describe())
    print(
        "| model | beside it | bytes | answered | its seconds | health: median, p99, longest ms | one row: the same |"
    )
    print("|---|---|---|---|---|---|---|")
    longest = 0.0
    with tempfile.TemporaryDirectory() as scratch:
        table = applications(2 * MOST_ROWS)
        for name, make in {"trained": gauntlet_model, "formula": pandas_model}.items():
            bench = make(table, Path(scratch) / name)
            with ours(bench.folder, Path(scratch) / f"{name}-server") as server:
                for kind, (path, sent) in bodies(bench).items():
                    longest = max(longest, measure(name, kind, server.port, bench, path, sent, seconds))
    print(f"longest {longest:.0f} ms; target {TARGET_MS:.0f} ms: {'held' if longest <= TARGET_MS else 'not held'}")
    return int(longest > TARGET_MS)


def bodies(bench: Bench) -> Mapping[str, tuple[str, bytes]]:
    """What the large caller sends: name → path and body."""
    rows = [dict(bench.timed[at % len(bench.timed)]) for at in range(MOST_ROWS)]
    one = len(json.dumps(rows[0]))
    rows = rows[: min(MOST_ROWS, int(MOST_BYTES / one / 1.1))]
    columns = {name: [row[name] for row in rows] for name in rows[0]}
    fits: Callable[[bytes, bytes, bytes], bytes] = lambda begin, unit, end: (  # noqa: E731
        begin + unit * ((MOST_BYTES - len(begin) - len(end)) // len(unit)) + end
    )
    return {
        "nothing": (V1, b""),
        "rows as objects": (V1, json.dumps({"instances": rows}).encode()),
        "rows as arrays": (V1, json.dumps({"instances": [list(row.values()) for row in rows]}).encode()),
        "columns": (V1, json.dumps({"inputs": columns}).encode()),
        "tensors": (V2, body("v2", rows, bench.types)),
        "empty arrays": (V1, fits(b'{"instances": [', b"[],", b"[]]}")),
        "empty objects": (V1, fits(b'{"instances": [', b"{},", b"{}]}")),
        "digits": (V1, fits(b'{"instances": [', b"1,", b"1]}")),
        "empty strings": (V1, fits(b'{"instances": [', b'"",', b'""]}')),
        "escapes": (V1, fits(b'{"instances": ["', b"\\n", b'"]}')),
        "keys": (V1, b"{" + b",".join(b'"%x":1' % key for key in range(MOST_BYTES // 10)) + b"}"),
        "long integers": (V1, fits(b'{"instances": [', b"9" * 4000 + b",", b"1]}")),
        "16 MiB": (V1, b'{"instances": [' + b"[]," * (16 * 2**20 // 3) + b"[]]}"),
    }


def measure(name: str, kind: str, port: int, bench: Bench, path: str, sent: bytes, seconds: float) -> float:
    """Print one line; returns the longest wait in milliseconds."""
    end = time.perf_counter() + seconds
    found: list[tuple[int, float]] = []
    small = json.dumps({"instances": [bench.timed[0]]}).encode()
    waits: dict[str, list[float]] = {"health": [], "row": []}

    def large() -> None:
        while sent and time.perf_counter() < end:
            began = time.perf_counter()
            found.append((_ask(port, "POST", path, sent), time.perf_counter() - began))

    def others(key: str, *request: Any) -> None:
        while time.perf_counter() < end:
            began = time.perf_counter()
            status = _ask(port, *request)
            waits[key].append(1000 * (time.perf_counter() - began))
            assert status == 200, (key, status)
            time.sleep(PAUSE_SECONDS)

    working = [
        threading.Thread(target=large),
        threading.Thread(target=others, args=("health", "GET", "/v2/health/live")),
        threading.Thread(target=others, args=("row", "POST", V1, small)),
    ]
    for thread in working:
        thread.start()
    for thread in working:
        thread.join()
    codes = ", ".join(sorted({str(status) for status, _ in found}))
    taken = sorted(second for _, second in found)
    its = f"{taken[len(taken) // 2]:.2f}" if taken else ""
    print(f"| {name} | {kind} | {len(sent):,} | {codes} | {its} | {_shown(waits['health'])} | {_shown(waits['row'])} |")
    return max(max(each) for each in waits.values())


def _shown(waits: list[float]) -> str:
    each = sorted(waits)
    return f"{each[len(each) // 2]:.1f}, {each[int(0.99 * (len(each) - 1))]:.1f}, {each[-1]:.1f}"


def _ask(port: int, method: str, path: str, sent: bytes | None = None) -> int:
    connection = http.client.HTTPConnection(HOST, port, timeout=60)
    try:
        connection.request(method, path, sent)
        return connection.getresponse().status
    finally:
        connection.close()


if __name__ == "__main__":
    sys.exit(main())
