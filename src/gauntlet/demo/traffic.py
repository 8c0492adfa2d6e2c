"""Production's traffic, for the demo: one applicant a request, at random times, until told to stop.

    python -m gauntlet.demo.traffic --rows loans.csv --port 8080 --path /v1/models/loans:predict --out traffic.json

Open loop: applicants do not wait for each other. Runs in the environment of the serving image.
"""

from __future__ import annotations

import argparse
import csv
import json
import signal
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gauntlet.serving.load import Load, run
from gauntlet.serving.measured import Measured, percentile
from gauntlet.storage import write_json

SEGMENT_SECONDS = 2.0
"""One run of load; between two runs the connections are opened anew, which takes milliseconds."""
LONGEST_SECONDS = 900.0
"""It ends by itself, should nobody stop it."""
_OUTSIDE = ("sex", "age", "community", "application_id", "applicant_id", "applied_at", "repaid")
_NUMBERS = ("income", "debt_ratio", "employment_years", "history_years", "amount")
_WHOLE = ("late_payments", "term_months", "product_code")


@dataclass
class Tally:
    """What callers have seen so far."""

    requests: int = 0
    errors: Counter[str] = field(default_factory=Counter)
    slowest: list[float] = field(default_factory=list)

    def add(self, measured: Measured) -> None:
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
    """One v1 request a row of a CSV of loan applications, with the columns a model may see."""
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
    """Send requests until SIGTERM, and leave what was seen in a file."""
    parser = argparse.ArgumentParser(prog="python -m gauntlet.demo.traffic", description="Send loan applications.")
    parser.add_argument("--rows", type=Path, required=True, help="CSV of loan applications")
    parser.add_argument("--port", type=int, required=True, help="on 127.0.0.1")
    parser.add_argument("--path", required=True)
    parser.add_argument("--rate", type=float, default=120.0, help="requests a second")
    parser.add_argument("--out", type=Path, required=True, help="where what was seen is written, after every segment")
    options = parser.parse_args(arguments)
    stopped = []
    signal.signal(signal.SIGTERM, lambda *_: stopped.append(True))
    tally = Tally()
    requests = bodies(options.rows)
    for segment in range(int(LONGEST_SECONDS / SEGMENT_SECONDS)):
        if stopped:
            break
        load = Load(
            rate=options.rate,
            seconds=SEGMENT_SECONDS,
            seed=segment,
            connections=32,
            timeout=5.0,
            method="POST",
            path=options.path,
            bodies=_turned(requests, segment * 211),
            headers={"content-type": "application/json"},
        )
        tally.add(run(load, "127.0.0.1", options.port))
        write_json(options.out, tally.to_json())
    return 0


def _turned(requests: list[bytes], by: int) -> list[bytes]:
    at = by % len(requests)
    return requests[at:] + requests[:at]


if __name__ == "__main__":
    sys.exit(main())
