"""A version with half of the requests, and a journal that is torn, gone or refused: told once, for servers real and in
memory. Whatever it is, all requests go to stable again, and the candidate leaves the specification."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from builders.cluster import ApiServer
from builders.kserve_rollouts import NAME, V1, V2, Fate, Ground, Killed
from builders.kserve_scenarios import stands
from builders.memory_cluster import MemoryServer
from gauntlet.delivery.deployment import roll_back, roll_out
from gauntlet.delivery.emergency_rollback import UnrecordedRollback, is_unfinished
from gauntlet.delivery.rollout.approvals import Approval
from gauntlet.delivery.rollout.journal import Journal
from gauntlet.delivery.rollout.ports import Conflict
from gauntlet.delivery.rollout.state import Phase
from gauntlet.delivery.targets.kserve.api import Api
from gauntlet.delivery.targets.kserve.service import open_on
from gauntlet.errors import ConfigurationError, DataError, DependencyError

Server = ApiServer | MemoryServer
Emergency = Callable[[Server, str], None]


def at_half(server: Server, mode: str) -> Ground:
    """A rollout whose controller died when the candidate had half of the requests."""
    return brought_to_half(Ground(server, mode))


def brought_to_half(ground: Ground, attempt: str = "") -> Ground:
    def dies(ground: Ground) -> None:
        if ground.shares().get("2") == 50:
            raise Killed

    ground.meanwhile = dies
    with pytest.raises(Killed):
        ground.run(attempt=attempt)
    ground.meanwhile = lambda ground: None
    assert ground.shares() == {"1": 50, "2": 50}
    return ground


def gives_up(ground: Ground, api: Api | None = None, heard: list[Any] | None = None) -> Journal:
    service = open_on(api or ground.api(), ground.service)
    warned = [].append if heard is None else heard.append
    told = {"on_decision": lambda decision: None, "on_warning": warned}
    return roll_back(service, ground.judge, ground.plan, "customers complain", ground.time(), **told)


def goes_on(ground: Ground, api: Api | None = None) -> Journal:
    service = replace(open_on(api or ground.api(), ground.service), approvals=lambda rollout: ground.approval)
    return roll_out(service, V2, ground.judge, ground.plan, ground.time(), on_decision=lambda decision: None)


def torn(ground: Ground, *keys: str) -> dict[str, str]:
    """Cut these keys of the ConfigMap in half; what is left of each."""
    data = ground.server.request("GET", record(ground))["data"]
    halves = {key: data[key][: len(data[key]) // 2] for key in keys}
    ground.server.request("PATCH", record(ground), {"data": halves}, "application/merge-patch+json")
    return halves


def record(ground: Ground) -> str:
    return f"/api/v1/namespaces/{ground.namespace}/configmaps/gauntlet-rollout-{NAME}"


def aside(ground: Ground) -> list[str]:
    """The journals that were put away."""
    maps = ground.server.request("GET", f"/api/v1/namespaces/{ground.namespace}/configmaps")["items"]
    return [one["data"]["journal"] for one in maps if "-unreadable-" in one["metadata"]["name"]]


def refusing(error: Exception) -> Fate:
    """A server that takes no write of a ConfigMap."""

    def fate(method: str, path: str, when: str) -> None:
        if method in ("PATCH", "POST") and "configmaps" in path and when == "before":
            raise error

    return fate


FULL = DependencyError("gave no usable answer", field="patch configmaps", value="500: no space", mend="Wait")
FORBIDDEN = ConfigurationError("this account may not do it", field="patch configmaps", mend="Bind a Role")


def torn_journal(server: Server, mode: str) -> None:
    ground, heard = at_half(server, mode), []
    halves = torn(ground, "journal")
    with pytest.raises(DataError, match=f"journal of ConfigMap {ground.namespace}/gauntlet-rollout-loans") as refused:
        goes_on(ground)
    assert "Run the pipeline rollback" in str(refused.value)
    assert ground.shares() == {"1": 50, "2": 50}, "a rollout does not go on from it"
    assert is_unfinished(open_on(ground.api(), ground.service), ground.now)
    journal = gives_up(ground, heard=heard)
    stands(ground, "1")
    assert (journal.rollout.phase, journal.rollout.candidate, journal.rollout.stable) == (Phase.ROLLED_BACK, V2, V1)
    assert any("version 2 has 50 % of the requests" in str(one) for one in heard)
    assert aside(ground) == [halves["journal"]]
    assert any("is kept as ConfigMap" in sentence for sentence in ground.timeline())
    assert gives_up(ground) == journal, "repeatable"
    assert ground.run(attempt="again").phase is Phase.PROMOTED, "and another rollout begins from there"


def torn_record(server: Server, mode: str) -> None:
    """The journal is whole, and what was there before is not."""
    ground = at_half(server, mode)
    torn(ground, "saved-state")
    with pytest.raises(DataError, match="Run the pipeline rollback"):
        goes_on(ground)
    assert gives_up(ground).rollout.phase is Phase.ROLLED_BACK
    stands(ground, "1")


def torn_both(server: Server, mode: str) -> None:
    ground = at_half(server, mode)
    halves = torn(ground, "journal", "saved-state")
    assert gives_up(ground).rollout.phase is Phase.ROLLED_BACK
    stands(ground, "1")
    assert aside(ground) == [halves["journal"]]


def gone(server: Server, mode: str) -> None:
    ground = at_half(server, mode)
    ground.server.request("DELETE", record(ground))
    assert is_unfinished(open_on(ground.api(), ground.service), ground.now)
    assert gives_up(ground).rollout.phase is Phase.ROLLED_BACK
    stands(ground, "1")
    assert ground.journals.read(ground.service)[0].rollout.stable == V1


def replicas_of_before(server: Server, mode: str) -> None:
    """Pods that were added beside the candidate go with it, although nobody wrote down how many there were."""
    for minimum, maximum in ((4, None), (4, 20), (4, 4)):
        ground = Ground(server, mode)
        ground.patch({"spec": {"predictor": {"minReplicas": minimum, "maxReplicas": maximum}}})
        ground.controller.settle()
        torn(brought_to_half(ground), "journal", "saved-state")
        assert gives_up(ground).rollout.phase is Phase.ROLLED_BACK
        assert ground.get()["spec"]["predictor"]["minReplicas"] == minimum


def promoted_and_torn(server: Server, mode: str) -> None:
    """What was kept tells what was before a promotion; without it nothing does, and nothing is touched."""
    ground = Ground(server, mode)
    assert ground.run().phase is Phase.PROMOTED
    torn(ground, "journal")
    assert not is_unfinished(open_on(ground.api(), ground.service), ground.now)
    assert gives_up(ground).rollout.phase is Phase.ROLLED_BACK
    stands(ground, "1")
    ground = Ground(server, mode)
    assert ground.run().phase is Phase.PROMOTED
    torn(ground, "journal", "saved-state")
    before = ground.get()["spec"]
    with pytest.raises(DataError, match="is not the journal of a rollout"):
        gives_up(ground)
    assert ground.get()["spec"] == before


def writes_refused(server: Server, mode: str) -> None:
    for error in (FULL, FORBIDDEN):
        ground = at_half(server, mode)
        before = ground.server.request("GET", record(ground))["data"]
        with pytest.raises(
            UnrecordedRollback, match=r"all requests go to version 1 again \(Customers complain\)"
        ) as refused:
            gives_up(ground, ground.api(refusing(error)))
        assert error.message in str(refused.value)
        stands(ground, "1")
        assert ground.server.request("GET", record(ground))["data"] == before
        assert gives_up(ground).rollout.phase is Phase.ROLLED_BACK, "mended, it is written"
        stands(ground, "1")


def writes_refused_and_torn(server: Server, mode: str) -> None:
    ground = at_half(server, mode)
    halves = torn(ground, "journal", "saved-state")
    with pytest.raises(UnrecordedRollback):
        gives_up(ground, ground.api(refusing(FULL)))
    stands(ground, "1")
    data = ground.server.request("GET", record(ground))["data"]
    assert data == halves, "it stays where it is"


def promoted_and_refused(server: Server, mode: str) -> None:
    ground = Ground(server, mode)
    assert ground.run().phase is Phase.PROMOTED
    with pytest.raises(UnrecordedRollback):
        gives_up(ground, ground.api(refusing(FULL)))
    stands(ground, "1")


def harm_while_writes_are_refused(server: Server, mode: str) -> None:
    """What decides by itself is carried out as well; the next run finds it done, and does not undo it."""
    ground = at_half(server, mode)
    ground.judge.harm_from = 50
    with pytest.raises(UnrecordedRollback, match="Harm was shown"):
        goes_on(ground, ground.api(refusing(FULL)))
    stands(ground, "1")
    ground.judge.harm_from = 101
    end = goes_on(ground).rollout
    assert end.phase is Phase.ROLLED_BACK
    stands(ground, "1")


def time_and_people_while_writes_are_refused(server: Server, mode: str) -> None:
    for patience, refused in ((0.0, ""), (None, "customers complain")):
        ground = at_half(server, mode)
        ground.approval = Approval(abort=refused)
        if patience is not None:
            ground.plan = ground.plan.model_copy(update={"total_seconds": patience})
        why = "A person aborted it" if refused else "The rollout took longer than"
        with pytest.raises(UnrecordedRollback, match=why):
            goes_on(ground, ground.api(refusing(FULL)))
        stands(ground, "1")


def no_harm_while_writes_are_refused(server: Server, mode: str) -> None:
    ground = at_half(server, mode)
    with pytest.raises(DependencyError, match="iterations in a row") as refused:
        goes_on(ground, ground.api(refusing(FULL)))
    assert not isinstance(refused.value, UnrecordedRollback)
    assert ground.most == 50, "it goes no further"


def suspended_on_the_way(server: Server, mode: str) -> None:
    """A controller that decided to roll back, and wakes when another one is under way, leaves that alone."""
    ground = Ground(server, mode, harm_from=50)
    assert ground.run().phase is Phase.ROLLED_BACK
    old = replace(ground.journals.read(ground.service)[0].rollout, phase=Phase.ROLLING_BACK)
    ground.judge.harm_from = 101
    brought_to_half(ground, attempt="again")
    target = ground.target(ground.api())
    for action in (target.roll_back, target.restore):
        with pytest.raises(Conflict, match="is of another rollout"):
            action(old)
    ground.controller.settle()
    assert ground.shares() == {"1": 50, "2": 50}


def killed_on_the_way(server: Server, mode: str) -> None:
    """Without a readable journal, killed at every change: the next one finds the way from what is there then."""
    places: list[str] = []
    ground = at_half(server, mode)
    torn(ground, "journal")
    gives_up(ground, ground.api(lambda method, path, when: places.append(method)))
    for fatal, method in enumerate(places):
        if method == "GET":
            continue
        ground = at_half(server, mode)
        torn(ground, "journal")
        count = iter(range(10**9))

        def fate(method: str, path: str, when: str, count: Any = count, fatal: int = fatal) -> None:
            if next(count) >= fatal:
                raise Killed(f"{when} {method} {path}")

        with pytest.raises(Killed):
            gives_up(ground, ground.api(fate))
        forget_lease(ground)
        assert gives_up(ground).rollout.phase is Phase.ROLLED_BACK
        stands(ground, "1")


def forget_lease(ground: Ground) -> None:
    """As if the lease of the dead had run out."""
    path = f"/apis/coordination.k8s.io/v1/namespaces/{ground.namespace}/leases/gauntlet-rollout-{NAME}"
    ground.server.request("DELETE", path)


EMERGENCIES: tuple[Emergency, ...] = (
    torn_journal,
    torn_record,
    torn_both,
    gone,
    replicas_of_before,
    promoted_and_torn,
    writes_refused,
    writes_refused_and_torn,
    promoted_and_refused,
    harm_while_writes_are_refused,
    time_and_people_while_writes_are_refused,
    no_harm_while_writes_are_refused,
    suspended_on_the_way,
    killed_on_the_way,
)
_ONLY = {replicas_of_before: "Standard"}


def emergencies(*left_out: Emergency) -> list[tuple[Emergency, str]]:
    """Every emergency in every mode that it is about."""
    return [
        (emergency, mode)
        for emergency in EMERGENCIES
        for mode in ("Knative", "Standard")
        if emergency not in left_out and mode == _ONLY.get(emergency, mode)
    ]
