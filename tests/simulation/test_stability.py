"""Do the intervals of variance components cover, and does noise ever help a challenger?"""

import numpy as np
import pytest

from builders.loans import loans
from builders.predictions import scored
from builders.spreads import stability
from gauntlet.evaluation.comparison import compare
from gauntlet.evaluation.policies import ChampionPolicy
from gauntlet.settings import parse
from gauntlet.stability.variance import added, spread
from gauntlet.verdict import Status

pytestmark = pytest.mark.simulation

TRIALS = 1000
LOWEST, HIGHEST = 0.93, 0.97
SLACK = 2 * np.sqrt(0.95 * 0.05 / TRIALS)
"""Two standard errors of a share of the trials, 1.4 points."""
ORDER = [Status.PASS, Status.INCONCLUSIVE, Status.FAIL, Status.ERROR]


@pytest.mark.parametrize("runs", [3, 5, 10])
def test_the_seeds_deviation_is_covered(runs):
    rng = np.random.default_rng(runs)
    hit = 0
    for values in 0.8 + 0.004 * rng.normal(size=(TRIALS, runs)):
        low, high = spread(values, 0.95).interval
        hit += low <= 0.004 <= high
    assert abs(hit / TRIALS - 0.95) <= SLACK


@pytest.mark.parametrize("ratio", [0.0, 0.5, 1.0, 3.0])
@pytest.mark.parametrize("runs", [3, 5, 10])
def test_what_a_draw_adds_is_covered(runs, ratio):
    """Draws that move the metric by ``ratio`` times what seeds do; each run on a draw has a seed of its own, too."""
    rng = np.random.default_rng([runs, int(10 * ratio)])
    seeds = rng.normal(size=(TRIALS, runs))
    draws = rng.normal(size=(TRIALS, runs)) + ratio * rng.normal(size=(TRIALS, runs))
    hit = 0
    for alone, both in zip(seeds, draws, strict=True):
        low, high = added(spread(both, 0.95), spread(alone, 0.95), 0.95).interval
        hit += low <= ratio <= high
    # The modified large-sample interval is no exact one: it promises about 95 %, and is cautious at no effect at all.
    assert hit / TRIALS >= LOWEST
    assert ratio == 0.0 or hit / TRIALS <= HIGHEST


def test_noise_never_helps_a_challenger():
    """Challengers better and worse, on data drawn anew each time: a noisier seed turns no check for the better."""
    rng = np.random.default_rng(8)
    policy = parse(
        ChampionPolicy,
        {
            "primary": {"metric": "auc", "margin": 0.01},
            "guardrails": {"accuracy": {"margin": 0.01}, "log_loss": {"margin": 0.01}},
            "slices": {"columns": ["sex"]},
            "require_improvement": True,
        },
        field="policy",
    )
    ended = set()
    for trial in range(40):
        data = loans(int(rng.integers(600, 3000)), seed=trial)
        noises = rng.uniform(0.2, 1.0, 2)
        challenger, champion = (
            scored(data.label, data.scores(2 * trial + i, noise=noise), slices={"sex": data.slices["sex"]})
            for i, noise in enumerate(noises)
        )
        before = {}
        for deviation in (0.0, 0.001, 0.004, 0.015, 0.06):
            moved = dict.fromkeys(("auc", "accuracy", "log_loss"), deviation) if deviation else {}
            verdict = compare(challenger, champion, policy, stability(moved, runs=int(rng.integers(2, 9)))).verdict
            now = {check.name: ORDER.index(check.status) for check in verdict.checks}
            worse = [name for name in before if now[name] < before[name]]
            assert not worse, (trial, deviation, worse)
            before = now
            ended.add((deviation, verdict.status))
    assert {status for deviation, status in ended if deviation == 0.0} == set(ORDER[:3])
    assert (0.06, Status.PASS) not in ended
