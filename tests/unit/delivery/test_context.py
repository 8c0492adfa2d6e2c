"""A context is opened from a user's settings; those that contradict each other are refused before anything is done."""

import pytest

from builders.memory_registry import MemoryStore
from builders.memory_service import V1, V2, MemoryService
from gauntlet.delivery import context
from gauntlet.delivery.preflight import Obstacle
from gauntlet.delivery.rollout.approvals import Approval
from gauntlet.delivery.rollout.state import begin
from gauntlet.errors import ConfigurationError
from gauntlet.registry.store import DIGEST_TAG

ASKED = {"metrics": ["errors", "outcomes"]}


@pytest.fixture
def opened(monkeypatch):
    world = MemoryService(found=(Obstacle("runtime", "is not there", "Apply it"),))
    monkeypatch.setattr(context, "open_service", lambda address: world.service())
    return lambda **given: context.open_context(
        "local:x", {}, given.pop("analysis", {}), store=None, model_name="loans", **given
    )


def test_labels_that_cannot_be_read_stand_in_the_way_beside_what_the_service_finds(opened, tmp_path):
    (tmp_path / "labels.csv").write_text("version,at,wrong\n")
    for name, found in (("labels.csv", ["runtime"]), ("lables.csv", ["runtime", f"outcomes: {tmp_path}/lables.csv"])):
        source = {"uri": str(tmp_path / name), "wrong": "wrong"}
        obstacles = opened(analysis=ASKED, outcomes=source).service.obstacles
        assert [one.about for one in obstacles()] == found


def test_a_cluster_makes_the_decisions_that_are_counted_independent(opened):
    source = {"uri": "labels.csv", "wrong": "wrong", "cluster": "customer"}
    assert opened(analysis=ASKED, outcomes=source).analysis.outcomes.phi == 1.0


def test_metrics_and_labels_are_asked_for_together(opened):
    with pytest.raises(ConfigurationError, match="nothing counts them"):
        opened(analysis=ASKED)
    with pytest.raises(ConfigurationError, match="read for nothing"):
        opened(outcomes={"uri": "labels.csv", "wrong": "wrong"})
    assert opened(outcomes={}).judge


def test_what_a_person_should_know_is_printed(capsys):
    context.log_warning(Obstacle("minReplicas", "is not set", "Set it", blocks=False))
    assert capsys.readouterr().out == "minReplicas: is not set. Set it.\n"


def test_approvals_of_the_service_and_of_the_registry_both_reach_the_controller(monkeypatch):
    world, store = MemoryService(approval=Approval(step=25)), MemoryStore()
    monkeypatch.setattr(context, "open_service", lambda address: world.service())
    for tags in ({}, {"gauntlet.approve": "50", "gauntlet.abort": "complaints"}):
        store.create("prices", {}, {DIGEST_TAG: f"sha256:{len(tags)}", **tags}, "")
    service = context.open_context("local:x", {}, {}, store=store, model_name="prices").service
    assert service.approvals(begin("prices", V1, V1, 0.0)) == (25, "")
    assert service.approvals(begin("prices", V2, V1, 0.0)) == (50, "complaints")
