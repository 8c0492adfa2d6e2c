"""What can happen to a rollout on an InferenceService, told once and run on servers real and in memory."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from builders import knative_objects
from builders.cluster import ApiServer
from builders.kserve_rollouts import NAME, PLAN, V1, V2, V3, Ground, Killed
from builders.memory_cluster import MemoryServer
from gauntlet.delivery.release import Release
from gauntlet.delivery.rollout.controller import abort, start
from gauntlet.delivery.rollout.ports import Conflict
from gauntlet.delivery.rollout.state import Phase
from gauntlet.delivery.targets.kserve.predictors import identity_of
from gauntlet.errors import ConfigurationError, DependencyError

Server = ApiServer | MemoryServer
Scenario = Callable[[Server, str], None]


def stands(ground: Ground, version: str) -> None:
    """Everything goes to this version, now and after whatever makes the controllers look again."""
    ground.controller.settle()
    assert ground.shares() == {version: 100}
    assert identity_of(ground.get()["spec"]["predictor"]).version == version
    assert "canary" not in ground.get()["spec"]
    assert "canaryTrafficPercent" not in ground.get()["spec"]["predictor"]
    ground.patch({"spec": {"predictor": {"timeout": 30}}})
    ground.controller.settle()
    assert ground.shares() == {version: 100}, "a later change brought another version back"


def promoted(server: Server, mode: str) -> None:
    ground = Ground(server, mode)
    assert ground.run().phase is Phase.PROMOTED
    assert ground.most == 100
    assert not ground.strange
    stands(ground, "2")


def rolled_back(server: Server, mode: str) -> None:
    ground = Ground(server, mode, harm_from=50)
    end = ground.run()
    assert end.phase is Phase.ROLLED_BACK
    assert "Harm was shown" in end.reason
    assert ground.most == 50
    assert not ground.strange
    stands(ground, "1")


def rolled_back_from_all_of_it(server: Server, mode: str) -> None:
    """At the last step KServe has forgotten that anything but the candidate ever had all the requests."""
    ground = Ground(server, mode, harm_from=100)
    assert ground.run().phase is Phase.ROLLED_BACK
    assert ground.most == 100
    stands(ground, "1")


def run_again_after_its_end(server: Server, mode: str) -> None:
    for harm_from in (101, 50):
        ground = Ground(server, mode, harm_from=harm_from)
        end = ground.run()
        ground.controller.settle()
        before = ground.get(), ground.timeline()
        assert ground.run() == end
        ground.controller.settle()
        assert (ground.get(), ground.timeline()) == before


def taken_back_after_promotion(server: Server, mode: str) -> None:
    ground = Ground(server, mode)
    assert ground.run().phase is Phase.PROMOTED
    abort(ground.backends().journals, ground.service, "customers complain", ground.now)
    end = ground.go_on()
    assert end.phase is Phase.ROLLED_BACK
    assert "ustomers complain" in end.reason
    stands(ground, "1")


def taken_back_when_stable_is_gone(server: Server, mode: str) -> None:
    """Knative collects revisions without traffic; Standard mode has deleted the Deployment at the promotion."""
    ground = Ground(server, mode)
    assert ground.run().phase is Phase.PROMOTED
    if mode == "Knative":
        previous = ground.get()["status"]["components"]["predictor"]["previousRolledoutRevision"]
        knative_objects.forget(server, ground.namespace, previous)
    abort(ground.backends().journals, ground.service, "customers complain", ground.now)
    assert ground.go_on().phase is Phase.ROLLED_BACK
    assert not ground.strange, "somebody always answered"
    stands(ground, "1")


def never_ready(server: Server, mode: str) -> None:
    ground = Ground(server, mode)
    ground.plan = PLAN.model_copy(update={"ready_seconds": 300.0})
    ground.controller.behave(stuck=frozenset({V2.uri}))
    end = ground.run()
    assert end.phase is Phase.ROLLED_BACK
    assert "was not ready after" in end.reason
    assert ground.most == 0
    ground.controller.behave(stuck=frozenset())
    stands(ground, "1")


def broken(server: Server, mode: str) -> None:
    """A model that does not load is given up at once, not when patience ends."""
    ground = Ground(server, mode)
    ground.controller.behave(broken={V2.uri})
    end = ground.run()
    assert end.phase is Phase.ROLLED_BACK
    assert "cannot become ready" in end.reason
    assert ground.most == 0
    stands(ground, "1")
    # Its failure stays in the status for ever; another candidate is not blamed for it.
    ground.controller.behave(broken=())
    assert ground.run(attempt="mended").phase is Phase.PROMOTED
    stands(ground, "2")


def slow_and_late(server: Server, mode: str) -> None:
    """Controllers that see changes late, and pods that take their time."""
    for harm_from, version in ((101, "2"), (50, "1")):
        ground = Ground(server, mode, harm_from=harm_from)
        ground.controller.behave(lag=3, ready_after=5)
        assert ground.run().phase.final
        assert not ground.strange
        ground.controller.behave(lag=0)
        stands(ground, version)


def edited_meanwhile(server: Server, mode: str) -> None:
    """Somebody else changes the InferenceService before each of our changes reaches it."""
    ground = Ground(server, mode)
    seen = []

    def fate(method: str, path: str, when: str) -> None:
        if (method, when) == ("PATCH", "before") and "inferenceservices" in path and len(seen) % 2 == 0:
            ground.patch({"spec": {"predictor": {"timeout": 30 + len(seen)}}})
        if (method, when) == ("PATCH", "before") and "inferenceservices" in path:
            seen.append(path)

    assert ground.run(ground.api(fate)).phase is Phase.PROMOTED
    assert len(seen) > 2, "every first try was a conflict"
    ground.controller.settle()
    assert ground.shares() == {"2": 100}


def changed_to_a_third(server: Server, mode: str) -> None:
    """Somebody deploys another model in the middle of a ramp: what was proven is not what would be promoted."""
    ground = Ground(server, mode)

    def meddle(ground: Ground) -> None:
        if ground.most == 10 and identity_of(ground.get()["spec"]["predictor"]).version != "3":
            model = {"storageUri": V3.uri, "env": _environment(V3)}
            ground.patch({"spec": {"predictor": {"model": model}}})
            ground.meanwhile = lambda ground: None

    ground.meanwhile = meddle
    end = ground.run()
    assert end.phase is Phase.ROLLED_BACK
    assert "somebody changed the model to version 3" in end.reason
    stands(ground, "1")


def other_version_serves(server: Server, mode: str) -> None:
    """What serves is not what the rollout was told it would replace."""
    ground = Ground(server, mode)
    before = ground.get()["spec"]
    ground.next(V3, stable=V2)
    end = ground.run()
    assert end.phase is Phase.ROLLED_BACK
    assert "specifies version 1, not version 2" in end.reason
    assert ground.get()["spec"] == before, "nothing was touched"


def another_after_a_promotion(server: Server, mode: str) -> None:
    ground = Ground(server, mode)
    assert ground.run().phase is Phase.PROMOTED
    ground.next(V3, stable=V2)
    assert ground.run().phase is Phase.PROMOTED
    assert not ground.strange
    stands(ground, "3")


def routed_before_its_revision(server: Server, mode: str) -> None:
    """Knative's route sees a deployment before its revision is there: KServe takes that for a rollback by one version.

    What had everything before version 2 is version 1; nobody may be sent there.
    """
    for harm_from, version in ((101, "3"), (50, "2")):
        ground = Ground(server, mode)
        assert ground.run().phase is Phase.PROMOTED
        ground.controller.settle()
        ground.controller.behave(route_first=True)
        ground.judge.harm_from = harm_from
        ground.next(V3, stable=V2)
        assert ground.run().phase.final
        assert not ground.strange
        stands(ground, version)


def same_uri(server: Server, mode: str) -> None:
    """A model overwritten in place: a new revision in Knative mode, which Standard mode cannot promote."""
    ground = Ground(server, mode)
    ground.next(Release("2", V2.digest, V1.uri), stable=V1)
    end = ground.run()
    if mode == "Knative":
        assert end.phase is Phase.PROMOTED
        stands(ground, "2")
    else:
        assert end.phase is Phase.ROLLED_BACK
        assert "it lies where version 1 does" in end.reason
        stands(ground, "1")


def where_kserve_splits_itself(server: Server, mode: str) -> None:
    """KServe after 0.20, Standard mode: its own route has weights; it is used, beside ours or alone."""
    for has_route in (True, False):
        for harm_from, version in ((101, "2"), (50, "1")):
            ground = Ground(server, mode, harm_from=harm_from, release="0.21", has_route=has_route)
            assert ground.run().phase.final
            assert ground.most == min(harm_from, 100)
            assert not ground.strange
            stands(ground, version)
            assert mode == "Knative" or ground.shares_of(NAME) == {version: 100}, "KServe's own follows"


def one_at_a_time(server: Server, mode: str) -> None:
    ground = Ground(server, mode)
    journals = ground.backends().journals
    start(journals, ground.service, V2, V1, ground.now)
    with pytest.raises(ConfigurationError, match="a rollout of version 2 is under way"):
        start(journals, ground.service, V3, V1, ground.now)


def suspended_between_deciding_and_acting(server: Server, mode: str) -> None:
    """An action decided long ago is not carried out: the journal has gone on."""
    ground = Ground(server, mode, harm_from=50)
    states = []
    ground.meanwhile = lambda ground: states.append(ground.journals.read(ground.service)[0].rollout)
    assert ground.run().phase is Phase.ROLLED_BACK
    ground.controller.settle()
    before = ground.get()["spec"]
    old = next(state for state in states if state.weight == 10)
    target = ground.target(ground.api())
    for action in (target.deploy, target.set_weight, target.promote):
        with pytest.raises(Conflict):
            action(old)
    assert ground.get()["spec"] == before


def faults_everywhere(server: Server, mode: str) -> None:
    """Answers lost, requests lost, conflicts, refusals and deaths at any time: still it ends, and ends safely."""
    for seed in range(6):
        draw = random.Random(seed)
        ground = Ground(server, mode, harm_from=50 if seed % 2 else 101)

        def fate(method: str, path: str, when: str, draw: random.Random = draw) -> None:
            chance = draw.random()
            if chance < 0.01:
                raise Killed(path)
            if chance < 0.03:
                raise DependencyError("does not answer", field=path, value=503, mend="Wait")
            if chance < 0.05 and method == "PATCH" and when == "before":
                raise Conflict

        for _ in range(500):
            try:
                end = ground.run(ground.api(fate))
            except (Killed, DependencyError, Conflict):
                ground.sleep(60)
                continue
            break
        assert end.phase.final
        assert not ground.strange
        stands(ground, "2" if end.phase is Phase.PROMOTED else "1")
        assert end.phase is Phase.ROLLED_BACK or ground.harm_from > 100


def _environment(release: Release) -> list[dict[str, str]]:
    values = {"GAUNTLET_MODEL_VERSION": release.version, "GAUNTLET_MODEL_DIGEST": release.digest}
    return [{"name": name, "value": value} for name, value in values.items()]


SCENARIOS: tuple[Scenario, ...] = (
    promoted,
    rolled_back,
    rolled_back_from_all_of_it,
    run_again_after_its_end,
    taken_back_after_promotion,
    taken_back_when_stable_is_gone,
    never_ready,
    broken,
    slow_and_late,
    edited_meanwhile,
    changed_to_a_third,
    other_version_serves,
    another_after_a_promotion,
    routed_before_its_revision,
    same_uri,
    where_kserve_splits_itself,
    one_at_a_time,
    suspended_between_deciding_and_acting,
    faults_everywhere,
)
_ONLY = {routed_before_its_revision: "Knative", where_kserve_splits_itself: "Standard"}
"""Scenarios that the other mode has no part in."""


def cases(*left_out: Scenario) -> list[tuple[Scenario, str]]:
    """Every scenario in every mode that it is about."""
    return [
        (scenario, mode)
        for scenario in SCENARIOS
        for mode in ("Knative", "Standard")
        if scenario not in left_out and mode == _ONLY.get(scenario, mode)
    ]
