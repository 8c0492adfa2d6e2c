"""Synthetic loan applications: seeded, with protected attributes and a documented mechanism.

    python -m gauntlet.demo.loans --span 1 --rows 20000 --out loans-1.csv

A *span* is a quarter. People apply, some of them several times; whether they repay is drawn from

    P(repaid) = logistic(INTERCEPT + the sum of EFFECTS + a person's own constant)

which reads neither sex, age nor community. From span to span incomes and the mix of purposes move a little and the
mechanism stays, so a model trained on one span is still right about the next. ``Faults`` plants what a gate must
catch; by default there are none.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np

from gauntlet.errors import ConfigurationError

if TYPE_CHECKING:
    import pyarrow as pa

LABEL = "repaid"
KEY = "application_id"
CLUSTER = "applicant_id"
TIME = "applied_at"

FIRST_DAY = datetime(2024, 1, 1, tzinfo=UTC)
SPAN_DAYS = 91
APPLICANTS_PER_ROW = 0.8
INCOME_GROWTH_PER_SPAN = 0.012
THIN_FILE_SHARE = 0.08
PERSON_SPREAD = 0.35
"""Standard deviation, in log-odds, of the unobserved constant of a person."""

INTERCEPT = 1.05
EFFECTS: Mapping[str, float] = {
    "log_income": 1.1,  # a unit of log(income / 2500)
    "debt_ratio": -4.0,  # a unit of debt_ratio - 0.35
    "settled": 0.18,  # a year of employment, up to five, less 2.5
    "late_payments": -0.75,  # a payment
    "history": 0.10,  # a year of credit history, up to ten, less five; zero where it is missing
    "instalment": -3.0,  # amount / term / income, less 0.15
    "business": -0.45,
    "education": 0.25,
}
PURPOSES = ("car", "home", "education", "business", "medical")
_PURPOSE_SHARES = np.array([0.30, 0.27, 0.15, 0.16, 0.12])
_PURPOSE_SHIFT = np.array([-0.006, 0.006, 0.004, -0.004, 0.0])
_REGIONS = ("north", "east", "south", "west", "centre")
_REGION_SHARES = (0.22, 0.18, 0.24, 0.16, 0.20)
_COMMUNITIES = ("amber", "cobalt", "jade", "russet")
_COMMUNITY_SHARES = (0.44, 0.24, 0.18, 0.14)
_PRODUCTS = (101, 205, 310, 420)
_TERMS = (12, 24, 36, 48, 60)


@dataclass(frozen=True)
class Faults:
    """Faults to plant; the default has none.

    Attributes:
        bias: (column, value) → log-odds added to the label's mechanism for these people alone.
        scale: column → factor its values are multiplied by (a change of unit).
        normalize: columns brought to mean 0 and standard deviation 1.
        missing: column → share of its values that go missing.
        unseen: column → share of its values replaced by a category that is new (``"unheard-of"``).
        negate: column → share of its values with the wrong sign.
        leak: add ``collection_calls``, a column filled in after the outcome was known.
    """

    bias: Mapping[tuple[str, str], float] = field(default_factory=dict)
    scale: Mapping[str, float] = field(default_factory=dict)
    normalize: tuple[str, ...] = ()
    missing: Mapping[str, float] = field(default_factory=dict)
    unseen: Mapping[str, float] = field(default_factory=dict)
    negate: Mapping[str, float] = field(default_factory=dict)
    leak: bool = False


NO_FAULTS = Faults()
_UNSEEN = "unheard-of"


def generate(span: int, rows: int, seed: int, faults: Faults = NO_FAULTS, *, label: bool = True) -> pa.Table:
    """Generate one span.

    Args:
        span: quarter, from 1.
        rows: number of applications, at least 1.
        seed: with span and rows, determines the table.
        faults: what to plant.
        label: with the label; without it, the table is a sample of serving requests.

    Returns:
        ``rows`` rows in order of time; a missing value is a null.

    Raises:
        ConfigurationError: ``span`` or ``rows`` below 1, or a fault names a column that is not there.
    """
    for argument, number in (("span", span), ("rows", rows)):
        if number < 1:
            raise ConfigurationError("must be at least 1", field=argument, value=number, mend="Count from 1")
    random = np.random.default_rng([seed, span])
    people = _people(random, max(1, round(rows * APPLICANTS_PER_ROW)), span)
    columns = _applications(random, people, rows, span)
    log_odds = columns.pop("_person") + _log_odds(columns)
    for (name, value), shift in faults.bias.items():
        log_odds = log_odds + shift * (_known(columns, name, "bias") == value)
    outcome = (random.random(rows) < 1 / (1 + np.exp(-log_odds))).astype(np.int64)
    missing = {"history_years": columns.pop("_thin")}
    if faults.leak:
        columns["collection_calls"] = np.where(outcome == 1, 0, 1 + random.poisson(2.0, rows))
    _plant(random, columns, missing, faults)
    if label:
        columns[LABEL] = outcome
    return _table(columns, missing)


def _people(random: np.random.Generator, count: int, span: int) -> dict[str, np.ndarray]:
    """Applicants: attributes that are constant over their applications."""
    age = np.clip(np.round(random.gamma(2.6, 8.5, count) + 18), 18, 80).astype(np.int64)
    growth = (1 + INCOME_GROWTH_PER_SPAN) ** (span - 1)
    return {
        CLUSTER: np.array([f"P{span}-{number:07d}" for number in range(count)]),
        "sex": random.choice(["female", "male"], count, p=[0.48, 0.52]),
        "age": age,
        "community": random.choice(_COMMUNITIES, count, p=_COMMUNITY_SHARES),
        "region": random.choice(_REGIONS, count, p=_REGION_SHARES),
        "income": np.exp(random.normal(np.log(2500 * growth), 0.42, count)),
        "employment_years": np.minimum(random.exponential(4.5, count), age - 17.5),
        "_history": np.minimum(random.gamma(2.2, 3.0, count), age - 17.0),
        "_thin": random.random(count) < THIN_FILE_SHARE,
        "_person": random.normal(0.0, PERSON_SPREAD, count),
    }


def _applications(
    random: np.random.Generator, people: Mapping[str, np.ndarray], rows: int, span: int
) -> dict[str, np.ndarray]:
    """Applications in order of time; a column whose name begins with ``_`` is not part of the table."""
    who = random.integers(0, len(people[CLUSTER]), rows)
    shares = np.clip(_PURPOSE_SHARES + (span - 1) * _PURPOSE_SHIFT, 0.02, None)
    income = people["income"][who] * np.exp(random.normal(0.0, 0.05, rows))
    amount = np.exp(random.normal(np.log(9000), 0.55, rows))
    seconds = np.sort(random.integers(0, SPAN_DAYS * 86_400, rows))
    start = FIRST_DAY + timedelta(days=SPAN_DAYS * (span - 1))
    return {
        KEY: np.array([f"A{span}-{number:08d}" for number in range(rows)]),
        CLUSTER: people[CLUSTER][who],
        TIME: np.datetime64(start.replace(tzinfo=None), "s") + seconds.astype("timedelta64[s]"),
        "sex": people["sex"][who],
        "age": people["age"][who],
        "community": people["community"][who],
        "region": people["region"][who],
        "purpose": random.choice(PURPOSES, rows, p=shares / shares.sum()),
        "product_code": random.choice(_PRODUCTS, rows, p=(0.4, 0.3, 0.2, 0.1)),
        "income": np.round(income, 2),
        "debt_ratio": np.round(random.beta(2.6, 4.6, rows), 4),
        "employment_years": np.round(people["employment_years"][who], 1),
        "history_years": np.round(people["_history"][who], 1),
        "late_payments": random.poisson(0.45, rows),
        "amount": np.round(amount, 2),
        "term_months": random.choice(_TERMS, rows),
        "_thin": people["_thin"][who],
        "_person": people["_person"][who],
    }


def _log_odds(columns: Mapping[str, np.ndarray]) -> np.ndarray:
    """Log-odds of the mechanism, without the person's own constant."""
    terms = {
        "log_income": np.log(columns["income"] / 2500),
        "debt_ratio": columns["debt_ratio"] - 0.35,
        "settled": np.minimum(columns["employment_years"], 5) - 2.5,
        "late_payments": columns["late_payments"],
        "history": np.where(columns["_thin"], 0.0, np.minimum(columns["history_years"], 10) - 5),
        "instalment": columns["amount"] / columns["term_months"] / columns["income"] - 0.15,
        "business": columns["purpose"] == "business",
        "education": columns["purpose"] == "education",
    }
    total: np.ndarray = INTERCEPT + sum(EFFECTS[name] * term for name, term in terms.items())
    return total


