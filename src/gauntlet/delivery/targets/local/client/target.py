"""Actions of a rollout on a local service; each is one change of its desired state, by compare and swap."""

from __future__ import annotations

from dataclasses import replace

from gauntlet.delivery.release import Release
from gauntlet.delivery.rollout.ports import TargetStatus
from gauntlet.delivery.rollout.state import Phase, Rollout, begin
from gauntlet.delivery.targets.local import transitions
from gauntlet.delivery.targets.local.client.host_client import Client, State
from gauntlet.errors import DependencyError


class LocalTarget:
    """Implements ``ports.Target``.

    Args:
        client: the host.
    """

    def __init__(self, client: Client) -> None:
        self._client = client

    def observe(self, rollout: Rollout) -> TargetStatus:
        """The host's status: weights as they are in force, not as desired."""
        state = self._client.state()
        candidate = state.revisions.get(rollout.candidate.version)
        return TargetStatus(
            candidate_ready=is_ready(state, rollout.candidate),
            stable_ready=is_ready(state, rollout.stable),
            weight=state.weights.get(rollout.candidate.version, 0),
            failed=candidate.failed if candidate else _missing(rollout, state),
            done=_is_done(rollout, state),
        )

    def deploy(self, rollout: Rollout) -> None:
        """Run the candidate's server, without requests."""
        self._client.change(lambda now: transitions.deploy(now, rollout.candidate, rollout.stable))

    def set_weight(self, rollout: Rollout) -> None:
        """Give the candidate ``rollout.weight`` percent; the host does so once its server has answered."""
        self._client.change(lambda now: transitions.weigh(now, rollout.candidate, rollout.stable, rollout.weight))

    def promote(self, rollout: Rollout) -> None:
        """Make the candidate the stable version, alone.

        Raises:
            DependencyError: it does not answer at this moment; the stable version stays until it does.
        """
        state = self._client.state()
        if not is_ready(state, rollout.candidate):
            raise DependencyError(
                "does not answer, and is not left alone",
                field=str(rollout.candidate),
                mend="Try again",
                retryable=True,
            )
        self._client.change(lambda now: transitions.promote(now, rollout.candidate, rollout.stable))

    def restore(self, rollout: Rollout) -> None:
        """Run the stable version's server again, also where it had failed."""
        self._client.change(lambda now: transitions.restore(now, rollout.stable))
        if self._client.state().revisions[rollout.stable.version].failed:
            self._client.restart(rollout.stable.version)

    def roll_back(self, rollout: Rollout) -> None:
        """Serve the stable version alone, in one change; requests under way at the candidate are still answered."""
        self._client.change(lambda now: transitions.roll_back(now, rollout.stable))

    def infer_rollout(self, service: str, now: float) -> Rollout | None:
        """A rollout of the version beside the stable one with the largest desired share."""
        desired = self._client.state().desired
        beside = [release for version, release in desired.revisions.items() if version != desired.stable]
        if desired.served is None or not beside:
            return None
        candidate = max(beside, key=lambda release: desired.weights.get(release.version, 0))
        weight = desired.weights.get(candidate.version, 0)
        phase = Phase.RAMPING if weight else Phase.DEPLOYING
        return replace(begin(service, candidate, desired.served, now), phase=phase, weight=weight)


def is_ready(state: State, release: Release) -> bool:
    """Whether this release, of this digest, answers."""
    status = state.revisions.get(release.version)
    return status is not None and status.ready and state.desired.revisions[release.version] == release


def _missing(rollout: Rollout, state: State) -> str:
    """Why a deployed candidate is gone: a rollback that could not be recorded must not be undone."""
    deployed = rollout.phase in (Phase.RAMPING, Phase.PROMOTING)
    gone = deployed and rollout.candidate.version not in state.desired.revisions
    return "it was removed from the desired state" if gone else ""


def _is_done(rollout: Rollout, state: State) -> bool:
    if rollout.phase is Phase.PROMOTING:
        return _alone(state, rollout.candidate)
    if rollout.phase is Phase.ROLLING_BACK:
        return _alone(state, rollout.stable)
    return False


def _alone(state: State, release: Release) -> bool:
    return (
        state.desired.served == release
        and set(state.desired.revisions) == {release.version}
        and state.weights == {release.version: 100}
    )
