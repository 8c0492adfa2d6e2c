"""Whole rollouts in both modes against a real API server, with KServe's schemas and webhooks."""

import pytest

from builders.kserve_scenarios import SCENARIOS, faults_everywhere

pytestmark = pytest.mark.cluster

HERE = [scenario for scenario in SCENARIOS if scenario is not faults_everywhere]  # test_kserve_kills has real faults


@pytest.mark.parametrize("mode", ["Knative", "Standard"])
@pytest.mark.parametrize("scenario", HERE, ids=lambda scenario: scenario.__name__)
def test_whatever_happens(api, scenario, mode):
    scenario(api, mode)
