"""Training on a CUDA card against all CPU cores: ten million rows, the same task, through Gauntlet's own trainer.

    .environments/model/bin/python benchmarks/gpu_training.py [--rows N] [--rounds N] [--devices cuda,cpu]

A snapshot is made up (numbers, categories, missing values), then trained on by each device in turn. Both models must
agree on rows neither saw before a time is printed. With XGBoost's CPU wheel it says so and exits 2, without a card 3.
"""

from __future__ import annotations

import argparse
import json
import logging
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from machine import describe

from gauntlet.data.contract import Column, Contract
from gauntlet.data.snapshot import EXAMPLE_ID, FORMAT, MANIFEST, ROWS_PER_PART, Snapshot
from gauntlet.digest import digest_json
from gauntlet.errors import GauntletError
from gauntlet.settings import parse
from gauntlet.training.device import choose, detect
from gauntlet.training.recipe import Recipe
from gauntlet.training.result import Training
from gauntlet.training.trainer import train

NUMBERS = 24
CATEGORIES = {f"category_{size}": size for size in (4, 12, 50, 200)}
MISSING = 0.05
HELD_OUT = 0.02
AGREEMENT = 0.005
"""Largest difference of the two AUCs: the devices sum in another order, which moves split points a little."""


def make_part(rows: int, generator: np.random.Generator, names: list[str], first: int) -> pa.Table:
    numbers = generator.normal(size=(rows, NUMBERS)).astype(np.float64)
    codes = {name: generator.integers(0, size, rows) for name, size in CATEGORIES.items()}
    signal = numbers[:, 0] + numbers[:, 1] * numbers[:, 2] - 0.5 * numbers[:, 3] ** 2
    signal = signal + sum(np.sin(code) for code in codes.values()) + generator.normal(scale=2.0, size=rows)
    columns = {EXAMPLE_ID: pa.array(np.arange(first, first + rows).astype(str))}
    columns |= {name: pa.array(numbers[:, i], mask=generator.random(rows) < MISSING) for i, name in enumerate(names)}
    for name, code in codes.items():
        values = pa.array([f"v{value}" for value in range(CATEGORIES[name])])
        columns[name] = pa.DictionaryArray.from_arrays(pa.array(code), values).dictionary_decode()
    columns["label"] = pa.array(signal > 0)
    return pa.table(columns)


def make_snapshot(folder: Path, rows: int) -> tuple[Snapshot, Contract]:
    generator = np.random.default_rng(20_260_101)
    names = [f"number_{i:02d}" for i in range(NUMBERS)]
    columns = {**dict.fromkeys(names, "float"), **dict.fromkeys(CATEGORIES, "string"), "label": "bool"}
    splits = {}
    for split, wanted in {"train": rows, "validation": max(1_000, int(rows * HELD_OUT))}.items():
        (folder / split).mkdir()
        parts = []
        for first in range(0, wanted, ROWS_PER_PART):
            part = f"{split}/part-{len(parts):05d}.parquet"
            pq.write_table(make_part(min(ROWS_PER_PART, wanted - first), generator, names, first), folder / part)
            parts.append(part)
        splits[split] = {"rows": wanted, "parts": parts}
    document = {
        "format": FORMAT,
        "digest": digest_json(["gpu_training", rows]),
        "columns": columns,
        "roles": {"label": "label"},
        "splits": splits,
        "sources": [],
    }
    (folder / MANIFEST).write_text(json.dumps(document))
    contract = Contract.of([Column(name, kind, categorical=kind == "string") for name, kind in columns.items()])
    return Snapshot.open(folder), contract


def timed(snapshot: Snapshot, contract: Contract, recipe: Recipe, device: str) -> tuple[Training, float]:
    start = time.perf_counter()
    training = train(snapshot, contract, recipe, device=device)
    return training, time.perf_counter() - start


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--devices", default="cuda,cpu", help="cpu alone tries the benchmark out without a card")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s: %(message)s")
    devices = arguments.devices.split(",")
    hardware = detect()
    for device in devices:
        choose(device, hardware)
    print(describe(), *hardware.cards, sep="\n")
    recipe = parse(
        Recipe,
        {"parameters": {"n_estimators": arguments.rounds, "max_depth": 8}, "early_stopping_rounds": 0},
        field="recipe",
    )
    with tempfile.TemporaryDirectory() as folder:
        snapshot, contract = make_snapshot(Path(folder), arguments.rows)
        found = {device: timed(snapshot, contract, recipe, device) for device in devices}
    aucs = {device: training.metrics["auc"] for device, (training, _) in found.items()}
    if max(aucs.values()) - min(aucs.values()) > AGREEMENT:
        print(f"the devices disagree, so no time is worth printing: {aucs}", file=sys.stderr)
        return 1
    print(f"{arguments.rows:,} rows, {NUMBERS + len(CATEGORIES)} features, {arguments.rounds} rounds")
    for device, (training, seconds) in found.items():
        print(f"{device}: {seconds:.1f} s, AUC {aucs[device]:.4f} ({training.device.reason})")
    if len(found) == 2:
        print(f"cuda is {found['cpu'][1] / found['cuda'][1]:.1f} times as fast")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except GauntletError as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        sys.exit(error.exit_code)
