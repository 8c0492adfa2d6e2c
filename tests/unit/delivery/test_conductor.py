"""Rollouts against a service in memory, on which anything may be slow, refuse to answer, or kill the one who acts."""

import random
from dataclasses import dataclass, field

import pytest

from gauntlet.delivery.conductor import Conflict, Judgement, Sighting, Stage, Taken, conduct, refuse, start, turn
from gauntlet.delivery.journal import Journal
from gauntlet.delivery.plan import RolloutPlan
from gauntlet.delivery.release import Release
from gauntlet.delivery.rollout import Look, Phase
from gauntlet.errors import ConfigurationError, DependencyError
from gauntlet.settings import parse
from gauntlet.verdict import Status

V1, V2, V3 = (Release(number, f"sha256:{number}", f"models/{number}") for number in "123")
PLAN = parse(
    RolloutPlan,
    {
        "steps": [10, 50, 100],
        "step_seconds": 120,
        "min_requests": 20,
        "budgets": {"errors": 3},
        "ready_seconds": 50_000,  # turns that fail cost time
    },
    field="plan",
)
KILLS = 150


class Killed(BaseException):
    """What ``kill -9`` is to the one who acts."""


@dataclass
class Service:
    """A service, its ledger and its metrics, in memory; ``trouble`` is called before a call takes effect, and after.

    Weights hold a turn late; ``most`` is the largest share of requests that the candidate ever had.
    """

    trouble: object = lambda where: None
    harmful: bool = False
    now: float = 0.0
    stored: tuple[str, int] | None = None
    holder: object = None
    running: set = field(default_factory=lambda: {V1})
    specified: str = V1
    weight: int = 0
    asked: int = 0
    most: int = 0

    # -- the ledger
    def read(self, service):
        self.trouble("read")
        return None if self.stored is None else (Journal.from_json(self.stored[0]), str(self.stored[1]))

    def write(self, journal, mark):
        self.trouble("before write")
        if mark != ("" if self.stored is None else str(self.stored[1])):
            raise Conflict
        self.stored = (journal.to_json(), 1 if self.stored is None else self.stored[1] + 1)
        self.trouble("after write")
        return str(self.stored[1])

    @property
    def timeline(self):
        return [entry.sentence for entry in Journal.from_json(self.stored[0]).entries]

    # -- the lease
    def hold(self, service):
        self.trouble("hold")
        if self.holder not in (None, self):
            raise Taken(str(self.holder))

    def check(self, service):
        self.trouble("check")

    def release(self, service):
        pass

    # -- the target
    def observe(self, rollout):
        self.trouble("observe")
        self.weight = self.asked
        self.most = max(self.most, self.weight)
        written = Journal.from_json(self.stored[0]).rollout
        assert self.weight <= written.weight or written.phase is not Phase.RAMPING, "no weight that was not written"
        done = {
            Phase.PROMOTING: self.specified == V2,
            Phase.ROLLING_BACK: self.specified == V1 and self.running == {V1} and self.weight == 0,
        }
        return Sighting(V2 in self.running, V1 in self.running, self.weight, done=done.get(rollout.phase, False))

    def deploy(self, rollout):
        self.trouble("before deploy")
        self.running.add(V2)
        self.trouble("after deploy")

    def set_weight(self, rollout):
        self.trouble("before weight")
        self.asked = rollout.weight
        self.trouble("after weight")

    def promote(self, rollout):
        self.trouble("before promote")
        self.specified = V2
        self.trouble("after promote")

    def restore(self, rollout):
        self.trouble("before restore")
        self.running.add(V1)
        self.trouble("after restore")

    def roll_back(self, rollout):
        self.trouble("before route")
        self.asked = 0
        self.trouble("between route and specification")
        self.specified = V1
        self.running.discard(V2)
        self.trouble("after rollback")

    # -- the judge
    def look(self, rollout, memory, now):
        """Remembers how many looks were written; evidence of harm is found at the second step."""
        number = int(memory or 0) + 1
        status = Status.FAIL if self.harmful and rollout.weight >= 50 else Status.PASS
        return Judgement(Look(number, status, "answers differ"), requests=1_000), str(number)

    def sleep(self, seconds):
        self.now += seconds


def run(service):
    start(service, "prices", V2, V1, service.now)
    return conduct(stage(service), PLAN, "prices", clock=lambda: service.now, sleep=service.sleep)


def stage(service):
    return Stage(ledger=service, lease=service, target=service, judge=service)


def ends_well(service, end):
    if service.harmful:
        assert end.phase is Phase.ROLLED_BACK
        assert "Harm was shown: answers differ" in end.reason
        assert (service.specified, service.asked, service.running) == (V1, 0, {V1})
        assert service.most <= 50, "no step after the one that showed harm"
    else:
        assert end.phase is Phase.PROMOTED
        assert service.specified == V2
    return True


