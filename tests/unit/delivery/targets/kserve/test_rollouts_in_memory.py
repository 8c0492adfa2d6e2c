"""Whole rollouts in both modes on the API server's rules in memory, killed at every instant."""

import pytest

from builders.kserve_rollouts import Ground, Killed
from builders.memory_cluster import MemoryServer
from gauntlet.delivery.rollout import Phase

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


@MODES
@CASES
def test_a_rollout_ends_as_its_candidate_deserves(mode, harm_from):
    ground = Ground(MemoryServer(), mode, harm_from=harm_from)
    ends_well(ground, ground.run())


@MODES
@CASES
def test_killed_once_at_every_request_it_still_ends_well(mode, harm_from):
    places = []
    ground = Ground(MemoryServer(), mode, harm_from=harm_from)
    ground.run(ground.api(lambda *where: places.append(where)))
    for fatal in range(len(places)):
        ground = Ground(MemoryServer(), mode, harm_from=harm_from)
        count = iter(range(10**9))

        def fate(method, path, when, count=count, fatal=fatal):
            if next(count) == fatal:
                raise Killed(f"{when} {method} {path}")

        with pytest.raises(Killed):
            ground.run(ground.api(fate))
        ends_well(ground, ground.run())
