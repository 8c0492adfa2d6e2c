"""Tables as newcomers bring them, drawn clean or with a planted fault, and the data gates of their first run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from gauntlet.data.importing import import_snapshot
from gauntlet.data.integrity.gate import check_integrity
from gauntlet.data.integrity.policy import IntegrityPolicy
from gauntlet.data.reader_options import ReaderOptions
from gauntlet.data.roles import Roles
from gauntlet.data.schema import choose_schema
from gauntlet.data.schema_inference import InferencePolicy
from gauntlet.data.skew import detect_skew
from gauntlet.data.skew_policy import SkewPolicy
from gauntlet.data.source import resolve
from gauntlet.data.split import SplitOptions
from gauntlet.data.statistics import Statistics, write_statistics
from gauntlet.data.validation import SchemaPolicy, validate_schema
from gauntlet.verdict import Status, Verdict

Law = Callable[[np.random.Generator, int], np.ndarray]
Table = dict[str, pa.Array]


def _mostly_zero(share: float) -> Law:
    return lambda rng, rows: np.where(rng.random(rows) < share, 0.0, rng.lognormal(3, 1, rows))


def _names(cells: int, power: float) -> Law:
    weights = np.arange(1, cells + 1.0) ** -power
    return lambda rng, rows: np.array([f"kind {n}" for n in rng.choice(cells, rows, p=weights / weights.sum())])


LAWS: Mapping[str, Law] = {
    "normal": lambda rng, rows: rng.normal(50, 10, rows),
    "normal near zero": lambda rng, rows: rng.normal(3.5, 1, rows),
    "uniform": lambda rng, rows: rng.uniform(18, 90, rows).round(),
    "lognormal": lambda rng, rows: rng.lognormal(8, 1, rows),
    "wide lognormal": lambda rng, rows: rng.lognormal(0, 2.5, rows),
    "Pareto, no mean": lambda rng, rows: rng.pareto(0.8, rows),
    "Pareto, no variance": lambda rng, rows: 1 + rng.pareto(1.6, rows),
    "t, 2 degrees": lambda rng, rows: rng.standard_t(2, rows),
    "mostly zero": _mostly_zero(0.9),
    "nearly always zero": _mostly_zero(0.997),
    "counts": lambda rng, rows: rng.poisson(3, rows),
    "rare counts": lambda rng, rows: rng.poisson(0.005, rows),
    "overdispersed counts": lambda rng, rows: rng.negative_binomial(0.2, 0.02, rows),
    "rare flag": lambda rng, rows: (rng.random(rows) < 2 / rows).astype(np.int64),
    "grades": lambda rng, rows: rng.choice(np.arange(1, 6), rows, p=[0.05, 0.1, 0.2, 0.4, 0.25]),
    "years": lambda rng, rows: 2024 - rng.geometric(0.1, rows),
    "times": lambda rng, rows: rng.integers(1_500_000_000, 1_700_000_000, rows).astype("datetime64[s]"),
    "codes": lambda rng, rows: 100 + rng.geometric(0.15, rows),
    "few names": _names(4, 1.0),
    "rare names": _names(60, 1.6),
    "many names": _names(3_000, 1.05),
}
"""What columns of real tables look like: heavy tails, few that are not zero, names that hardly occur."""


def draw(law: str, rng: np.random.Generator, rows: int, gaps: float = 0.0) -> pa.Array:
    """One column, a share ``gaps`` of it missing."""
    values = LAWS[law](rng, rows)
    mask = rng.random(rows) < gaps if gaps else None
    return (
        pa.array(values.astype("datetime64[us]"), pa.timestamp("us", "UTC"), mask=mask)
        if (values.dtype.kind == "M")
        else pa.array(values.tolist() if values.dtype.kind == "U" else values, mask=mask)
    )


@dataclass(frozen=True)
class Plan:
    """A kind of table: what each column is like; rows of it may be drawn again and again."""

    laws: Mapping[str, str]
    gaps: Mapping[str, float]
    task: str

    def table(self, rng: np.random.Generator, rows: int) -> Table:
        """Rows drawn independently, with a label that several columns say something of."""
        found = {name: draw(law, rng, rows, self.gaps.get(name, 0.0)) for name, law in self.laws.items()}
        told = rng.normal(size=rows)
        found["told"] = pa.array(told)
        score = told + rng.logistic(size=rows)
        label = score if self.task == "regression" else np.digitize(score, [0] if self.task == "binary" else [-1, 1])
        return {**found, "label": pa.array(label)}

    @property
    def roles(self) -> Roles:
        """The label, and which whole numbers are names."""
        return Roles(label="label", categorical=tuple(name for name, law in self.laws.items() if law == "codes"))


def plan_of(rng: np.random.Generator, columns: int) -> Plan:
    """So many columns of random kinds; one in four has missing values, most of them few."""
    names = [f"c{number}" for number in range(columns)]
    laws = {name: str(rng.choice(list(LAWS))) for name in names}
    gaps = {name: float(10 ** rng.uniform(-4, -0.3)) if rng.random() < 0.25 else 0.0 for name in names}
    return Plan(laws, gaps, str(rng.choice(["binary", "multiclass", "regression"])))


@dataclass(frozen=True)
class FirstRun:
    """What the data gates say of a first run with default policies."""

    verdicts: tuple[Verdict, ...]

    @property
    def stops(self) -> list[str]:
        """What stops it, as sentences."""
        return [
            f"{verdict.gate}: {check.reason}"
            for verdict in self.verdicts
            for check in verdict.checks
            if check.status in (Status.FAIL, Status.ERROR) and not getattr(check, "advisory", False)
        ]

    @property
    def told(self) -> list[str]:
        """What is undecided, as sentences."""
        return [check.reason for verdict in self.verdicts for check in verdict.with_status(Status.INCONCLUSIVE)]


def first_run(
    folder: Path,
    roles: Roles,
    table: Table,
    *,
    serving: Table | None = None,
    test: Table | None = None,
    kept: Statistics | None = None,
) -> FirstRun:
    """Import, describe, infer a schema, and ask the three gates before training.

    Args:
        folder: where to work.
        roles: what columns are for.
        table: the file.
        serving: logged requests, if there are any.
        test: a file of its own for the test split; by default all splits are drawn from the one file.
        kept: statistics of an earlier draw, whose schema is kept and whose champion was trained on them.
    """
    sources = [{"uri": _file(folder / "data.parquet", table)}]
    if test is not None:
        sources = [{**sources[0], "split": "train"}, {"uri": _file(folder / "test.parquet", test), "split": "test"}]
    options = {"roles": roles, "reader": ReaderOptions(), "split": SplitOptions()}
    snapshot = import_snapshot(resolve(sources), folder / "snapshot", **options)
    statistics = write_statistics(snapshot, folder / "statistics")
    served = None
    if serving is not None:
        requests = {name: column for name, column in serving.items() if name != "label"}
        pinned = resolve([{"uri": _file(folder / "serving.parquet", requests)}])
        served = write_statistics(
            import_snapshot(pinned, folder / "served", **options, purpose="serving"), folder / "serving"
        )
    schema = choose_schema(statistics if kept is None else kept, [], InferencePolicy())
    return FirstRun(
        (
            validate_schema(statistics, served, schema, SchemaPolicy()),
            detect_skew(statistics, served, kept, schema, SkewPolicy(replicates=1000)).verdict,
            check_integrity(snapshot, [], IntegrityPolicy()).verdict,
        )
    )


def describe_draw(folder: Path, roles: Roles, table: Table) -> Statistics:
    """The statistics of a file of its own."""
    pinned = resolve([{"uri": _file(folder / "data.parquet", table)}])
    snapshot = import_snapshot(pinned, folder / "snapshot", roles=roles, reader=ReaderOptions(), split=SplitOptions())
    return write_statistics(snapshot, folder / "statistics")


def _file(path: Path, table: Table) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table(table), path)
    return str(path)


Fault = Callable[[Table, str, str, np.random.Generator], Table]
"""Spoils one column of a table, given another one of the table, and leaves the rest alone."""


def _changed(change: Callable[[np.ndarray, np.random.Generator], np.ndarray]) -> Fault:
    def spoil(table: Table, name: str, _other: str, rng: np.random.Generator) -> Table:
        return {**table, name: pa.array(change(table[name].to_numpy(zero_copy_only=False), rng), table[name].type)}

    return spoil


FAULTS: Mapping[str, Fault] = {
    "another unit": _changed(lambda values, _: values * 1_000),
    "a sentinel in 1 of 100 rows": _changed(lambda values, rng: np.where(rng.random(len(values)) < 0.01, -999, values)),
    "negative": _changed(lambda values, _: -np.abs(values) - 1),
    "another column": lambda table, name, other, _: {**table, name: table[other].cast(table[name].type)},
    "half of it missing": lambda table, name, _, rng: {
        **table,
        name: pa.array(table[name].to_numpy(zero_copy_only=False), mask=rng.random(len(table[name])) < 0.5),
    },
}
FAULTY: tuple[str, ...] = ("normal", "uniform", "lognormal", "Pareto, no variance", "mostly zero", "counts")
"""Laws of the columns that are spoilt: never negative, or hardly, and told apart by their spread."""


def spoilt_tables(fault: str, seed: int) -> tuple[Table, Table, str]:
    """A clean file for training, one for the test split with one spoilt column, and its name."""
    rng = np.random.default_rng([seed, *fault.encode()])
    # Years lie amid what a lognormal law gives: no range tells them from it.
    law = str(rng.choice([law for law in FAULTY if law != "lognormal" or fault != "another column"]))
    plan = Plan({"spoilt": law, "other": "years", **{f"c{n}": str(rng.choice(FAULTY)) for n in range(8)}}, {}, "binary")
    rows = int(10 ** rng.uniform(3.3, 4))
    train, test = plan.table(rng, rows), plan.table(rng, rows // 2)
    return train, FAULTS[fault](test, "spoilt", "other", rng), "spoilt"


def leaking_table(seed: int) -> tuple[Table, str]:
    """A file in which one column was written after the outcome, and differs from it in a few rows."""
    rng = np.random.default_rng([seed, 7])
    table = Plan({f"c{n}": str(rng.choice(FAULTY)) for n in range(8)}, {}, "binary").table(
        rng, int(10 ** rng.uniform(2.7, 4))
    )
    label = table["label"].to_numpy()
    wrong = rng.random(len(label)) < rng.uniform(0, 0.015)
    return {**table, "leak": pa.array(np.where(wrong, 1 - label, label) * 3.5)}, "leak"
