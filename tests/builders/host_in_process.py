"""A local service in this process: its real host, journal, lease and client; servers and HTTP are stood in for.

So a rollout over it takes some milliseconds, and each of its calls and files may fail.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gauntlet.delivery.deployment import Time, roll_back, roll_out
from gauntlet.delivery.release import Release
from gauntlet.delivery.rollout.journal import Journal
from gauntlet.delivery.rollout.plan import RolloutPlan
from gauntlet.delivery.rollout.ports import Assessment
from gauntlet.delivery.rollout.state import AnalysisRun, Rollout
from gauntlet.delivery.targets.local.client.host_client import Client
from gauntlet.delivery.targets.local.client.service import service_of
from gauntlet.delivery.targets.local.server.host import read_desired
from gauntlet.delivery.targets.local.server.reconciler import DESIRED, Options, Reconciler
from gauntlet.delivery.targets.local.spec import Desired
from gauntlet.delivery.targets.service import Service
from gauntlet.digest import digest_bytes
from gauntlet.settings import parse
from gauntlet.verdict import Status

V1, V2, V3 = (Release(number, digest_bytes(number.encode()), f"models/{number}") for number in "123")
PLAN = parse(
    RolloutPlan,
    {"steps": [10, 50, 100], "interval_seconds": 60, "step_seconds": 120, "min_requests": 20},
    field="plan",
)
HARM_AT = 50
"""Percent from which on a harmful version is seen to be one."""


class Killed(BaseException):
    """What ``kill -9`` is to the one who acts."""


class HostKilled(BaseException):
    """What it is to a host."""


@dataclass(eq=False)
class Server:
    """In place of a model server: it answers."""

    release: Release
    pool: Any = field(default_factory=object)
    ready: bool = True
    answered: bool = True
    failed: str = ""

    @property
    def status(self) -> dict[str, Any]:
        about = {"digest": self.release.digest, "ready": self.ready, "failed": self.failed}
        return {**about, "port": 1, "pid": 1, "restarts": 0}

    def start_again(self) -> None:
        self.failed = ""


class Hosted(Reconciler):
    """The host's own reconciler, whose servers are there at once."""

    slow = False
    """Servers answer from the next call of the host on."""

    def _start(self, version: str, release: Release) -> Any:
        return Server(release, ready=not self.slow, answered=not self.slow)

    def turn(self) -> None:
        """Servers that were started answer by now; whoever gets requests has to."""
        shares = dict(self.router.weights)
        assert sum(shares.values()) in (0, 100)
        healthy = {version for version, server in self._servers.items() if server.answered}
        assert not healthy or healthy >= set(shares), "no caller is sent to who cannot answer, where another could"
        for server in self._servers.values():
            server.ready = server.answered = True
        self._route()

    def _drain(self, server: Any) -> None:
        server.ready = False


class Host:
    """A host that can be killed and started again.

    Attributes:
        most: version → the largest share of requests it ever had.
        most_since_shown: the largest share of version 2 since it was first shown harmful.
        acting: the host is at work, not its client.
        before_call: called at the beginning of each call.
    """

    def __init__(self, folder: Path, *, slow: bool = False) -> None:
        self.folder = folder
        self.most: dict[str, int] = {}
        self.most_since_shown = 0
        self.acting = False
        self.before_call: Callable[[], None] = lambda: None
        self.reconciler: Hosted | None = None
        self._hosted, self._shown = type("Slow", (Hosted,), {"slow": slow}), False
        folder.mkdir(parents=True, exist_ok=True)
        self.start()

    def start(self) -> None:
        self.reconciler = self._hosted(Options(self.folder, seed=7), read_desired(self.folder / DESIRED))
        self.reconciler.turn()
        self.noted()

    def kill(self) -> None:
        self.reconciler = None

    def later(self) -> None:
        """A second later: it has tried again to write what it could not."""

        async def turn() -> None:
            working = asyncio.get_running_loop().create_task(self.noted().keep_writing(1e6))
            await asyncio.sleep(0)
            working.cancel()

        asyncio.run(turn())

    def has_left(self, release: Release) -> bool:
        """Whether this version alone is there, with all requests."""
        reconciler = self.noted()
        shares = dict(reconciler.router.weights)
        return (reconciler.desired.served, shares, set(reconciler.desired.revisions)) == (
            release,
            {release.version: 100},
            {release.version},
        )

    def noted(self) -> Hosted:
        assert self.reconciler is not None
        for version, percent in self.reconciler.router.weights.items():
            self.most[version] = max(self.most.get(version, 0), percent)
            if version == "2" and self._shown:
                self.most_since_shown = max(self.most_since_shown, percent)
        return self.reconciler

    def shown_harmful(self) -> None:
        """From now on its share counts against what it may have."""
        self._shown = True

    def service(self) -> Service:
        """As another process would open it."""
        return service_of(Connected(self))

    @property
    def journal(self) -> Path:
        return self.folder / "rollouts" / f"{self.folder.name}.json"


