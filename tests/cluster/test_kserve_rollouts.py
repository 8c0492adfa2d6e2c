"""Whole rollouts in both modes against a real API server, with KServe's schemas and webhooks."""

import pytest

from builders.kserve_scenarios import cases, faults_everywhere

pytestmark = pytest.mark.cluster


# test_kserve_kills has real faults
@pytest.mark.parametrize(("scenario", "mode"), cases(faults_everywhere), ids=lambda one: getattr(one, "__name__", one))
def test_whatever_happens(api, scenario, mode):
    scenario(api, mode)
