"""Rollouts over a local service on which faults are drawn: of processes, disks, journals, clocks and controllers.

One trial is one rollout of a good or a harmful version. Each operation on a file and each call of the host is an
instant at which something may happen; whoever acts then dies, or sees an error. Afterwards a successor, or a person,
goes on, until the rollout is over. Everything is drawn from the trial's number.
"""

from __future__ import annotations

import errno
import os
import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from builders.damage import NO_FILES, damages
from builders.faulty_files import FaultyFiles
from builders.host_in_process import HARM_AT, V1, V2, Controller, Host, HostKilled, Killed
from gauntlet.delivery.rollout.ports import Assessment
from gauntlet.delivery.rollout.state import Phase, Rollout
from gauntlet.delivery.targets.local.reserve import keep_reserve
from gauntlet.errors import GauntletError, JournalUnreadable
from gauntlet.verdict import Status

FAULTS = (
    "controller killed",
    "host killed",
    "disk full",
    "disk over its quota",
    "disk read-only",
    "disk broken",
    "journal damaged",
    "journal gone",
    "no file for a journal",
    "clock forward",
    "clock back",
    "another controller",
    "a person goes back",
)
_ERRORS = {
    "disk full": errno.ENOSPC,
    "disk over its quota": errno.EDQUOT,
    "disk read-only": errno.EROFS,
    "disk broken": errno.EIO,
}
_OTHERS = ("another controller", "a person goes back")
_INSTANTS = 130
"""Of a rollout without faults that ends with a promotion; one of a harmful version has 90."""
_ATTEMPTS = 30


@dataclass(frozen=True)
class Outcome:
    """How a trial ended: ``promoted`` or ``rolled_back``; which faults came to pass; how many went on."""

    phase: str
    harmful: bool
    faults: tuple[str, ...]
    attempts: int


class Observed(Controller):
    """A controller whose judge notes since when a version is shown harmful."""

    def assess(self, rollout: Rollout, memory: str, now: float) -> tuple[Assessment, str]:
        found = super().assess(rollout, memory, now)
        if found[0].analysis is not None and found[0].analysis.status is Status.FAIL:
            self.host.shown_harmful()
        return found


@dataclass
class Trial:
    """One rollout, and what happens to it."""

    number: int
    folder: Path
    came: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    instant: int = 0
    dead: bool = False
    busy: bool = False
    failing: tuple[int, int] = (0, 0)
    """The error of the disk, and the last instant at which it fails."""

    def __post_init__(self) -> None:
        self.draw = random.Random(self.number)
        self.harmful = self.draw.random() < 0.5
        drawn = self.draw.choices(FAULTS, k=self.draw.randint(1, 5))
        self.coming = sorted((self.draw.randrange(_INSTANTS), name) for name in drawn)
        self.now = 1_772_373_909.0

    def run(self) -> Outcome:
        """The rollout, to its end.

        Raises:
            AssertionError: it did not end as it must, or an error was no sentence.
        """
        with FaultyFiles(self.folder).installed() as files:
            self.host = Host(self.folder, slow=True)
            self.host.service().handle.install(V1)
            keep_reserve(self.folder)
            files.fault, self.host.before_call = self.passed, lambda: self.passed("call", "")
            for attempt in range(1, _ATTEMPTS + 1):
                if attempt > _ATTEMPTS // 2:
                    self.coming, self.failing = [], (0, 0)
                phase = self.attempt()
                if phase and not self.coming and not self.failing[1] >= self.instant:
                    self.ends_well(phase)
                    return Outcome(phase.value, self.harmful, tuple(self.came), attempt)
        raise AssertionError(f"trial {self.number} does not end: {self.came}, {self.host.noted().desired}")

    def attempt(self, back: bool = False) -> Phase | None:
        """A controller, or a person, goes on; the phase if the rollout is over."""
        self.dead = False
        one = Observed(self.host, harmful=self.harmful, now=self.now)
        self.acting = one
        try:
            if self.host.reconciler is None:
                self.host.start()
            self.host.later()
            journal = one.roll_back() if back else one.roll_out()
        except (Killed, HostKilled):
            return None
        except JournalUnreadable:
            return None if back else self.attempt(back=True)
        except GauntletError as error:
            self.said.append(str(error))
            # Whose disk fails for good is mended by people in the end.
            self.instant += 20
            return None
        finally:
            self.now = max(self.now, one.now)
        return journal.rollout.phase

    def ends_well(self, phase: Phase) -> None:
        where = f"trial {self.number} after {self.came}"
        self.host.later()
        assert all(sentence.endswith(".") for sentence in self.said), "what failed is told in sentences"
        assert phase in (Phase.PROMOTED, Phase.ROLLED_BACK), where
        assert self.host.has_left(V2 if phase is Phase.PROMOTED else V1), f"{where}: {self.host.noted().desired}"
        assert self.host.noted().unwritten == "", where
        assert not (self.harmful and phase is Phase.PROMOTED), where
        assert self.host.most.get("2", 0) <= (HARM_AT if self.harmful else 100), where
        assert self.host.most_since_shown <= HARM_AT, where

    def passed(self, kind: str, path: str) -> None:
        """One instant."""
        if self.busy:
            return
        if self.dead:
            raise Killed
        self.instant += 1
        assert self.instant < 50 * _INSTANTS, f"trial {self.number} does not end: {self.came}"
        # Who is in the middle of a file may hold its lock, for which another in this process would wait for ever.
        waits = bool(self.coming) and self.coming[0][1] in _OTHERS and kind != "call"
        if self.coming and self.coming[0][0] <= self.instant and not waits:
            self.happens(self.coming.pop(0)[1])
        number, until = self.failing
        unreadable = number == errno.EIO and kind == "read" and path == str(self.host.journal)
        if number and self.instant <= until and (kind == "write" or unreadable):
            raise OSError(number, os.strerror(number), path)

    def happens(self, name: str) -> None:
        self.came.append(name)
        self.busy = True
        try:
            self._happens(name)
        finally:
            self.busy = False

    def _happens(self, name: str) -> None:
        journal = self.host.journal
        if name in ("controller killed", "host killed"):
            if (name == "host killed") is self.host.acting:
                self.dead = not self.host.acting
                raise HostKilled if self.host.acting else Killed
            if name == "host killed":
                self.host.kill()
            else:
                self.coming.insert(0, (self.instant + 1, name))  # in a moment it acts again
                self.came.pop()
        elif name in _ERRORS:
            self.failing = (_ERRORS[name], self.instant + self.draw.choice([1, 5, 50, 2_000]))
        elif name == "journal damaged" and journal.is_file():
            with_entries = journal.read_bytes()
            try:
                kinds: Mapping[str, Any] = damages(with_entries)
            except (ValueError, KeyError, TypeError, IndexError):
                return  # it is damaged already
            journal.write_bytes(kinds[self.draw.choice(sorted(kinds))])
        elif name == "journal gone" and journal.is_file():
            journal.unlink()
        elif name == "no file for a journal" and journal.is_file():
            journal.unlink()
            for left in journal.parent.glob("loop*"):
                left.unlink()
            NO_FILES[self.draw.choice(sorted(NO_FILES))](journal)
        elif name.startswith("clock"):
            self.acting.now += self.draw.choice([1e2, 1e4, 1e7]) * (1 if name == "clock forward" else -1)
        elif name in _OTHERS:
            self._another(back=name == "a person goes back")

    def _another(self, *, back: bool) -> None:
        other = Observed(self.host, harmful=self.harmful, now=self.acting.now)
        try:
            other.roll_back() if back else other.roll_out()
        except GauntletError as error:
            self.said.append(str(error))
