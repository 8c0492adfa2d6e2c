"""State, observation and decision of a rollout. Pure records, with the state's JSON.

``decision.decide`` is the function from state and observation to the next state and action.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import Annotated, ClassVar, Literal

from pydantic import ConfigDict, Field, FiniteFloat, TypeAdapter, ValidationError

from gauntlet.delivery.release import Release
from gauntlet.delivery.rollout.events import Event
from gauntlet.errors import BrokenArtifact, GauntletError
from gauntlet.verdict import Status

FORMAT = "gauntlet.rollout/1"

AbortedBy = Literal["", "person", "analysis", "controller"]

STORED = ConfigDict(strict=True, extra="forbid")
"""How stored records are read: nothing is converted, and nothing is there that is not known."""


class Phase(StrEnum):
    """Phase of a rollout."""

    DEPLOYING = "deploying"
    RAMPING = "ramping"
    PROMOTING = "promoting"
    ROLLING_BACK = "rolling_back"
    PROMOTED = "promoted"
    ROLLED_BACK = "rolled_back"

    @property
    def final(self) -> bool:
        """The rollout is over."""
        return self in (Phase.PROMOTED, Phase.ROLLED_BACK)

    @property
    def has_traffic(self) -> bool:
        """The candidate is meant to answer live requests, so an analysis counts them; also after its promotion."""
        return self in (Phase.RAMPING, Phase.PROMOTING, Phase.PROMOTED)


class Action(StrEnum):
    """What to carry out; every action is idempotent."""

    DEPLOY = "deploy"
    """Make the candidate run beside the stable version, with no traffic."""
    SET_WEIGHT = "set_weight"
    """Give the candidate ``Rollout.weight`` percent of the requests."""
    PROMOTE = "promote"
    """Make the candidate the stable version."""
    RESTORE = "restore"
    """Make the stable version run again beside the candidate: a rollback needs a version that answers."""
    ROLL_BACK = "roll_back"
    """All requests to the stable version first; then take the candidate out of the specification."""
    WAIT = "wait"
    """Nothing until the next analysis."""
    NOTHING = "nothing"
    """The rollout is over."""


@dataclass(frozen=True)
class Rollout:
    """The whole state of a rollout, persisted before any action.

    Attributes:
        service: the service it is carried out on.
        candidate: the new version.
        stable: the version it replaces.
        began: when, in seconds since the epoch.
        attempt: distinguishes a second attempt with the same two versions from a repetition of the first.
        phase: its phase.
        step: index of the step it is at; -1 before the first.
        weight: percent of requests that the candidate is meant to have; never more than its step's.
        held_since: when the step's weight was first seen to hold; ``None`` until then.
        approval_since: since when the next step waits for approval; ``None`` if it does not.
        analyses: number of the last analysis that was counted; the judge numbers them.
        shown: the last analysis at this step showed the absence of harm.
        failures: analyses that showed harm.
        inconclusive: analyses in a row, at this step, that were inconclusive.
        errors: analyses in a row that could not be made.
        reason: why it is being, or was, rolled back; empty otherwise.
        aborted_by: who decided that: a ``person``, the ``analysis`` of its metrics, the ``controller`` (time limits, a
            candidate that cannot become ready, another rollout); empty while it is not rolled back.
        cause: what kind of reason: ``fail``, ``inconclusive`` or ``error``; ``None`` if it was not rolled back.
    """

    __pydantic_config__: ClassVar[ConfigDict] = STORED

    service: str
    candidate: Release
    stable: Release
    began: FiniteFloat
    attempt: str = ""
    phase: Phase = Phase.DEPLOYING
    step: int = -1
    weight: Annotated[int, Field(ge=0, le=100)] = 0
    held_since: FiniteFloat | None = None
    approval_since: FiniteFloat | None = None
    analyses: int = 0
    shown: bool = False
    failures: int = 0
    inconclusive: int = 0
    errors: int = 0
    reason: str = ""
    aborted_by: AbortedBy = ""
    cause: Status | None = None

    def to_json(self) -> str:
        """The state as it is stored."""
        return json.dumps({"format": FORMAT, **asdict(self)}, sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> Rollout:
        """Read a stored state back.

        Raises:
            DataError: it is not the state of a rollout, or of a format this version does not know.
        """
        try:
            document = json.loads(text)
            if document.pop("format") != FORMAT:
                raise ValueError("another format")
            return _ROLLOUT.validate_json(json.dumps(document))
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise BrokenArtifact(
                "is not the state of a rollout",
                field="state",
                value=first_fault(error),
                mend="Look at what else writes it; a rollout that cannot be read is rolled back by hand",
            ) from error


_ROLLOUT = TypeAdapter(Rollout)


def first_fault(error: Exception) -> str:
    """What is wrong with a stored record, in one line: of many faults the first, with its place."""
    if isinstance(error, GauntletError):
        return f"{error.field}: {error.value}"
    if not isinstance(error, ValidationError):
        return f"{type(error).__name__}: {error}"
    fault = error.errors(include_url=False, include_input=False, include_context=False)[0]
    place = ".".join(map(str, fault["loc"]))
    return f"{place}: {fault['msg']}" if place else str(fault["msg"])


@dataclass(frozen=True)
class Metric:
    """The result of one metric since the rollout began.

    Attributes:
        name: ``errors``, ``latency``, ``scores``, or a team's own.
        status: pass, fail, inconclusive or error.
        sentence: with its numbers.
        log_harm: logarithm of the evidence of harm; harm is shown at ln(1/α) or above, α being its share.
        log_safe: logarithm of the evidence that it is not worse.
        canary: (hits, requests) of the candidate, where the metric counts.
        stable: the same of the stable version.
        dry_run: measured and reported, and without a say.
        test: which of the metric's tests the counts are of; empty where it has none.
    """

    __pydantic_config__: ClassVar[ConfigDict] = STORED

    name: str
    status: Status
    sentence: str
    log_harm: float | None = None
    log_safe: float | None = None
    canary: tuple[float, float] | None = None
    stable: tuple[float, float] | None = None
    dry_run: bool = False
    test: str = ""


@dataclass(frozen=True)
class AnalysisRun:
    """The result of one analysis of the metrics.

    Attributes:
        number: counts up from 1 in a rollout; an analysis that was counted already is not counted again.
        status: pass, fail, inconclusive or error, of all metrics together.
        sentence: the result in words, with its numbers.
        metrics: the result of each metric.
        answered: requests that (candidate, stable) were given since the rollout began: those they have answered, and
            those under way; ``None`` if unknown.
    """

    __pydantic_config__: ClassVar[ConfigDict] = STORED

    number: int
    status: Status
    sentence: str
    metrics: tuple[Metric, ...] = ()
    answered: tuple[float, float] | None = None


@dataclass(frozen=True)
class Observation:
    """What the controller observed in one iteration.

    Attributes:
        candidate_ready: the candidate answers.
        stable_ready: the stable version answers.
        weight: percent of requests the candidate really has; ``None`` if it could not be read.
        requests: requests the candidate answered since its step's weight holds.
        baseline: the stable version's baseline is large enough to compare the candidate with it.
        analysis: the newest analysis, if there is one.
        failed: why the candidate can never become ready, if that is known.
        approved: the highest step, in percent, that a person approved.
        abort: why a person aborts the rollout; empty if nobody does.
        done: the promotion or rollback under way is complete.
    """

    candidate_ready: bool
    stable_ready: bool
    weight: int | None = None
    requests: int = 0
    baseline: bool = True
    analysis: AnalysisRun | None = None
    failed: str = ""
    approved: int = 0
    abort: str = ""
    done: bool = False


@dataclass(frozen=True)
class Decision:
    """The state to write down, then what to do; what happened, as a code and as one sentence for the timeline."""

    rollout: Rollout
    action: Action
    code: Event
    sentence: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "sentence", _capitalised(self.sentence))


def begin(service: str, candidate: Release, stable: Release, now: float, attempt: str = "") -> Rollout:
    """The state of a rollout at its beginning."""
    return Rollout(service, candidate, stable, began=now, attempt=attempt)


def begin_rollback(rollout: Rollout, reason: str, by: AbortedBy = "person", cause: Status = Status.FAIL) -> Rollout:
    """The state from which the next iteration begins to roll back, whatever the phase; also long after a promotion."""
    if rollout.phase in (Phase.ROLLING_BACK, Phase.ROLLED_BACK):
        return rollout
    return replace(rollout, phase=Phase.ROLLING_BACK, weight=0, reason=_capitalised(reason), aborted_by=by, cause=cause)


def _capitalised(sentence: str) -> str:
    return sentence[:1].upper() + sentence[1:]
