"""How often a model that treats all groups alike is called unfair, over many simulated trials."""

from __future__ import annotations

import numpy as np
import pytest

from builders.predictions import scored
from builders.trials import applications, model
from gauntlet.evaluation.policies import SlicesPolicy
from gauntlet.evaluation.slices_gate import judge_slices
from gauntlet.settings import parse
from gauntlet.verdict import Status

pytestmark = pytest.mark.simulation

ALPHA = 0.05
TRIALS = 1000
ROWS = 3000


def test_groups_without_a_gap_are_called_unfair_at_most_alpha_of_the_time() -> None:
    """No gap allowed, none there: two criteria in twenty slices against the rest, all decided together."""
    fairness = {"demographic_parity": {"max_gap": 0.0}, "equal_opportunity": {"max_gap": 0.0}}
    policy = parse(SlicesPolicy, {"fairness": fairness, "confidence": 1 - ALPHA}, field="policy")
    blocked = 0
    for trial in range(TRIALS):
        rng = np.random.default_rng([2, trial])
        label, logit, slices = applications(rng, ROWS)
        result = judge_slices(scored(label, model(rng, logit), slices=slices), policy)
        assert len(result.findings) == 40
        blocked += result.verdict.status is Status.FAIL
    assert blocked <= ALPHA * TRIALS, f"{blocked} of {TRIALS} blocked"
