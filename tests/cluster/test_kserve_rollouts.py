"""Whole rollouts in both modes against a real API server, with KServe's schemas and webhooks."""

import pytest

from builders.kserve_scenarios import SCENARIOS

pytestmark = pytest.mark.cluster


@pytest.mark.parametrize("mode", ["Knative", "Standard"])
@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.__name__)
def test_whatever_happens(api, scenario, mode):
    scenario(api, mode)
