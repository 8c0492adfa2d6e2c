"""A ConfigMap that holds no journal, or no state before it: all requests go to stable again, and another begins."""

import json

import pytest

from builders.damage import damages
from builders.kserve_emergencies import aside, at_half, gives_up, goes_on, record
from builders.kserve_rollouts import V1, V2
from builders.kserve_scenarios import stands
from builders.memory_cluster import MemoryServer
from gauntlet.delivery.rollout.journal import Journal
from gauntlet.delivery.rollout.state import Phase, begin
from gauntlet.errors import DataError, JournalUnreadable

TEXTS = sorted(
    {*damages(Journal(begin("prices", V2, V1, 0.0)).to_json().replace("[]", "[{}]").encode())}
    - {"not UTF-8", "garbage"}
)
"""What an API server may hold."""
STATE = {"format": "gauntlet.saved-state/1", "rollout": ["2", "sha256:2", "", 0.0], "predictor": {}, "revision": ""}
STATES = {
    "empty": "",
    "a list": "[]",
    "nested without end": "[" * 100_000,
    "another format": json.dumps({**STATE, "format": "gauntlet.saved-state/9"}),
    "of nothing": json.dumps({**STATE, "rollout": []}),
    "rollout: other types": json.dumps({**STATE, "rollout": [2, None, [], "noon"]}),
    "predictor: text": json.dumps({**STATE, "predictor": "loans"}),
    "revision: null": json.dumps({**STATE, "revision": None}),
}


def put(ground, **data):
    ground.server.request("PATCH", record(ground), {"data": data}, "application/merge-patch+json")


def text_of(ground):
    return ground.server.request("GET", record(ground))["data"]["journal"]


@pytest.mark.parametrize(
    ("mode", "kind"),
    [*(("Standard", kind) for kind in TEXTS), *(("Knative", kind) for kind in ("cut off", "weight: text", "empty"))],
)
def test_a_damaged_journal_closes_no_way_back(mode, kind):
    ground = at_half(MemoryServer(), mode)
    damaged = damages(text_of(ground).encode())[kind].decode()
    put(ground, journal=damaged)
    with pytest.raises(JournalUnreadable, match="Run the pipeline rollback"):
        goes_on(ground)
    journal = gives_up(ground)
    stands(ground, "1")
    assert (journal.rollout.phase, journal.rollout.candidate, journal.rollout.stable) == (Phase.ROLLED_BACK, V2, V1)
    assert aside(ground) == [damaged]


@pytest.mark.parametrize("kind", STATES)
def test_a_damaged_state_before_closes_no_way_back(kind):
    ground = at_half(MemoryServer(), "Standard")
    put(ground, **{"saved-state": STATES[kind]})
    with pytest.raises(DataError, match="is not the saved state of a rollout"):
        goes_on(ground)
    assert gives_up(ground).rollout.phase is Phase.ROLLED_BACK
    stands(ground, "1")


def test_a_config_map_that_is_no_longer_there_is_not_put_aside():
    ground = at_half(MemoryServer(), "Standard")
    ground.server.request("DELETE", record(ground))
    assert gives_up(ground).rollout.phase is Phase.ROLLED_BACK
    stands(ground, "1")
