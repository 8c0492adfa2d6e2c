"""Generates the demo's traffic: one application per request, as a Poisson process, until SIGTERM.

    python -m gauntlet.demo.traffic --rows loans.csv --port 8080 --path /v1/models/loans:predict --out traffic.json

Open loop: requests do not wait for each other, nor a segment for the responses of the one before. Runs in the
environment of the serving image.
"""

from __future__ import annotations

import argparse
import csv
import json
import signal
import sys
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gauntlet.serving.load import Load, run
from gauntlet.serving.load_result import LoadResult, percentile
from gauntlet.storage import write_json

SEGMENT_SECONDS = 2.0
"""Length of a segment, one load run on its own connections; the next begins on time, however slow responses are."""
TIMEOUT_SECONDS = 5.0
"""Timeout of a request."""
_MOST_AT_ONCE = 8
"""Concurrent segments: one that sends, those that await responses, and a margin for slow machines."""
_TICK_SECONDS = 0.05
LONGEST_SECONDS = 900.0
"""Longest duration without SIGTERM."""
_OUTSIDE = ("sex", "age", "community", "application_id", "applicant_id", "applied_at", "repaid")
_NUMBERS = ("income", "debt_ratio", "employment_years", "history_years", "amount")
_WHOLE = ("late_payments", "term_months", "product_code")


@dataclass
class CallCounts:
    """Counts of calls so far."""

    requests: int = 0
    errors: Counter[str] = field(default_factory=Counter)
    slowest: list[float] = field(default_factory=list)

    def add(self, measured: LoadResult) -> None:
        """Count one segment."""
        self.requests += len(measured.intended)
        self.errors.update(measured.errors)
        self.slowest.append(percentile(measured.latency, 99))

    def to_json(self) -> dict[str, Any]:
        """Counts, and the p99 of the first and the worst segment, in seconds."""
        return {
            "requests": self.requests,
            "errors": dict(self.errors),
            "p99_first": self.slowest[0] if self.slowest else None,
            "p99_worst": max(self.slowest, default=None),
        }


def bodies(table: Path) -> list[bytes]:
    """Make one v1 request per row of a CSV of loan applications, with the model's columns."""
    with table.open(newline="") as file:
        rows = [{name: _value(name, text) for name, text in row.items()} for row in csv.DictReader(file)]
    kept = [{name: value for name, value in row.items() if name not in _OUTSIDE} for row in rows]
    return [json.dumps({"instances": [row]}).encode() for row in kept]


def _value(name: str, text: str) -> float | int | str | None:
    if not text:
        return None
    if name in _NUMBERS:
        return float(text)
    return int(text) if name in _WHOLE else text


def main(arguments: Sequence[str] | None = None) -> int:
    """Send requests until SIGTERM, and write the counts to a file."""
    parser = argparse.ArgumentParser(prog="python -m gauntlet.demo.traffic", description="Send loan applications.")
    parser.add_argument("--rows", type=Path, required=True, help="CSV of loan applications")
    parser.add_argument("--port", type=int, required=True, help="on 127.0.0.1")
    parser.add_argument("--path", required=True)
    parser.add_argument("--rate", type=float, default=120.0, help="requests a second")
    parser.add_argument("--out", type=Path, required=True, help="where what was seen is written, after every segment")
    options = parser.parse_args(arguments)
    stopped: list[bool] = []
    signal.signal(signal.SIGTERM, lambda *_: stopped.append(True))
    segments = loads(bodies(options.rows), options.path, options.rate, int(LONGEST_SECONDS / SEGMENT_SECONDS))
    call(segments, options.port, options.out, lambda: bool(stopped))
    return 0


def loads(requests: list[bytes], path: str, rate: float, segments: int) -> Iterator[Load]:
    """Loads of the segments, each with its own applications and arrivals."""
    for segment in range(segments):
        yield Load(
            rate=rate,
            seconds=SEGMENT_SECONDS,
            seed=segment,
            connections=32,
            timeout=TIMEOUT_SECONDS,
            method="POST",
            path=path,
            bodies=_turned(requests, segment * 211),
            headers={"content-type": "application/json"},
        )


def call(segments: Iterator[Load], port: int, out: Path, stopped: Callable[[], bool]) -> None:
    """Send loads one after the other; each begins when the one before has sent its last request.

    Args:
        segments: the loads.
        port: on 127.0.0.1.
        out: file of the counts, written when all requests of the oldest segment are done.
        stopped: begin no further load; running ones are awaited.
    """
    counts, under_way = CallCounts(), deque[Future[LoadResult]]()

    def take(enough: Callable[[Future[LoadResult]], bool]) -> None:
        while under_way and enough(under_way[0]):
            counts.add(under_way.popleft().result())
            write_json(out, counts.to_json())

    due = time.monotonic()
    with ThreadPoolExecutor(_MOST_AT_ONCE) as workers:
        for load in segments:
            while time.monotonic() < due and not stopped():
                take(Future.done)
                time.sleep(_TICK_SECONDS)
            if stopped():
                break
            under_way.append(workers.submit(run, load, "127.0.0.1", port))
            due += load.seconds
        take(lambda _: True)


def _turned(requests: list[bytes], by: int) -> list[bytes]:
    at = by % len(requests)
    return requests[at:] + requests[:at]


if __name__ == "__main__":
    sys.exit(main())
