"""A service in memory on which anything may be slow, refuse to answer, or kill the one who acts."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from gauntlet.delivery.release import Release
from gauntlet.delivery.rollout.approvals import Approval
from gauntlet.delivery.rollout.journal import Journal
from gauntlet.delivery.rollout.lease import LeaseRecord, LeaseTaken
from gauntlet.delivery.rollout.ports import Assessment, Backends, Conflict, TargetStatus
from gauntlet.delivery.rollout.state import AnalysisRun, Phase, begin
from gauntlet.delivery.targets.service import Service
from gauntlet.errors import JournalUnreadable
from gauntlet.verdict import Status

V1, V2, V3 = (Release(number, f"sha256:{number}", f"models/{number}") for number in "123")
NO_APPROVAL = Approval()


class Killed(BaseException):
    """What ``kill -9`` is to the one who acts."""


@dataclass
class MemoryService:
    """A service, its ledger and its metrics, in memory; ``trouble`` is called before a call takes effect, and after.

    Weights hold a turn late; ``most`` is the largest share of requests that the candidate ever had. ``holder`` may be
    the record of one who died: it runs out when it was watched for as long as it lasts. A ``torn`` journal cannot be
    read; ``aside`` is where it was put.
    """

    trouble: object = lambda where: None
    harmful: bool = False
    now: float = 0.0
    stored: tuple[str, int] | None = None
    holder: object = None
    watched: float | None = None
    running: set = field(default_factory=lambda: {V1})
    specified: str = V1
    weight: int = 0
    asked: int = 0
    most: int = 0
    found: tuple = ()
    preflights: int = 0
    torn: bool = False
    aside: object = None
    approval: Approval = NO_APPROVAL

    # -- the ledger
    def read(self, service):
        self.trouble("read")
        if self.torn:
            raise JournalUnreadable(
                "is not the journal of a rollout", field="journal", value="half of it", mend="Mend it"
            )
        return None if self.stored is None else (Journal.from_json(self.stored[0]), str(self.stored[1]))

    def write(self, journal, etag):
        self.trouble("before write")
        if etag != ("" if self.stored is None else str(self.stored[1])):
            raise Conflict
        self.stored = (journal.to_json(), 1 if self.stored is None else self.stored[1] + 1)
        self.trouble("after write")
        return str(self.stored[1])

    def set_aside(self, service):
        self.trouble("set aside")
        self.aside, self.stored, self.torn = self.stored, None, False
        return "the attic"

    @property
    def timeline(self):
        return [entry.sentence for entry in Journal.from_json(self.stored[0]).entries]

    # -- the lease
    def acquire(self, service):
        self.trouble("hold")
        if isinstance(self.holder, LeaseRecord):
            self.watched = self.now if self.watched is None else self.watched
            if self.now - self.watched <= self.holder.seconds:
                raise LeaseTaken(f"{self.holder.holder} holds the lease", self.holder)
            self.holder = None
        if self.holder not in (None, self):
            raise LeaseTaken(str(self.holder))

    def check(self, service):
        self.trouble("check")

    def release(self, service):
        pass

    # -- the target
    def observe(self, rollout):
        self.trouble("observe")
        self.weight = self.asked
        self.most = max(self.most, self.weight)
        written = rollout if self.stored is None else Journal.from_json(self.stored[0]).rollout  # a shadow has none
        assert self.weight <= written.weight or written.phase is not Phase.RAMPING, "no weight that was not written"
        done = {
            Phase.PROMOTING: self.specified == rollout.candidate,
            Phase.ROLLING_BACK: (self.specified, self.running, self.weight) == (rollout.stable, {rollout.stable}, 0),
        }
        return TargetStatus(
            rollout.candidate in self.running,
            rollout.stable in self.running,
            self.weight,
            done=done.get(rollout.phase, False),
        )

    def deploy(self, rollout):
        self.trouble("before deploy")
        self.running.add(rollout.candidate)
        self.trouble("after deploy")

    def set_weight(self, rollout):
        self.trouble("before weight")
        self.asked = rollout.weight
        self.trouble("after weight")

    def promote(self, rollout):
        self.trouble("before promote")
        self.specified = rollout.candidate
        self.trouble("after promote")

    def restore(self, rollout):
        self.trouble("before restore")
        self.running.add(rollout.stable)
        self.trouble("after restore")

    def roll_back(self, rollout):
        self.trouble("before route")
        self.asked = 0
        self.trouble("between route and specification")
        self.specified = rollout.stable
        self.running.discard(rollout.candidate)
        self.trouble("after rollback")

    def infer_rollout(self, service, now):
        beside = sorted(self.running - {self.specified}, key=lambda release: release.version)
        if not beside:
            return None
        return replace(begin(service, beside[0], self.specified, now), phase=Phase.RAMPING, weight=self.asked)

    # -- people
    def approvals(self, rollout):
        self.trouble("approvals")
        return self.approval

    # -- the judge
    def assess(self, rollout, memory, now):
        """Remembers how many looks were written; evidence of harm is found at the second step."""
        number = int(memory or 0) + 1
        status = Status.FAIL if self.harmful and rollout.weight >= 50 else Status.PASS
        look = AnalysisRun(number, status, "answers differ", answered=(100.0 * number, 900.0 * number))
        return Assessment(look, requests=1_000), str(number)

    def sleep(self, seconds):
        self.now += seconds

    def obstacles(self):
        self.preflights += 1
        return self.found

    # -- the place
    def current(self):
        return self.specified

    def install(self, release, *, replace=False):
        self.specified = release
        self.running = {release}

    def ready(self, release):
        return release in self.running

    def url(self):
        return "http://127.0.0.1:9"

    def url_of(self, release):
        return f"http://127.0.0.1:{release.version}"

    def backends(self):
        return Backends(journals=self, lease=self, target=self, judge=self, approvals=self.approvals)

    def service(self):
        parts = dict.fromkeys(("handle", "target", "journals", "lease"), self)
        return Service("prices", **parts, counter_source=None, approvals=self.approvals, obstacles=self.obstacles)
