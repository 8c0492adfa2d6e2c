"""Runs a shadow deployment: deploy, mirror traffic, stop when the verdict stands or time is up."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from gauntlet.delivery.deployment import Time, lease_held, unfinished
from gauntlet.delivery.release import Release
from gauntlet.delivery.rollout.lease import OnWarning, ignore_warning, renew, renewing_sleep
from gauntlet.delivery.rollout.state import Phase, Rollout, begin
from gauntlet.delivery.shadow.gate import GATE, ShadowCounts, ShadowPolicy, judge_shadow
from gauntlet.delivery.targets.service import Mirror, Service
from gauntlet.errors import ServiceBusy
from gauntlet.verdict import Check, Status, Verdict


@dataclass(frozen=True)
class ShadowResult:
    """The result of a shadow deployment.

    Attributes:
        verdict: of the gate ``shadow``.
        counts: of mirrored requests; ``None`` where nothing could be mirrored.
    """

    verdict: Verdict
    counts: ShadowCounts | None = None


def run_shadow(
    service: Service,
    release: Release,
    policy: ShadowPolicy,
    time: Time,
    *,
    seconds: float,
    share: float,
    patience: float,
    on_warning: OnWarning = ignore_warning,
) -> ShadowResult:
    """Mirror requests to a candidate until the verdict is decided or the time is over; repeatable.

    The candidate stays deployed for the rollout that follows, without requests, unless it failed.

    Args:
        service: the service.
        release: the candidate.
        policy: its limits.
        time: the clock.
        seconds: how long copies are sent at most.
        share: of the stable version's requests that are copied, in (0, 1].
        patience: seconds until the candidate has to answer.
        on_warning: called where this waits for the lease of a controller that may have died.

    Returns:
        The verdict. Not asked where there is nothing to compare with; inconclusive where the target cannot mirror.

    Raises:
        ServiceBusy: a rollout is under way, or another controller acts on the service.
        DependencyError: the service does not answer.
    """
    stable = service.handle.current()
    if stable is None:
        return _not_shadowed(Status.NOT_ASKED, "Nothing serves yet, so there is nothing to compare with.")
    if stable.digest == release.digest:
        reason = f"{stable} serves already: its answers would be compared with themselves."
        return _not_shadowed(Status.NOT_ASKED, reason)
    if service.mirror is None:
        reason = "This service cannot copy requests; watch the first step of the rollout for longer."
        return _not_shadowed(Status.INCONCLUSIVE, reason)
    with lease_held(service, time, on_warning):
        if unfinished(service):
            raise ServiceBusy("a rollout is under way", field=service.name, mend="Wait for its end", retryable=True)
        rollout = begin(service.name, release, stable, time.now())
        service.target.deploy(rollout)
        failed = _until_ready(service, rollout, time, patience)
        if failed:
            service.target.roll_back(replace(rollout, phase=Phase.ROLLING_BACK))
            check = Check("ready", Status.FAIL, failed, code="shadow.not_ready")
            return ShadowResult(Verdict(GATE, (check,), failed))
        result = _watch(service, service.mirror, rollout, policy, time, seconds=seconds, share=share)
        if result.verdict.status is Status.FAIL:
            service.target.roll_back(replace(rollout, phase=Phase.ROLLING_BACK))
        return result


def _watch(
    service: Service,
    mirror: Mirror,
    rollout: Rollout,
    policy: ShadowPolicy,
    time: Time,
    *,
    seconds: float,
    share: float,
) -> ShadowResult:
    with _mirrored(mirror, rollout, share):
        began = time.now()
        while True:
            time.sleep(min(2.0, seconds / 10))
            renew(service.lease, service.name)
            counts = mirror.counts(rollout)
            verdict = judge_shadow(counts, policy)
            if verdict.status in (Status.PASS, Status.FAIL) or time.now() - began >= seconds:
                return ShadowResult(verdict, counts)


@contextmanager
def _mirrored(mirror: Mirror, rollout: Rollout, share: float) -> Iterator[None]:
    mirror.start(rollout, share)
    try:
        yield
    finally:
        mirror.stop(rollout)


def _until_ready(service: Service, rollout: Rollout, time: Time, patience: float) -> str:
    """Why it did not become ready; empty when it did."""
    rest = renewing_sleep(service.lease, service.name, time.sleep)
    deadline = time.now() + patience
    while True:
        target_status = service.target.observe(rollout)
        if target_status.candidate_ready:
            return ""
        if target_status.failed:
            return f"Version {rollout.candidate.version} cannot become ready: {target_status.failed}"
        if time.now() > deadline:
            return f"Version {rollout.candidate.version} was not ready after {patience:,.0f} s."
        rest(min(1.0, patience / 10))


def _not_shadowed(status: Status, reason: str) -> ShadowResult:
    check = Check("shadowed", status, reason, code="shadow.not_shadowed")
    return ShadowResult(Verdict(GATE, (check,), reason))