def _plant(
    random: np.random.Generator, columns: dict[str, np.ndarray], missing: dict[str, np.ndarray], faults: Faults
) -> None:
    for name, factor in faults.scale.items():
        columns[name] = _known(columns, name, "scale") * factor
    for name in faults.normalize:
        values = _known(columns, name, "normalize").astype(float)
        columns[name] = (values - values.mean()) / values.std()
    for name, share in faults.negate.items():
        values = _known(columns, name, "negate")
        columns[name] = np.where(random.random(len(values)) < share, -values, values)
    for name, share in faults.unseen.items():
        values = _known(columns, name, "unseen")
        columns[name] = np.where(random.random(len(values)) < share, _UNSEEN, values)
    for name, share in faults.missing.items():
        lost = random.random(len(_known(columns, name, "missing"))) < share
        missing[name] = lost | missing[name] if name in missing else lost


def _known(columns: Mapping[str, np.ndarray], name: str, fault: str) -> np.ndarray:
    if name not in columns:
        mend = f"Use one of: {', '.join(columns)}"
        raise ConfigurationError("there is no such column", field=f"faults.{fault}", value=name, mend=mend)
    return columns[name]


def _table(columns: Mapping[str, np.ndarray], missing: Mapping[str, np.ndarray]) -> pa.Table:
    import pyarrow as pa

    return pa.table({name: pa.array(values, mask=missing.get(name)) for name, values in columns.items()})


def write_csv(table: pa.Table, destination: str) -> None:
    """Write a table as CSV, atomically; equal tables give equal bytes."""
    from pathlib import Path

    import pyarrow as pa
    import pyarrow.csv as arrow_csv

    from gauntlet.storage import write_bytes

    sink = pa.BufferOutputStream()
    arrow_csv.write_csv(table, sink)
    write_bytes(Path(destination), sink.getvalue().to_pybytes())


def main(arguments: list[str] | None = None) -> None:
    """Write one span as CSV."""
    import argparse

    parser = argparse.ArgumentParser(prog="python -m gauntlet.demo.loans", description="Generate loan applications.")
    parser.add_argument("--span", type=int, default=1, help="quarter, from 1 (default: 1)")
    parser.add_argument("--rows", type=int, default=20_000, help="applications (default: 20000)")
    parser.add_argument("--seed", type=int, default=0, help="everything follows from it (default: 0)")
    parser.add_argument("--serving", action="store_true", help="leave the label out, as in serving requests")
    parser.add_argument("--out", required=True, help="the CSV file to write")
    options = parser.parse_args(arguments)
    write_csv(generate(options.span, options.rows, options.seed, label=not options.serving), options.out)


if __name__ == "__main__":
    main()
