"""Throughput of the model server beside KServe's SDK around ``mlflow.pyfunc``, and beside MLServer: same model folders,
same machine, same run, one process each on loopback.

    .environments/serving/bin/python benchmarks/serving_throughput.py [--seconds 10] [--rounds 3] [--models NAME,…]

Three models: one that Gauntlet trained, a scikit-learn pipeline, and a formula over a frame. First every server is
asked everything (each type, nulls, unseen categories) and compared with the pyfunc in this process; ours must equal it
to the last bit, peers on all rows that are timed. Then eight clients ask, wait and ask again, server after server, in
rounds that begin at alternate ends. Ratios are taken within a round, and their median is shown: what else the machine
does changes between rounds.

Peers as quick as they come: no log lines for requests, httptools for MLServer, which does not ask for it, no conversion
of types where a frame from JSON has them right. MLServer runs without workers (``parallel_workers`` 0), and with its
default of one beside. Its adaptive batching, off by default, stays off: one bad request in a batch fails its
neighbours.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import warnings
from collections import defaultdict
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import pandas as pd
from closed_loop import closed_loop
from machine import describe
from serving_models import TIMED, Bench, Row, build
from serving_peers import Server, ask, differences, kserve, make_mlserver, mlserver, mlserver_versions, ours, request

CLIENTS = 8
SIZES = (1, 100)
WARM_SECONDS = 1.0
LEAST_TRAINED, LEAST_OTHER = 5.0, 1.0


@dataclass(frozen=True)
class Series:
    """A server asked by one protocol."""

    server: Server
    protocol: str

    def __str__(self) -> str:
        return f"{self.server.name} {self.protocol}"


@dataclass(frozen=True)
class Measure:
    """One round of a series: answers a second, seconds, and processor seconds a request."""

    rate: float
    p50: float
    p99: float
    processor: float


# -- answers ---------------------------------------------------------------------------------------------------------
def pyfunc_answers(model: Any, bench: Bench, rows: Sequence[Row]) -> np.ndarray:
    """What MLflow's pyfunc answers in this process, (rows, outputs)."""
    kinds = {"double": "float64", "long": "int64", "boolean": "object", "string": "object"}
    frame = pd.DataFrame(
        {
            name: pd.Series([row[name] for row in rows], dtype=kinds[kind.rstrip("?")])
            for name, kind in bench.types.items()
        }
    )
    return np.asarray(model.predict(frame), dtype=float).reshape(len(rows), -1)


def agree(bench: Bench, every: Sequence[Series]) -> None:
    """Compare answers.

    Raises:
        SystemExit: ours differ from the pyfunc's, or a peer's on rows that will be timed.
    """
    import mlflow.pyfunc

    model = mlflow.pyfunc.load_model(str(bench.folder))
    for series in every:
        wrong = []
        for what, row in bench.cases.items():
            answer = ask(series.server, series.protocol, [row], bench.types)
            if answer is None or differences(answer, pyfunc_answers(model, bench, [row])) > 0:
                wrong.append(f"{what} ({'refused' if answer is None else 'another answer'})")
        timed = ask(series.server, series.protocol, bench.timed[:100], bench.types)
        same = timed is not None and differences(timed, pyfunc_answers(model, bench, bench.timed[:100])) == 0
        others = f"; not: {', '.join(wrong)}" if wrong else ""
        print(f"  {series}: {len(bench.cases) - len(wrong)} of {len(bench.cases)} cases equal{others}")
        if not same or (wrong and series.server.name == "Gauntlet"):
            raise SystemExit(f"{series} does not answer as the pyfunc does: nothing is timed")


# -- times -----------------------------------------------------------------------------------------------------------
def measure(series: Series, bench: Bench, size: int, seconds: float) -> Measure:
    """One round."""
    batches = [bench.timed[first : first + size] for first in range(0, TIMED, size)]
    requests = [request(series.protocol, rows, bench.types) for rows in batches]
    closed_loop(series.server.port, requests, clients=CLIENTS, seconds=WARM_SECONDS)
    before = series.server.processor_seconds()
    seen = closed_loop(series.server.port, requests, clients=CLIENTS, seconds=seconds)
    used = (series.server.processor_seconds() - before) / len(seen.latency)
    return Measure(seen.rate, *np.percentile(seen.latency, [50, 99]), used)


