"""What to do next in a rollout: a pure function from state and observation to state and action.

Whoever acts reads the state, observes, asks ``decide``, *writes the new state, and then* carries out the one action,
which must be idempotent. So it can be killed at any instant: the next one finds what was intended, sees whether it
holds, and asks again. Nothing here knows a clock, a cluster or a network; times are handed in.

    deploying ──ready──▶ ramping ──last step shown──▶ promoting ──▶ promoted
        │                   │                             │
        └──────── harm, budgets, time, a person ──────────┴─▶ rolling back ──▶ rolled back
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from enum import StrEnum

from gauntlet.delivery.release import Release
from gauntlet.delivery.rollout.plan import RolloutPlan
from gauntlet.errors import DataError
from gauntlet.verdict import Status

FORMAT = "gauntlet.rollout/1"


class Phase(StrEnum):
    """Where a rollout stands."""

    DEPLOYING = "deploying"
    RAMPING = "ramping"
    PROMOTING = "promoting"
    ROLLING_BACK = "rolling_back"
    PROMOTED = "promoted"
    ROLLED_BACK = "rolled_back"

    @property
    def final(self) -> bool:
        """Nothing happens any more."""
        return self in (Phase.PROMOTED, Phase.ROLLED_BACK)


class Do(StrEnum):
    """What to carry out; each may be repeated without harm."""

    DEPLOY = "deploy"
    """Make the candidate run beside the stable version, with no traffic."""
    SET_WEIGHT = "set_weight"
    """Give the candidate ``Rollout.weight`` percent of the requests."""
    PROMOTE = "promote"
    """Make the candidate the stable version."""
    RESTORE = "restore"
    """Make the stable version run again beside the candidate: there is no way back to what does not answer."""
    ROLL_BACK = "roll_back"
    """All requests to the stable version first; then take the candidate out of the specification."""
    WAIT = "wait"
    """Nothing until the next look."""
    NOTHING = "nothing"
    """It is over."""


@dataclass(frozen=True)
class Rollout:
    """The state of a rollout, all of it: what is written down before anything is done.

    Attributes:
        service: what is rolled out on.
        candidate: the version on its way.
        stable: the version it replaces.
        began: when, in seconds since the epoch.
        attempt: tells a second try of the same two versions from a repetition of the first.
        phase: where it stands.
        step: index of the step it is at; -1 before the first.
        weight: percent of requests that the candidate is meant to have; never more than its step's.
        held_since: when the step's weight was first seen to hold; ``None`` until then.
        asked_since: since when the next step waits for approval; ``None`` if it does not.
        looked: number of the last look that was counted; looks are numbered by whoever observes.
        shown: the last look at this step showed the absence of harm.
        failures: looks that showed harm.
        inconclusive: looks in a row, at this step, that could not tell.
        errors: looks in a row that could not be made.
        reason: why it is being, or was, taken back; empty otherwise.
        because: what kind of reason: ``fail``, ``inconclusive`` or ``error``; ``None`` if it was not taken back.
    """

    service: str
    candidate: Release
    stable: Release
    began: float
    attempt: str = ""
    phase: Phase = Phase.DEPLOYING
    step: int = -1
    weight: int = 0
    held_since: float | None = None
    asked_since: float | None = None
    looked: int = 0
    shown: bool = False
    failures: int = 0
    inconclusive: int = 0
    errors: int = 0
    reason: str = ""
    because: Status | None = None

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
            releases = {arm: Release(**document[arm]) for arm in ("candidate", "stable")}
            because = document["because"] and Status(document["because"])
            return cls(**{**document, **releases, "phase": Phase(document["phase"]), "because": because})
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            mend = "Look at what else writes it; a rollout that cannot be read is rolled back by hand"
            raise DataError("is not the state of a rollout", field="state", value=str(error), mend=mend) from error


@dataclass(frozen=True)
class Metric:
    """What one metric has shown since the rollout began.

    Attributes:
        name: ``errors``, ``latency``, ``scores``, or a team's own.
        status: pass, fail, inconclusive or error.
        sentence: with its numbers.
        log_harm: logarithm of the evidence of harm; harm is shown at ln(1/α) or above, α being its share.
        log_safe: logarithm of the evidence that it is not worse.
        canary: (hits, requests) of the candidate, where the metric counts.
        stable: the same of the stable version.
        dry_run: measured and reported, and without a say.
    """

    name: str
    status: Status
    sentence: str
    log_harm: float | None = None
    log_safe: float | None = None
    canary: tuple[float, float] | None = None
    stable: tuple[float, float] | None = None
    dry_run: bool = False


@dataclass(frozen=True)
class Look:
    """What one look at the metrics said.

    Attributes:
        number: counts up from 1 in a rollout; a look that was counted already is not counted again.
        status: pass, fail, inconclusive or error, of all metrics together.
        sentence: what it saw.
        metrics: one by one.
        answered: requests that (candidate, stable) were given since the rollout began: those they have answered, and
            those under way; ``None`` if unknown.
    """

    number: int
    status: Status
    sentence: str
    metrics: tuple[Metric, ...] = ()
    answered: tuple[float, float] | None = None


@dataclass(frozen=True)
class Seen:
    """What whoever acts found, just now.

    Attributes:
        candidate_ready: the candidate answers.
        stable_ready: the stable version answers.
        weight: percent of requests the candidate really has; ``None`` if it could not be read.
        requests: requests the candidate answered since its step's weight holds.
        baseline: the stable version was watched long enough for the candidate to be compared with it.
        look: the newest look, if there is one.
        failed: why the candidate can never become ready, if that is known.
        approved: the highest step, in percent, that a person approved.
        refused: a person wants it back, and why.
        done: the last action that has an end (promote, roll back) has come to it.
    """

    candidate_ready: bool
    stable_ready: bool
    weight: int | None = None
    requests: int = 0
    baseline: bool = True
    look: Look | None = None
    failed: str = ""
    approved: int = 0
    refused: str = ""
    done: bool = False


@dataclass(frozen=True)
class Decision:
    """The state to write down, then what to do, and one sentence for the timeline."""

    rollout: Rollout
    do: Do
    sentence: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "sentence", _begun_large(self.sentence))


def begin(service: str, candidate: Release, stable: Release, now: float, attempt: str = "") -> Rollout:
    """A rollout that has not done anything yet."""
    return Rollout(service, candidate, stable, began=now, attempt=attempt)


def take_back(rollout: Rollout, reason: str, because: Status = Status.FAIL) -> Rollout:
    """The state from which the next turn begins to roll back, whatever the phase; also long after a promotion."""
    if rollout.phase in (Phase.ROLLING_BACK, Phase.ROLLED_BACK):
        return rollout
    return replace(rollout, phase=Phase.ROLLING_BACK, weight=0, reason=_begun_large(reason), because=because)


def decide(rollout: Rollout, seen: Seen, plan: RolloutPlan, now: float) -> Decision:
    """What to do next.

    Args:
        rollout: the state as it was last written.
        seen: what was found just now.
        plan: what the team asked for.
        now: seconds since the epoch.
    """
    if rollout.phase.final:
        return Decision(rollout, Do.NOTHING, f"It is over: {rollout.phase.value}.")
    if rollout.phase is Phase.ROLLING_BACK:
        return _take_back(rollout, seen)
    rollout = _count(rollout, seen.look)
    why = _why_back(rollout, seen, plan, now)
    if why:
        because, reason = why
        return _take_back(take_back(rollout, reason, because), replace(seen, done=False))
    if rollout.phase is Phase.PROMOTING:
        if seen.done:
            return Decision(replace(rollout, phase=Phase.PROMOTED), Do.NOTHING, f"{rollout.candidate} is stable now.")
        return Decision(rollout, Do.PROMOTE, f"{rollout.candidate} becomes the stable version.")
    if rollout.phase is Phase.DEPLOYING:
        return _deploy(rollout, seen, plan)
    return _ramp(rollout, seen, plan, now)


def _take_back(rollout: Rollout, seen: Seen) -> Decision:
    if seen.done:
        return Decision(replace(rollout, phase=Phase.ROLLED_BACK), Do.NOTHING, f"Rolled back: {rollout.reason}")
    if not seen.stable_ready and seen.candidate_ready:
        # Sending everything to a version that does not answer would leave nobody to answer.
        waits = f"{rollout.stable} does not answer; {rollout.candidate} keeps its requests until it does"
        return Decision(rollout, Do.RESTORE, f"Has to go back ({rollout.reason}), but {waits}.")
    return Decision(rollout, Do.ROLL_BACK, rollout.reason)


def _count(rollout: Rollout, look: Look | None) -> Rollout:
    if look is None or look.number <= rollout.looked:
        return rollout
    status = look.status
    return replace(
        rollout,
        looked=look.number,
        shown=status is Status.PASS,
        failures=rollout.failures + (status is Status.FAIL),
        inconclusive=rollout.inconclusive + 1 if status is Status.INCONCLUSIVE else 0,
        errors=rollout.errors + 1 if status is Status.ERROR else 0,
    )


def _why_back(rollout: Rollout, seen: Seen, plan: RolloutPlan, now: float) -> tuple[Status, str] | None:
    """Why the candidate has to go; ``None`` if it may stay."""
    said = f": {seen.look.sentence}" if seen.look else "."
    budgets = plan.budgets
    if seen.refused:
        return Status.FAIL, f"A person took it back: {seen.refused}"
    if seen.failed:
        return Status.FAIL, f"{rollout.candidate} cannot become ready: {seen.failed}"
    if rollout.failures > budgets.failures:
        return Status.FAIL, f"Harm was shown{said}"
    if rollout.errors > budgets.errors:
        return Status.ERROR, f"Its metrics could not be read {rollout.errors} times in a row{said}"
    if rollout.phase is Phase.PROMOTING:
        return None  # from here on only harm takes it back, not a clock
    if rollout.inconclusive > budgets.inconclusive and plan.undecided == "roll_back":
        return Status.INCONCLUSIVE, f"{rollout.inconclusive} looks in a row could not tell{said}"
    if now - rollout.began > plan.total_seconds:
        return Status.INCONCLUSIVE, f"It took longer than the {plan.total_seconds:,.0f} s allowed for all of it."
    if rollout.phase is Phase.DEPLOYING and now - rollout.began > plan.ready_seconds:
        if seen.candidate_ready:
            return Status.INCONCLUSIVE, f"{rollout.stable} had too little traffic to compare with{said}"
        return Status.FAIL, f"{rollout.candidate} was not ready after {plan.ready_seconds:,.0f} s."
    if rollout.asked_since is not None and now - rollout.asked_since > plan.approval_seconds:
        return Status.INCONCLUSIVE, f"Nobody approved {_next(rollout, plan)} % within {plan.approval_seconds:,.0f} s."
    return None


def _deploy(rollout: Rollout, seen: Seen, plan: RolloutPlan) -> Decision:
    if not seen.candidate_ready:
        return Decision(rollout, Do.DEPLOY, f"{rollout.candidate} is made ready beside {rollout.stable}.")
    if not seen.baseline:
        return Decision(rollout, Do.WAIT, f"{rollout.stable} is watched, to know what is usual.")
    return _enter(replace(rollout, phase=Phase.RAMPING), plan)


def _enter(rollout: Rollout, plan: RolloutPlan) -> Decision:
    """The next step: from here on everything is counted anew but harm."""
    step = rollout.step + 1
    entered = replace(
        rollout, step=step, weight=plan.steps[step], held_since=None, asked_since=None, shown=False, inconclusive=0
    )
    return Decision(entered, Do.SET_WEIGHT, f"{rollout.candidate} gets {entered.weight} % of the requests.")


def _next(rollout: Rollout, plan: RolloutPlan) -> int:
    return plan.steps[rollout.step + 1]


def _ramp(rollout: Rollout, seen: Seen, plan: RolloutPlan, now: float) -> Decision:
    if seen.weight != rollout.weight:
        return Decision(rollout, Do.SET_WEIGHT, f"{rollout.candidate} should have {rollout.weight} % of the requests.")
    if rollout.held_since is None:
        rollout = replace(rollout, held_since=now, shown=False)
        return Decision(rollout, Do.WAIT, f"{rollout.candidate} has {rollout.weight} % of the requests.")
    missing = _missing(rollout, seen, plan, now)
    if missing:
        return Decision(rollout, Do.WAIT, f"At {rollout.weight} %: {missing}.")
    if rollout.step + 1 == len(plan.steps):
        promoting = replace(rollout, phase=Phase.PROMOTING)
        return Decision(promoting, Do.PROMOTE, f"Every step was shown to be safe: {rollout.candidate} is promoted.")
    ahead = _next(rollout, plan)
    if ahead in plan.approve_before and seen.approved < ahead:
        asked = now if rollout.asked_since is None else rollout.asked_since
        return Decision(replace(rollout, asked_since=asked), Do.WAIT, f"Waits for approval of {ahead} %.")
    return _enter(rollout, plan)


def _missing(rollout: Rollout, seen: Seen, plan: RolloutPlan, now: float) -> str:
    """What the step still has to show; empty when it has shown everything."""
    held = now - (now if rollout.held_since is None else rollout.held_since)
    if seen.requests < plan.min_requests:
        return f"{seen.requests:,} of {plan.min_requests:,} requests"
    if held < plan.step_seconds:
        return f"{held:,.0f} of {plan.step_seconds:,.0f} s"
    if not rollout.shown:
        return "the last look did not show that it is safe"
    return ""


def _begun_large(sentence: str) -> str:
    return sentence[:1].upper() + sentence[1:]
