"""How often the gates block what deserves no block, and let pass what deserves to pass, over many simulated trials.

Nulls are the hardest ones: margins and allowed gaps of zero, so that the truth lies exactly on the bound.
"""

from __future__ import annotations

import math

import numpy as np
import pytest

from builders.predictions import scored
from gauntlet.evaluation.comparison import compare
from gauntlet.evaluation.families import differences
from gauntlet.evaluation.inputs import Scored
from gauntlet.evaluation.metrics import resolve
from gauntlet.evaluation.panel import measure
from gauntlet.evaluation.performance import to_sample
from gauntlet.evaluation.policies import ChampionPolicy, SlicesPolicy
from gauntlet.evaluation.power import sample_size
from gauntlet.evaluation.slices_gate import judge_slices
from gauntlet.settings import parse
from gauntlet.verdict import Status

pytestmark = pytest.mark.simulation

ALPHA = 0.05
TRIALS = 1000
ROWS = 3000


def at_most(share: float, trials: int) -> float:
    """The largest share of trials that a true share of ``share`` explains, at three Monte-Carlo standard errors."""
    return share + 3 * math.sqrt(share * (1 - share) / trials)


def at_least(share: float, trials: int) -> float:
    """The smallest such share."""
    return share - 3 * math.sqrt(share * (1 - share) / trials)


def applications(rng: np.random.Generator, rows: int) -> tuple[np.ndarray, np.ndarray, dict[str, np.ndarray]]:
    """Labels, true log-odds, and four columns that make twenty slices and mean nothing."""
    logit = 1.5 * rng.normal(size=rows) - 0.5
    label = (rng.random(rows) < 1 / (1 + np.exp(-logit))).astype(float)
    shares = [0.4, 0.25, 0.15, 0.12, 0.08]
    slices = {name: rng.choice(list("abcde"), rows, p=shares) for name in ("sex", "race", "region", "age")}
    return label, logit, slices


def model(rng: np.random.Generator, logit: np.ndarray, noise: float = 0.7) -> np.ndarray:
    """A model's probabilities: every model of this kind is as good as any other."""
    return 1 / (1 + np.exp(-(logit + noise * rng.normal(size=len(logit)))))


def exchangeable(rng: np.random.Generator, rows: int, *, sliced: bool = True) -> tuple[Scored, Scored]:
    """Two models that differ by luck alone, on the same rows."""
    label, logit, slices = applications(rng, rows)
    chosen = slices if sliced else {}
    return scored(label, model(rng, logit), slices=chosen), scored(label, model(rng, logit), slices=chosen)


def test_a_challenger_as_good_as_the_champion_is_blocked_at_most_alpha_of_the_time() -> None:
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
    assert blocked / TRIALS <= at_most(ALPHA, TRIALS), f"{blocked} of {TRIALS} blocked"


@pytest.mark.parametrize("criterion", ["demographic_parity", "equal_opportunity"])
def test_groups_without_a_gap_are_called_unfair_at_most_alpha_of_the_time(criterion: str) -> None:
    """No gap allowed, none there: twenty slices against the rest, decided together."""
    policy = parse(SlicesPolicy, {"fairness": {criterion: {"max_gap": 0.0}}, "confidence": 1 - ALPHA}, field="policy")
    blocked = 0
    for trial in range(TRIALS):
        rng = np.random.default_rng([2, trial])
        label, logit, slices = applications(rng, ROWS)
        verdict = judge_slices(scored(label, model(rng, logit), slices=slices), policy).verdict
        blocked += verdict.status is Status.FAIL
    assert blocked / TRIALS <= at_most(ALPHA, TRIALS), f"{blocked} of {TRIALS} blocked"


@pytest.mark.parametrize("metric", ["auc", "log_loss", "accuracy"])
def test_as_many_rows_as_the_formula_asks_for_give_the_power_it_promises(metric: str) -> None:
    """Equally good models pass a margin in 80 % of the trials when the planned rows are for 80 %."""
    margin, power, trials = 0.02, 0.8, 400
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
    assert passed / trials >= at_least(power, trials), f"{passed} of {trials} passed with {rows} rows"
    assert passed / trials <= at_most(power, trials) + 0.05, "far more rows than needed were asked for"
