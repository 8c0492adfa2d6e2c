"""Is an even model called uneven where slices hold few rows of a kind, and is an uneven one still found?

The laws are those where score intervals fail together: rare decisions, few positives, few decisions, weights and
clusters that a sample has hardly met. No law has a gap, and none is allowed, so every FAIL is false.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest
from scipy.stats import binom

from builders.predictions import scored
from builders.trials import at_least
from gauntlet.evaluation.inputs import Scored
from gauntlet.evaluation.policies import SlicesPolicy
from gauntlet.evaluation.slices_gate import judge_slices
from gauntlet.settings import parse
from gauntlet.verdict import Status
from tiers import count

pytestmark = pytest.mark.simulation

ALPHA = 0.05
TRIALS = count(20, full=400)
COVERED = 0.93
"""Cautious where counts are few, so that no upper bound is asked for."""


@dataclass(frozen=True)
class Law:
    """Distribution of predictions without a difference between slices.

    Attributes:
        draw: makes them.
        cut: how they are sliced.
        criterion: in which nothing differs.
        most_reported: whether most slices have too few rows of the kind to be judged.
    """

    draw: Callable[[np.random.Generator], Scored]
    cut: dict[str, object]
    criterion: str = "demographic_parity"
    most_reported: bool = False


def crossed(rng: np.random.Generator, rows: int) -> dict[str, np.ndarray]:
    """Two columns, of 5 and 12 values, whose 60 crossings hold equally many rows."""
    row = rng.permutation(rows)
    return {"a": (row % 5).astype(str), "b": (row // 5 % 12).astype(str)}


CROSSED = {"columns": ["a", "b"], "crossings": [["a", "b"]]}
COLUMNS = {"columns": ["g", "h"]}


def predictions(
    rng: np.random.Generator,
    decided: np.ndarray,
    slices: dict[str, np.ndarray],
    *,
    label: np.ndarray | None = None,
    **columns: np.ndarray,
) -> Scored:
    truth = rng.random(len(decided)) < 0.3 if label is None else label
    return scored(truth.astype(float), np.where(decided, 0.9, 0.1), slices=slices, **columns)


def rare_decisions(rate: float) -> Law:
    return Law(lambda rng: predictions(rng, rng.random(9000) < rate, crossed(rng, 9000)), CROSSED)


def few_positives(number: int, recall: float) -> Law:
    """Of the 150 rows of a crossing so many are positive."""

    def draw(rng: np.random.Generator) -> Scored:
        label = rng.random(9000) < number / 150
        decided = rng.random(9000) < np.where(label, recall, 0.05)
        return predictions(rng, decided, crossed(rng, 9000), label=label)

    return Law(draw, CROSSED, "equal_opportunity", most_reported=number < 20)


def few_decisions(precision: float) -> Law:
    """About 27 positive decisions in each crossing."""

    def draw(rng: np.random.Generator) -> Scored:
        decided = rng.random(9000) < 0.18
        label = rng.random(9000) < np.where(decided, precision, 0.1)
        return predictions(rng, decided, crossed(rng, 9000), label=label)

    return Law(draw, CROSSED, "predictive_parity")


def a_tiny_slice(rate: float) -> Law:
    """Three slices, of 6,000, 1,900 and 100 rows, and five more."""

    def draw(rng: np.random.Generator) -> Scored:
        slices = {
            "g": np.repeat(["large", "medium", "tiny"], [6000, 1900, 100]),
            "h": rng.choice(list("pqrst"), 8000, p=[0.5, 0.3, 0.1, 0.06, 0.04]),
        }
        return predictions(rng, rng.random(8000) < rate, slices)

    return Law(draw, COLUMNS)


def log_normal_weights(rate: float, sigma: float) -> Law:
    """Twenty slices of 450 rows and four of 2,250; at a sigma of 1.5 one row in a hundred weighs as thirty do."""

    def draw(rng: np.random.Generator) -> Scored:
        slices = {"g": rng.integers(0, 20, 9000).astype(str), "h": rng.integers(0, 4, 9000).astype(str)}
        return predictions(rng, rng.random(9000) < rate, slices, weights=np.exp(sigma * rng.normal(size=9000)))

    return Law(draw, COLUMNS)


def people_of_many_rows(rate: float) -> Law:
    """Clusters with Pareto sizes up to 200 rows, who are decided alike and whose rows lie in several slices."""

    def draw(rng: np.random.Generator) -> Scored:
        sizes = np.minimum(np.ceil(rng.pareto(1.3, 9000) + 0.5).astype(int), 200)
        person = np.repeat(np.arange(9000), sizes)[:9000]
        own_rate = rng.beta(4 * rate, 4 * (1 - rate), 9000)[person]
        slices = {"g": rng.integers(0, 15, 9000).astype(str), "h": rng.integers(0, 4, 9000).astype(str)}
        return predictions(rng, rng.random(9000) < own_rate, slices, clusters=person)

    return Law(draw, COLUMNS)


def households(rate: float) -> Law:
    """Clusters of about four rows, each whole in one slice, with a correlation of a quarter."""

    def draw(rng: np.random.Generator) -> Scored:
        house = np.unique(rng.integers(0, 2250, 9000), return_inverse=True)[1]
        number = house.max() + 1
        own_rate = rng.beta(3 * rate, 3 * (1 - rate), number)[house]
        slices = {
            "g": rng.integers(0, 20, number).astype(str)[house],
            "h": rng.integers(0, 4, number).astype(str)[house],
        }
        return predictions(rng, rng.random(9000) < own_rate, slices, clusters=house)

    return Law(draw, COLUMNS)


LAWS = {
    "one decision in 200": rare_decisions(0.005),
    "one decision in 50": rare_decisions(0.02),
    "one decision in 10": rare_decisions(0.1),
    "49 decisions in 50": rare_decisions(0.98),
    "7 positives a slice": few_positives(7, 0.93),
    "20 positives a slice": few_positives(20, 0.93),
    "40 positives a slice, 98 % found": few_positives(40, 0.98),
    "27 decisions a slice, 93 % right": few_decisions(0.93),
    "a tiny slice, one decision in 100": a_tiny_slice(0.01),
    "log-normal weights of 1.5": log_normal_weights(0.02, 1.5),
    "log-normal weights of 0.5": log_normal_weights(0.1, 0.5),
    "people of many rows": people_of_many_rows(0.03),
    "households": households(0.02),
}


NO_GAP, FOUR_FIFTHS = {"max_gap": 0.0}, {"min_ratio": 0.8}
RULES = [pytest.param(name, NO_GAP, id=name) for name in LAWS]
RULES += [pytest.param(name, FOUR_FIFTHS, id=f"{name}, four fifths") for name in LAWS if "one decision in" in name]


@pytest.mark.parametrize(("name", "rule"), RULES)
def test_an_even_model_is_called_uneven_at_most_alpha_of_the_time(name, rule, record_property) -> None:
    law = LAWS[name]
    policy = parse(
        SlicesPolicy, {**law.cut, "fairness": {law.criterion: rule}, "confidence": 1 - ALPHA}, field="policy"
    )
    neutral = 0.0 if "max_gap" in rule else 1.0
    failed = covered = reported = findings = 0
    for trial in range(TRIALS):
        result = judge_slices(law.draw(np.random.default_rng([41, trial])), policy)
        failed += result.verdict.status is Status.FAIL
        intervals = [finding.measured.interval for finding in result.findings]
        covered += not any(low > neutral or high < neutral for low, high in intervals)
        reported += result.verdict.facts["comparisons_low_support"]
        findings += len(result.findings)
    record_property("called uneven", f"{failed} of {TRIALS}")
    record_property("covered together", f"{covered} of {TRIALS}")
    # Of few trials a share has no normal distribution: three of twenty come of 5 % once in thirteen times.
    assert binom.sf(failed - 1, TRIALS, ALPHA) > 0.01
    assert covered / TRIALS >= at_least(COVERED, TRIALS)
    assert (reported > findings / 2) == law.most_reported


@dataclass(frozen=True)
class Fault:
    """Slice that is treated worse.

    Attributes:
        rate, elsewhere: of positive decisions among rows, or among positives, in the slice and in the others.
        crossing: it is one of 60 crossings of 150 rows, else one of 12 slices of 750.
        positives: share of positives, where they are what counts.
        rule: what the policy allows.
        found: least share of trials in which it is found.
    """

    rate: float
    elsewhere: float
    rule: dict[str, float]
    found: float
    crossing: bool = True
    positives: float | None = None

    def draw(self, rng: np.random.Generator) -> Scored:
        slices = crossed(rng, 9000)
        inside = (slices["b"] == "3") & ((slices["a"] == "2") | (not self.crossing))
        label = rng.random(9000) < (0.3 if self.positives is None else self.positives)
        rate = np.where(inside, self.rate, self.elsewhere)
        decided = rng.random(9000) < (rate if self.positives is None else np.where(label, rate, 0.05))
        return predictions(rng, decided, slices, label=label)


FAULTS = {
    "150 rows decided 28 % and not 10 %": Fault(0.28, 0.1, {"max_gap": 0.0}, 0.95),
    "150 rows decided 40 % and not 10 %, 10 points allowed": Fault(0.4, 0.1, {"max_gap": 0.1}, 0.9),
    "40 positives found 55 % and not 93 %": Fault(0.55, 0.93, {"max_gap": 0.0}, 0.95, positives=40 / 150),
    "750 rows decided 6 % and not 2 %": Fault(0.06, 0.02, {"max_gap": 0.0}, 0.9, crossing=False),
    "750 rows decided 10 % and not 20 %, four fifths allowed": Fault(0.1, 0.2, {"min_ratio": 0.8}, 0.9, crossing=False),
}


@pytest.mark.parametrize("name", FAULTS)
def test_an_uneven_model_is_found(name, record_property) -> None:
    fault = FAULTS[name]
    criterion = "demographic_parity" if fault.positives is None else "equal_opportunity"
    policy = parse(SlicesPolicy, {**CROSSED, "fairness": {criterion: fault.rule}}, field="policy")
    slice_ = "a=2, b=3" if fault.crossing else "b=3"
    found = 0
    for trial in range(TRIALS):
        verdict = judge_slices(fault.draw(np.random.default_rng([42, trial])), policy).verdict
        found += slice_ in [check.subject for check in verdict.with_status(Status.FAIL)]
    record_property("found", f"{found} of {TRIALS}")
    assert found / TRIALS >= at_least(fault.found, TRIALS)