class Connected(Client):
    """The real client; what the wire would carry is handed over."""

    def __init__(self, host: Host) -> None:
        super().__init__(host.folder)
        self._to = host

    def _ask(
        self, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> tuple[int, bytes]:
        self._to.before_call()
        if self._to.reconciler is None:
            raise self._silent("it was killed")
        self._to.acting = True
        try:
            return self._answered(method, body, headers or {})
        except HostKilled as killed:
            self._to.kill()
            raise self._silent("it was killed") from killed
        finally:
            self._to.acting = False

    def _answered(self, method: str, body: bytes | None, headers: Mapping[str, str]) -> tuple[int, bytes]:
        reconciler = self._to.noted()
        reconciler.turn()
        if method == "PUT":
            if int(headers["if-match"].strip('"')) != reconciler.desired.generation:
                return 412, b"{}"
            try:
                reconciler.ask(Desired.from_document(json.loads(body or b"")))
            except OSError as error:
                return 507, json.dumps({"error": error.strerror}).encode()
        self._to.noted()
        return 200, json.dumps(reconciler.state()).encode()


@dataclass
class Controller:
    """Whoever rolls out or back on a host: a judge, a clock, and what was heard.

    Attributes:
        host: whose service.
        harmful: whether harm is found from ``HARM_AT`` percent on.
        killed_at: percent at which whoever looks is killed.
        now: seconds since the epoch; moves on as this sleeps.
    """

    host: Host
    harmful: bool = False
    killed_at: int = 101
    now: float = 1_772_373_909.0
    heard: list[str] = field(default_factory=list)
    before_turn: Callable[[], None] = lambda: None

    def assess(self, rollout: Rollout, memory: str, now: float) -> tuple[Assessment, str]:
        if rollout.weight >= self.killed_at:
            raise Killed
        number = int(memory or 0) + 1
        status = Status.FAIL if self.harmful and rollout.weight >= HARM_AT else Status.PASS
        return Assessment(AnalysisRun(number, status, "answers differ"), requests=1_000), str(number)

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        self.before_turn()

    def roll_out(self, release: Release = V2, attempt: str = "") -> Journal:
        return roll_out(self.host.service(), release, self, PLAN, self._time, attempt=attempt, **self._told)

    def roll_back(self, reason: str = "complaints") -> Journal:
        return roll_back(self.host.service(), self, PLAN, reason, self._time, **self._told)

    @property
    def _time(self) -> Time:
        return Time(lambda: self.now, self.sleep)

    @property
    def _told(self) -> dict[str, Any]:
        note = self.heard.append
        return {"on_decision": lambda decision: note(decision.sentence), "on_warning": lambda one: note(str(one))}


def at_half(folder: Path, *, harmful: bool = False) -> Host:
    """A host on which a rollout's controller died when the candidate had half of the requests."""
    host = Host(folder)
    host.service().handle.install(V1)
    try:
        Controller(host, harmful=harmful, killed_at=50).roll_out()
    except Killed:
        return host
    raise AssertionError("nobody was killed")
