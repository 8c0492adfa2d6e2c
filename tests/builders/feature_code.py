"""Feature code for tests: sound, and with one fault each."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from gauntlet.data.roles import Roles
from gauntlet.features.transform import Transform

ROLES = Roles.model_validate(
    {"label": "repaid", "key": ["id"], "time": "applied_at", "categorical": ["product"]},
)
CITIES = ("Bern", "Oslo", "Rome", "Zug")
CODES = {city: float(code) for code, city in enumerate(CITIES)}


def raw_rows(rows: int = 200, seed: int = 0) -> pa.Table:
    """Applications in random order of time; one in ten has no city, one in five no history."""
    random = np.random.default_rng(seed)
    return pa.table(
        {
            "id": pa.array([f"A{number}" for number in range(rows)]),
            "applied_at": pa.array(random.permutation(rows) * 3_600_000_000, pa.timestamp("us", tz="UTC")),
            "income": pa.array(random.lognormal(8, 0.4, rows)),
            "term": pa.array(random.integers(6, 60, rows)),
            "history": pa.array(random.integers(0, 30, rows), mask=random.random(rows) < 0.2),
            "city": pa.array(random.choice(CITIES, rows), mask=random.random(rows) < 0.1),
            "product": pa.array(random.choice([101, 205], rows)),
            "repaid": pa.array(random.integers(0, 2, rows)),
        }
    )


def transform_of(function: Callable[[pa.Table], Any]) -> Transform:
    """Arrow in, Arrow out."""
    return Transform(getattr(function, "__name__", type(function).__name__), "sha256:0", function)


def sound(rows: pa.Table) -> pa.Table:
    """Features that depend on their own row alone."""
    known = pc.index_in(rows["city"], value_set=pa.array(CITIES))
    return pa.table(
        {
            "log_income": pc.ln(pc.max_element_wise(rows["income"], 1.0)),
            "history": pc.fill_null(rows["history"].cast(pa.float64()), -1.0),
            "city": known.cast(pa.float64()),
            "term": rows["term"],
        }
    )


def with_column(name: str, compute: Callable[[pa.Table], Any]) -> Callable[[pa.Table], pa.Table]:
    """The sound features and one more."""

    def features(rows: pa.Table) -> pa.Table:
        return sound(rows).append_column(name, [pa.array(compute(rows))])

    return features


def numbers(rows: pa.Table, name: str) -> np.ndarray:
    """A column as float64, missing values NaN."""
    return np.asarray(rows[name].cast(pa.float64()).to_numpy())


_calls = count()


def by_batch_mean(rows: pa.Table) -> Any:
    """Normalized by its own batch."""
    income = np.nan_to_num(numbers(rows, "income"))
    return (income - income.mean()) / (income.std() or 1.0)


def by_batch_categories(rows: pa.Table) -> Any:
    """Codes fitted on the batch."""
    return rows["city"].combine_chunks().dictionary_encode().indices.cast(pa.float64())


def running_total(rows: pa.Table) -> Any:
    """A sum over the rows above."""
    return np.cumsum(numbers(rows, "income"))


def by_chance(rows: pa.Table) -> Any:
    """Noise without a seed."""
    return np.random.default_rng().random(rows.num_rows)


def by_call(rows: pa.Table) -> Any:
    """Something remembered between calls."""
    return np.full(rows.num_rows, float(next(_calls)))


def later_applications(rows: pa.Table) -> Any:
    """How many applications came later: order does not matter to it, the future does."""
    times = np.asarray(rows["applied_at"].cast(pa.int64()).to_numpy())
    return np.array([(times > time).sum() for time in times], dtype=float)


def by_lookup(rows: pa.Table) -> Any:
    """Breaks on what is not in the list."""
    return [None if city is None else CODES[city] for city in rows["city"].to_pylist()]


def by_ratio(rows: pa.Table) -> Any:
    """Divides by what may be zero."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return numbers(rows, "income") / numbers(rows, "term")


def as_text(rows: pa.Table) -> Any:
    """Text of a number: ``3`` or ``3.0``, as the column happens to be held."""
    return [None if value is None else str(value) for value in rows["history"].to_pylist()]
