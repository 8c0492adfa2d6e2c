"""Ports of the controller, as protocols: target, judge of the metrics, store of journals.

``rollout.lease`` has the lease. Every backend implements these (``targets/``), and every test double.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from gauntlet.delivery.rollout.approvals import ApprovalSource, no_approvals
from gauntlet.delivery.rollout.journal import Journal
from gauntlet.delivery.rollout.lease import Lease
from gauntlet.delivery.rollout.state import AnalysisRun, Rollout


class Conflict(Exception):
    """Another process wrote since the object was read."""


@dataclass(frozen=True)
class TargetStatus:
    """The target's part of ``Observation``; fields as there."""

    candidate_ready: bool
    stable_ready: bool
    weight: int | None
    failed: str = ""
    done: bool = False


class Target(Protocol):
    """Where versions run. Every action may be repeated, and returns before its effect is there to see.

    Raises, all methods: ``DependencyError`` when the platform does not answer; the iteration is then retried.
    """

    def observe(self, rollout: Rollout) -> TargetStatus:
        """Observe the versions now. ``done`` is about the phase the rollout is in."""

    def deploy(self, rollout: Rollout) -> None:
        """Make the candidate run with no requests."""

    def set_weight(self, rollout: Rollout) -> None:
        """Give the candidate ``rollout.weight`` percent of the requests."""

    def promote(self, rollout: Rollout) -> None:
        """Make the candidate the stable version."""

    def restore(self, rollout: Rollout) -> None:
        """Make the stable version run again, without taking requests from the candidate yet."""

    def roll_back(self, rollout: Rollout) -> None:
        """Send all requests to the stable version, then remove the candidate from the specification, in this order.

        The one action that is carried out even where its state could not be written (``delivery.emergency_rollback``).
        """

    def infer_rollout(self, service: str, now: float) -> Rollout | None:
        """Infer the rollout from the service itself, where no journal can be read; ``None`` where there is none.

        Afterwards this target can roll it back, without a journal.

        Args:
            service: its name.
            now: seconds since the epoch; when the rollout began, where that is not known.
        """


@dataclass(frozen=True)
class Assessment:
    """The judge's part of ``Observation``; fields as there.

    Attributes:
        power: what the analysis would detect, once, when its tests have been chosen; empty otherwise.
    """

    analysis: AnalysisRun | None
    requests: int = 0
    baseline: bool = True
    power: str = ""


class Judge(Protocol):
    """Assesses metrics. Approvals and aborts need none, and have a source of their own."""

    def assess(self, rollout: Rollout, analysis_state: str, now: float) -> tuple[Assessment, str]:
        """Assess the metrics now; returns the assessment and the new state of the analysis.

        The state of the analysis is persisted together with that of the rollout, or not at all: an analysis whose
        iteration was killed never happened, and the next one covers its interval. Metrics that cannot be read are an
        analysis of status ``error``, not an exception.

        Args:
            rollout: the state before this iteration.
            analysis_state: as the last persisted analysis returned it; empty before the first.
            now: seconds since the epoch.
        """


class JournalStore(Protocol):
    """Keeps the newest rollout's journal of each service.

    Raises, all methods: ``DependencyError`` when the store does not answer.
    """

    def read(self, service: str) -> tuple[Journal, str] | None:
        """The journal and the etag of its version; ``None`` if there was never a rollout on the service.

        Raises:
            JournalUnreadable: what is there is no journal.
        """

    def write(self, journal: Journal, etag: str) -> str:
        """Replace the journal that had this etag (empty: there was none), and return the new etag.

        Raises:
            Conflict: it has another etag by now.
        """

    def set_aside(self, service: str) -> str:
        """Move a journal that cannot be read aside, whole, so that another can begin; returns its new place."""


@dataclass(frozen=True)
class Backends:
    """Everything the controller works with."""

    journals: JournalStore
    lease: Lease
    target: Target
    judge: Judge
    approvals: ApprovalSource = no_approvals