@pytest.mark.parametrize("harmful", [False, True], ids=["good", "harmful"])
def test_a_rollout_ends_as_its_candidate_deserves(harmful):
    service = Service(harmful=harmful)
    assert ends_well(service, run(service))
    assert service.timeline[0] == "The rollout of version 2 in place of version 1 begins."
    assert "Version 2 gets 10 % of the requests." in service.timeline


@pytest.mark.parametrize("harmful", [False, True], ids=["good", "harmful"])
def test_started_again_a_finished_rollout_changes_nothing(harmful):
    service = Service(harmful=harmful)
    end = run(service)
    before = (service.specified, service.asked, service.stored, len(service.timeline))
    assert run(service) == end
    assert (service.specified, service.asked, service.stored, len(service.timeline)) == before


def boundaries(harmful):
    """Every place in a whole rollout at which the one who acts can be killed."""
    places = []
    service = Service(harmful=harmful, trouble=places.append)
    run(service)
    return len(places)


@pytest.mark.parametrize("harmful", [False, True], ids=["good", "harmful"])
def test_killed_once_at_every_boundary_it_still_ends_well(harmful):
    for fatal in range(boundaries(harmful)):
        calls = iter(range(10**6))

        def trouble(where, calls=calls, fatal=fatal):
            if next(calls) == fatal:
                raise Killed(where)

        service = Service(harmful=harmful, trouble=trouble)
        with pytest.raises(Killed):
            run(service)
        assert ends_well(service, run(service))


@pytest.mark.parametrize("harmful", [False, True], ids=["good", "harmful"])
def test_killed_and_refused_again_and_again_it_still_ends_well(harmful):
    """At any call there may be a kill, a conflict or no answer: a tenth, and a tenth, and a tenth of the time."""
    for seed in range(KILLS):
        draw = random.Random(seed)

        def trouble(where, draw=draw):
            what = draw.random()
            if what < 0.1:
                raise Killed(where)
            if what < 0.2:
                raise DependencyError("does not answer", field=where, value=503, mend="Wait")
            if what < 0.3 and where == "before write":
                raise Conflict

        service = Service(harmful=harmful, trouble=trouble)
        for _ in range(1_000):
            try:
                end = run(service)
            except (Killed, DependencyError, Conflict):
                continue
            break
        assert ends_well(service, end)


def test_a_second_one_who_acts_is_found_when_it_writes():
    service = Service()
    start(service, "prices", V2, V1, 0.0)
    journal, mark = service.read("prices")
    for _ in range(2):
        turn(stage(service), PLAN, "prices", 0.0)
    with pytest.raises(Conflict):
        service.write(journal, mark)
    assert ends_well(service, run(service))


def test_one_rollout_a_service():
    service = Service()
    start(service, "prices", V2, V1, 0.0)
    with pytest.raises(ConfigurationError, match="a rollout of version 2 is under way"):
        start(service, "prices", V3, V1, 1.0)


def test_a_service_without_a_rollout_has_no_turn():
    with pytest.raises(ConfigurationError, match="has no rollout"):
        turn(stage(Service()), PLAN, "prices", 0.0)


def test_patience_ends_and_says_how_to_go_on():
    def trouble(where):
        if where == "observe":
            raise DependencyError("does not answer", field="the cluster", value=503, mend="Wait")

    with pytest.raises(DependencyError, match="it goes on from here"):
        run(Service(trouble=trouble))


def test_only_who_holds_the_lease_acts():
    service = Service()
    start(service, "prices", V2, V1, 0.0)
    service.holder = "another"
    with pytest.raises(Taken):
        turn(stage(service), PLAN, "prices", 0.0)
    assert service.running == {V1}


def test_a_lease_lost_between_writing_and_acting_stops_the_action():
    def trouble(where):
        if where == "check":
            raise Taken

    service = Service(trouble=trouble)
    start(service, "prices", V2, V1, 0.0)
    with pytest.raises(Taken):
        turn(stage(service), PLAN, "prices", 0.0)
    assert service.running == {V1}


def test_a_promoted_candidate_is_taken_back_on_demand_even_where_stable_is_gone():
    service = Service()
    assert run(service).phase is Phase.PROMOTED
    service.running = {V2}
    refuse(service, "prices", "customers complain", service.now)
    end = conduct(stage(service), PLAN, "prices", clock=lambda: service.now, sleep=service.sleep)
    assert (end.phase, end.reason) == (Phase.ROLLED_BACK, "Customers complain")
    assert (service.specified, service.asked, service.running) == (V1, 0, {V1})
    assert refuse(service, "prices", "once more", service.now) == end, "what was taken back stays as it is"


def test_what_was_taken_back_gets_another_chance_under_another_name():
    service = Service(harmful=True)
    assert run(service).phase is Phase.ROLLED_BACK
    assert start(service, "prices", V2, V1, service.now).phase is Phase.ROLLED_BACK
    assert start(service, "prices", V2, V1, service.now, attempt="mended").phase is Phase.DEPLOYING
