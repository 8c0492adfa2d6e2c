"""How often a challenger as good as the champion is blocked, and how often it passes, over many simulated trials.

The null is the hardest one: margins of zero, so that the truth lies exactly on the bound.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest

from builders.trials import at_least, at_most, exchangeable
from gauntlet.evaluation.comparison import compare
from gauntlet.evaluation.families import differences
from gauntlet.evaluation.metrics import resolve
from gauntlet.evaluation.panel import measure
from gauntlet.evaluation.performance import to_sample
from gauntlet.evaluation.policies import ChampionPolicy
from gauntlet.evaluation.power import sample_size
from gauntlet.settings import parse
from gauntlet.verdict import Status

pytestmark = pytest.mark.simulation

Recorder = Callable[[str, object], None]
ALPHA = 0.05
TRIALS = 1000
ROWS = 3000


def test_a_challenger_as_good_as_the_champion_is_blocked_at_most_alpha_of_the_time(record_property: Recorder) -> None:
    """A margin of zero in the primary metric, a guard-rail and twenty slices, all at once."""
    policy = parse(
        ChampionPolicy,
        {
            "primary": {"metric": "auc", "margin": 0.0},
            "guardrails": {"accuracy": {"margin": 0.0}},
            "confidence": 1 - ALPHA,
        },
        field="policy",
    )
    blocked = 0
    for trial in range(TRIALS):
        verdict = compare(*exchangeable(np.random.default_rng([1, trial]), ROWS), policy).verdict
        assert verdict.facts["slices"] == 20
        blocked += verdict.status is Status.FAIL
    record_property("blocked", blocked / TRIALS)
    assert blocked <= ALPHA * TRIALS, f"{blocked} of {TRIALS} blocked"


@pytest.mark.parametrize("metric", ["auc", "accuracy"])
def test_as_many_rows_as_the_formula_asks_for_give_the_power_it_promises(
    metric: str, record_property: Recorder
) -> None:
    """Equally good models pass a margin in 80 % of the trials when the planned rows are for 80 %."""
    margin, power, trials = 0.02, 0.8, 1000
    pilot = [to_sample(one, 0.5) for one in exchangeable(np.random.default_rng(3), 200_000, sliced=False)]
    family = differences(measure(pilot, resolve([metric], "binary")))
    deviation = float(family.standard_error[0]) * math.sqrt(pilot[0].rows)
    rows = sample_size(effect=margin, deviation=deviation, alpha=ALPHA / 2, power=power)
    policy = parse(
        ChampionPolicy, {"primary": {"metric": metric, "margin": margin}, "confidence": 1 - ALPHA}, field="policy"
    )
    passed = 0
    for trial in range(trials):
        pair = exchangeable(np.random.default_rng([4, trial]), rows, sliced=False)
        passed += compare(*pair, policy).verdict.status is Status.PASS
    record_property(f"passed with {rows} rows", passed / trials)
    assert passed / trials >= at_least(power, trials), f"{passed} of {trials} passed with {rows} rows"
    assert passed / trials <= at_most(power, trials) + 0.05, "far more rows than needed were asked for"
