from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from gauntlet.features.impact import Impact, Scoring, impact_check, measure_impact
from gauntlet.features.policy import FeaturesPolicy
from gauntlet.features.replay import NEW, STORED
from gauntlet.training.target import Target
from gauntlet.verdict import Status

POLICY = FeaturesPolicy.model_validate({})
CUSTOMERS = 200


def customers(flipping: int, seed: int = 4) -> pa.Table:
    """One row a customer, scored as its feature says; the store has another value for the first few."""
    rng = np.random.default_rng(seed)
    new = rng.uniform(0.55, 1.0, CUSTOMERS)
    stored = np.where(np.arange(CUSTOMERS) < flipping, 1 - new, new)
    return pa.table(
        {
            NEW + "x": new,
            STORED + "x": stored,
            "paid": (rng.uniform(size=CUSTOMERS) < new).astype(np.int64),
            "customer": [f"c{number}" for number in range(CUSTOMERS)],
        }
    )


def impact(table: pa.Table, cluster: str | None = "customer") -> Impact:
    def score(rows: pa.Table) -> Any:
        found = np.asarray(rows.column("x"))
        return np.column_stack([1 - found, found])

    target = Target(column="paid", task="binary", classes=("0", "1"))
    return measure_impact([table], Scoring(["x"], score, target, True, cluster), {"x": "x"}, POLICY)


def times(table: pa.Table, copies: int) -> pa.Table:
    return pa.concat_tables([table] * copies)


def test_rows_that_stand_for_themselves_have_the_exact_interval() -> None:
    found = impact(customers(10), cluster=None)
    assert (found.rows, found.flips) == (CUSTOMERS, 10)
    assert found.interval == pytest.approx((0.0242, 0.0900), abs=1e-4)  # Clopper and Pearson for 10 of 200


@pytest.mark.parametrize("copies", [4, 25])
def test_a_customer_s_rows_say_no_more_than_one_of_them(copies: int) -> None:
    once, often = impact(customers(10)), impact(times(customers(10), copies))
    assert often.flips == copies * 10
    assert often.interval == pytest.approx(once.interval, rel=1e-9)
    assert once.metric is not None
    assert often.metric is not None
    assert often.metric.interval == pytest.approx(once.metric.interval, rel=0.02)
    alone = impact(times(customers(10), copies), cluster=None)
    assert alone.metric is not None
    for narrow, wide in ((alone.interval, often.interval), (alone.metric.interval, often.metric.interval)):
        assert np.diff(narrow) < 0.6 * np.diff(wide)


def test_what_few_customers_did_often_is_not_proven() -> None:
    """Three customers flip in each of 60 rows: of 4,000 rows that is plainly above the limit, of 200 customers not."""
    rows = pa.concat_tables([customers(0)] * 20)
    loud = customers(3).slice(0, 3)
    table = pa.concat_tables([rows, times(loud, 20)])
    assert impact_check(impact(table, cluster=None), POLICY).status is Status.FAIL
    assert impact_check(impact(table), POLICY).status is Status.INCONCLUSIVE


def test_one_customer_proves_nothing() -> None:
    table = customers(10).set_column(3, "customer", pa.array(["c"] * CUSTOMERS))
    found = impact(table)
    assert found.interval == (0.0, 1.0)
    assert impact_check(found, POLICY).status is Status.INCONCLUSIVE


def test_rows_that_name_no_customer_stand_for_themselves() -> None:
    table = times(customers(10), 4)
    nameless = table.set_column(3, "customer", pa.nulls(table.num_rows, pa.string()))
    each = table.set_column(3, "customer", pa.array([str(row) for row in range(table.num_rows)]))
    assert impact(nameless).interval == pytest.approx(impact(each).interval)


def test_a_column_the_sample_lacks_clusters_nothing() -> None:
    assert impact(customers(10), cluster="household").interval == impact(customers(10), cluster=None).interval
