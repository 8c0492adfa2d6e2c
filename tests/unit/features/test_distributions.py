from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from gauntlet.features.diagnosis import Kind
from gauntlet.features.distributions import Sides, compare_distributions
from gauntlet.features.findings import Comparison
from gauntlet.features.policy import FeaturesPolicy
from gauntlet.features.span import Span
from gauntlet.settings import parse

POLICY = parse(FeaturesPolicy, {}, field="policy")
SPAN = Span("q1", "historical", None, "q1")  # type: ignore[arg-type]  # nothing is read from it
RNG = np.random.default_rng(4)
INCOME = RNG.lognormal(8, 0.5, 4_000)


def compared(stored: object, new: object) -> Comparison:
    (found,) = compare_distributions([Sides("income", SPAN, pa.array(stored), pa.array(new))], POLICY)
    return found


def test_another_sample_of_the_same_is_no_difference() -> None:
    assert not compared(INCOME, RNG.lognormal(8, 0.5, 4_000)).differs


@pytest.mark.parametrize(("slope", "intercept"), [(1 / 900, -3.3), (-2.0, 5.0), (12.0, 0.0)])
def test_a_line_is_read_off_the_quantiles(slope: float, intercept: float) -> None:
    found = compared(INCOME, RNG.permutation(slope * INCOME + intercept))
    assert found.differs
    assert found.diagnosis is not None
    assert found.diagnosis.slope == pytest.approx(slope, rel=0.01)
    assert found.diagnosis.intercept == pytest.approx(intercept, rel=0.01, abs=0.01 * abs(slope) * INCOME.std())


def test_another_shape_is_no_line_and_order_is_no_evidence() -> None:
    found = compared(INCOME, RNG.permutation(INCOME**3))
    assert found.differs
    assert found.diagnosis is not None
    assert found.diagnosis.kind is Kind.DIFFERENT


def test_missing_values_and_spikes_count() -> None:
    gone = pa.array(INCOME, mask=RNG.random(len(INCOME)) < 0.1)
    assert compared(INCOME, gone).differs
    assert compared(
        np.where(RNG.random(4_000) < 0.3, 0.0, INCOME), np.where(RNG.random(4_000) < 0.2, 0.0, INCOME)
    ).differs


def test_categories_are_compared_by_their_shares() -> None:
    stored = RNG.choice(["a", "b", "c"], 4_000, p=[0.5, 0.3, 0.2])
    assert not compared(stored, RNG.choice(["a", "b", "c"], 4_000, p=[0.5, 0.3, 0.2])).differs
    assert compared(stored, RNG.choice(["a", "b", "d"], 4_000, p=[0.5, 0.3, 0.2])).differs


def test_a_column_without_values_is_compared_too() -> None:
    assert not compared(pa.nulls(500, pa.float64()), pa.nulls(500, pa.float64())).differs
    assert compared(pa.nulls(500, pa.float64()), RNG.normal(size=500)).differs
