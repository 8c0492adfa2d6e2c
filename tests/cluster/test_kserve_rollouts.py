"""Whole rollouts in both modes against a real API server, to promotion and back."""

import pytest

from builders.kserve_rollouts import Ground
from gauntlet.delivery.rollout import Phase

pytestmark = pytest.mark.cluster

MODES = pytest.mark.parametrize("mode", ["Knative", "Standard"])


@MODES
def test_a_good_candidate_is_promoted(api, mode):
    ground = Ground(api, mode)
    end = ground.run()
    assert end.phase is Phase.PROMOTED, end.reason
    ground.controller.settle()
    assert ground.shares() == {"2": 100}


@MODES
def test_a_harmful_one_is_taken_back(api, mode):
    ground = Ground(api, mode, harm_from=50)
    end = ground.run()
    assert end.phase is Phase.ROLLED_BACK
    assert "Harm was shown" in end.reason
    ground.controller.settle()
    assert ground.shares() == {"1": 100}
    assert ground.most == 50
