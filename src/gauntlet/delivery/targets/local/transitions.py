"""Transitions of the desired state of a local service: every change that a rollout makes to it.

Each may be repeated: what is there already stays, and an equal document comes back. The generation is counted by
whoever asks the host.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from gauntlet.delivery.release import Release
from gauntlet.delivery.targets.local.spec import Desired, Mirror
from gauntlet.errors import ConfigurationError, DependencyError


def install(desired: Desired, release: Release, *, again: bool = False) -> Desired:
    """The version alone, with every request.

    Args:
        desired: what is asked now.
        release: what shall serve.
        again: take the place of whatever serves, and of a rollout under way.

    Raises:
        ConfigurationError: another version serves already.
    """
    if desired.served == release and not again:
        return desired
    if desired.served is not None and not again:
        raise ConfigurationError(
            f"{desired.served} serves here already", field="release", value=str(release), mend="Roll it out instead"
        )
    return _changed(desired, stable=release.version, revisions={release.version: release}, mirror=None)


def deploy(desired: Desired, candidate: Release, stable: Release) -> Desired:
    """The candidate beside the stable version, without requests.

    Raises:
        ConfigurationError: another version than ``stable`` serves, or another model has the candidate's number.
    """
    if desired.served != stable:
        raise ConfigurationError(
            f"{desired.served or 'nothing'} serves here, not the version that the rollout replaces",
            field="stable",
            value=str(stable),
            mend="Roll the rollout back and start one from what serves",
        )
    return _with(desired, candidate)


def weigh(desired: Desired, candidate: Release, stable: Release, percent: int) -> Desired:
    """The candidate's share of the requests; the rest is the stable version's."""
    beside = deploy(desired, candidate, stable)
    weights = {candidate.version: percent, stable.version: 100 - percent}
    mirror = beside.mirror
    if mirror and percent and mirror.version == candidate.version:
        mirror = None  # who answers callers is not also asked behind their backs
    return _changed(beside, weights=weights, mirror=mirror)


def promote(desired: Desired, candidate: Release, stable: Release) -> Desired:
    """The candidate as the stable version, alone.

    Raises:
        DependencyError: it does not have all requests yet.
    """
    if desired.served == candidate:
        return _changed(desired, revisions={candidate.version: candidate}, mirror=None)
    if weigh(desired, candidate, stable, 100) != desired:
        raise DependencyError("does not have all requests yet", field=str(candidate), mend="Look again", retryable=True)
    return _changed(desired, stable=candidate.version, revisions={candidate.version: candidate}, mirror=None)


def restore(desired: Desired, stable: Release) -> Desired:
    """The stable version's server beside whatever answers now; nobody's share changes."""
    return _with(desired, stable)


def roll_back(desired: Desired, stable: Release) -> Desired:
    """The stable version alone, with every request: one document, so routes and specification cannot come apart."""
    return _changed(
        desired,
        stable=stable.version,
        revisions={stable.version: _with(desired, stable).revisions[stable.version]},
        mirror=None,
    )


def shadow(desired: Desired, candidate: Release, share: float) -> Desired:
    """Copies of a share of the stable version's requests to the candidate.

    Raises:
        ConfigurationError: nothing serves whose requests could be copied, or the candidate answers callers.
    """
    return _changed(_with(desired, candidate), mirror=Mirror(candidate.version, share))


def without_mirror(desired: Desired) -> Desired:
    """No copies to anybody; who got them stays, without requests."""
    return desired if desired.mirror is None else _changed(desired, mirror=None)


def _with(desired: Desired, release: Release) -> Desired:
    found = desired.revisions.get(release.version)
    if found is not None and found != release:
        raise ConfigurationError(
            f"another model runs as version {release.version}",
            field="release.digest" if found.digest != release.digest else "release.uri",
            value=release.digest if found.digest != release.digest else release.uri,
            mend="Give every model a version of its own",
        )
    return _changed(desired, revisions={**desired.revisions, release.version: release})


def _changed(desired: Desired, **transitions: Any) -> Desired:
    """With these changes; one revision alone has every request."""
    kept = transitions.get("revisions", desired.revisions)
    if len(kept) == 1:
        transitions["weights"] = {next(iter(kept)): 100}
    return replace(desired, **transitions)