def compare(bench: Bench, every: Sequence[Series], size: int, *, seconds: float, rounds: int) -> bool:
    """Time every series and print it; whether the targets are held (one-row requests have them)."""
    found: dict[Series, list[Measure]] = defaultdict(list)
    for turn in range(rounds):
        for series in every if turn % 2 == 0 else reversed(every):
            found[series].append(measure(series, bench, size, seconds))
    print(f"  {size} row{'s' * (size > 1)} a request, load average {os.getloadavg()[0]:.1f}:")
    for series, measures in found.items():
        rates = " ".join(f"{one.rate:,.0f}" for one in measures)
        p50, p99, used = (1e3 * median(getattr(one, name) for one in measures) for name in ("p50", "p99", "processor"))
        print(f"    {series!s:20} {rates} requests/s, p50 {p50:.1f} ms, p99 {p99:.1f} ms, processor {used:.2f} ms")
    held = True
    for series in every:
        if series.server.name != "Gauntlet":
            held &= _beside(found, series, next(one for one in every if one.protocol == series.protocol), bench, size)
    return held


def _beside(found: dict[Series, list[Measure]], peer: Series, own: Series, bench: Bench, size: int) -> bool:
    pairs = list(zip(found[own], found[peer], strict=True))
    rates = [ours_.rate / theirs.rate for ours_, theirs in pairs]
    tails = [ours_.p99 / theirs.p99 for ours_, theirs in pairs]
    used = median(theirs.processor / ours_.processor for ours_, theirs in pairs)
    least = LEAST_TRAINED if bench.trained else LEAST_OTHER
    held = median(rates) >= least and median(tails) <= 1
    verdict = (f"at least {least:g}, p99 not worse: " + ("held" if held else "NOT HELD")) if size == 1 else ""
    spread = f"({min(rates):.2f} to {max(rates):.2f})"
    print(
        f"    {own} / {peer}: rate {median(rates):.2f} {spread}, p99 {median(tails):.2f}, "
        f"processor a request 1/{used:.2f}  {verdict}"
    )
    return held or size > 1


def _sizes(text: str) -> tuple[int, ...]:
    return tuple(map(int, text.split(",")))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run; 1 if a target is not held."""
    parser = argparse.ArgumentParser(description="Throughput of model servers.")
    parser.add_argument("--seconds", type=float, default=10.0, help="of each measurement")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--models", default="", help="only these, by name")
    parser.add_argument("--sizes", default=SIZES, type=_sizes, help="rows a request: 1,100")
    options = parser.parse_args(arguments)
    os.environ.setdefault("MLFLOW_LOGGING_LEVEL", "ERROR")
    warnings.simplefilter("ignore")  # what libraries say about the libraries below them
    make_mlserver()
    print(f"{describe()}; MLServer: {mlserver_versions()}")
    held = True
    with tempfile.TemporaryDirectory() as folder:
        for bench in build(Path(folder) / "models"):
            if options.models and bench.name not in options.models.split(","):
                continue
            print(f"{bench.name}: {len(bench.types)} columns")
            with ExitStack() as stack:
                makers = (ours, kserve, mlserver, partial(mlserver, workers=1))
                servers = [stack.enter_context(make(bench.folder, Path(folder) / bench.name)) for make in makers]
                every = [Series(server, one) for server in servers for one in server.protocols]
                agree(bench, every)
                timed = [one for one in every if one.server.name != "KServe" or one.protocol == "v1"]
                for size in options.sizes:
                    held &= compare(bench, timed, size, seconds=options.seconds, rounds=options.rounds)
    print("every target is held" if held else "NOT every target is held")
    return not held


if __name__ == "__main__":
    sys.exit(main())
