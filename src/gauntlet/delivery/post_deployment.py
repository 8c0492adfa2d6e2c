"""Post-deployment check: compares a promoted version with its predecessor's recorded metrics."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace

from gauntlet.delivery.context import RolloutContext, log_warning
from gauntlet.delivery.deployment import lease_held, roll_back
from gauntlet.delivery.rollout.events import Event
from gauntlet.delivery.rollout.journal import Entry, Journal
from gauntlet.delivery.rollout.ports import Conflict
from gauntlet.delivery.rollout.state import Action, AnalysisRun, Phase, Rollout
from gauntlet.delivery.targets.service import Service
from gauntlet.errors import ConfigurationError, DataError, DependencyError, NoRollout, ServiceBusy
from gauntlet.verdict import Check, Status, Verdict

GATE = "verify_deployment"
_SERVING = "verify_deployment.serving"
_CHAMPION = "verify_deployment.champion"


@dataclass(frozen=True)
class VerificationResult:
    """The result of one post-deployment check.

    Attributes:
        journal: of the newest rollout, this check included.
        verdict: of the gate ``verify_deployment``.
        outcome: ``watching``; ``rolled_back``; ``watched``: the time is over, or nothing was promoted.
    """

    journal: Journal
    verdict: Verdict
    outcome: str


def verify(context: RolloutContext, champion: str, *, watch_seconds: float, act: bool) -> VerificationResult:
    """Analyse the promoted version once more, continuing the evidence of its rollout.

    Args:
        context: the service and the judge of its metrics.
        champion: the version with the alias champion; empty if none.
        watch_seconds: how long after its rollout began a version is watched.
        act: roll it back when harm is shown.

    Raises:
        NoRollout: there was never a rollout on the service.
        JournalUnreadable: its journal cannot be read.
        UnrecordedRollback: it was rolled back, and that could not be written.
        ServiceBusy: another process acts on the service, or wrote the journal at this moment.
        DependencyError: a backend did not answer.
    """
    service, now = context.service, context.time.now()
    with lease_held(service, context.time, log_warning):
        stored = service.journals.read(service.name)
        if stored is None:
            mend = "Roll a version out first (continuous_delivery)"
            raise NoRollout("has no rollout to verify", field="service", value=service.name, mend=mend)
        journal, etag = stored
        rollout = journal.rollout
        checks = [_serves(context, rollout), _is_champion(rollout, champion)]
        if rollout.phase is not Phase.PROMOTED or rollout.candidate == rollout.stable:
            return _over(journal, checks, "There is nothing to watch: no version was promoted past another.")
        if now - rollout.began > watch_seconds:
            return _over(journal, checks, f"{_name(rollout)} has been watched for {watch_seconds / 3600:,.0f} hours.")
        assessment, analysis_state = context.judge.assess(rollout, journal.analysis_state, now)
        nothing_new = AnalysisRun(rollout.analyses, Status.INCONCLUSIVE, "There was nothing new to analyse.")
        analysis = assessment.analysis or nothing_new
        journal = replace(journal, rollout=replace(rollout, analyses=analysis.number), analysis_state=analysis_state)
        entry = Entry(
            now,
            rollout.phase,
            rollout.weight,
            Action.NOTHING,
            analysis.sentence,
            assessment.analysis,
            code=Event.PROMOTED_ANALYSED,
        )
        journal = journal.with_entry(entry)
        harmful = analysis.status is Status.FAIL and act
        with suppress(*(_NOT_WRITTEN if harmful else ())):  # an analysis that finds harm is acted on, written or not
            _write(service, journal, etag)
    metrics = Check("metrics", analysis.status, analysis.sentence, code="verify_deployment.metrics")
    verdict = _verdict([*checks, metrics])
    if harmful:
        reason = f"Harm was shown after the promotion: {analysis.sentence}"
        rolled_back = roll_back(
            service,
            context.judge,
            context.plan,
            reason,
            context.time,
            by="analysis",
            on_decision=context.log_decision,
            on_warning=log_warning,
        )
        return VerificationResult(rolled_back, verdict, rolled_back.rollout.phase.value)
    return VerificationResult(journal, verdict, "watching")


def _write(service: Service, journal: Journal, etag: str) -> None:
    try:
        service.journals.write(journal, etag)
    except Conflict as error:
        mend = "Run the check again: another process wrote the journal at this moment"
        raise ServiceBusy("was written meanwhile", field=service.name, mend=mend, retryable=True) from error


def _serves(context: RolloutContext, rollout: Rollout) -> Check:
    expected = rollout.candidate if rollout.phase is Phase.PROMOTED else rollout.stable
    current = context.service.handle.current()
    if current is None or current.digest != expected.digest:
        return Check("serving", Status.FAIL, f"{current or 'Nothing'} serves, where {expected} should.", code=_SERVING)
    if not context.service.handle.ready(current):
        return Check("serving", Status.FAIL, f"Version {expected.version} does not answer.", code=_SERVING)
    return Check("serving", Status.PASS, f"Version {expected.version} answers.", code=_SERVING)


def _is_champion(rollout: Rollout, champion: str) -> Check:
    expected = rollout.candidate if rollout.phase is Phase.PROMOTED else rollout.stable
    if champion != expected.version:
        reason = f"The champion is version {champion or '-'}, and {expected} serves."
        return Check("champion", Status.FAIL, reason, code=_CHAMPION)
    return Check("champion", Status.PASS, f"Version {champion} is the champion.", code=_CHAMPION)


def _over(journal: Journal, checks: list[Check], sentence: str) -> VerificationResult:
    watch = Check("watch", Status.NOT_ASKED, sentence, code="verify_deployment.watch")
    return VerificationResult(journal, _verdict([*checks, watch]), "watched")


def _verdict(checks: list[Check]) -> Verdict:
    worst = max(checks, key=lambda check: check.status.severity)
    return Verdict(GATE, tuple(checks), checks[-1].reason if worst.status.is_clear else worst.reason)


def _name(rollout: Rollout) -> str:
    return f"Version {rollout.candidate.version}"


_NOT_WRITTEN = (ConfigurationError, DataError, DependencyError)
