"""Whole rollouts in both modes on the API server's rules in memory, killed at every instant."""

import pytest

from builders.kserve_rollouts import PLAN, Ground, Killed
from builders.kserve_scenarios import cases
from builders.memory_cluster import MemoryServer
from gauntlet.delivery.rollout.state import Phase

SHORT = PLAN.model_copy(update={"steps": (50, 100)})
CASES = pytest.mark.parametrize("harm_from", [101, 50], ids=["good", "harmful"])
MODES = pytest.mark.parametrize("mode", ["Knative", "Standard"])


def ends_well(ground, end):
    ground.controller.settle()
    if ground.harm_from > 100:
        assert end.phase is Phase.PROMOTED, end.reason
        assert ground.shares() == {"2": 100}
    else:
        assert end.phase is Phase.ROLLED_BACK
        assert "Harm was shown" in end.reason
        assert ground.shares() == {"1": 100}
        assert ground.most <= 50
    assert not ground.strange


@pytest.mark.parametrize(("scenario", "mode"), cases(), ids=lambda one: getattr(one, "__name__", one))
def test_whatever_happens(scenario, mode):
    scenario(MemoryServer(), mode)


@MODES
@CASES
def test_killed_once_at_every_change_it_still_ends_well(mode, harm_from):
    places = []
    ground = Ground(MemoryServer(), mode, harm_from=harm_from, plan=SHORT)
    ground.run(ground.api(lambda *where: places.append(where)))
    for fatal, (method, _, _) in enumerate(places):
        if method == "GET":
            continue  # nothing has happened that a kill at the next change would not show
        ground = Ground(MemoryServer(), mode, harm_from=harm_from, plan=SHORT)
        count = iter(range(10**9))

        def fate(method, path, when, count=count, fatal=fatal):
            if next(count) == fatal:
                raise Killed(f"{when} {method} {path}")

        with pytest.raises(Killed):
            ground.run(ground.api(fate))
        ends_well(ground, ground.run())
