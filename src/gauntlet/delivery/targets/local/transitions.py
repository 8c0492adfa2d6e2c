"""Transitions of the desired state of a local service: every change that a rollout makes to it.

Each may be repeated: what is there already stays, and an equal document comes back. The client counts the
generation.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from gauntlet.delivery.release import Release
from gauntlet.delivery.targets.local.spec import Desired, Mirror
from gauntlet.errors import ConfigurationError, DependencyError


def install(desired: Desired, release: Release, *, again: bool = False) -> Desired:
    """Serve a version alone, with every request.

    Args:
        desired: the present state.
        release: the version to serve.
        again: replace another version that serves, and a rollout under way.

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
    """Run the candidate beside the stable version, without requests; it loses those of a rollout whose journal is gone.

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
    return _changed(_with(desired, candidate), weights={stable.version: 100})


def weigh(desired: Desired, candidate: Release, stable: Release, percent: int) -> Desired:
    """Give the candidate its share of the requests; the rest goes to the stable version."""
    beside = deploy(desired, candidate, stable)
    weights = {candidate.version: percent, stable.version: 100 - percent}
    mirror = beside.mirror
    if mirror and percent and mirror.version == candidate.version:
        mirror = None  # a version that answers callers gets no copies beside
    return _changed(beside, weights=weights, mirror=mirror)


def promote(desired: Desired, candidate: Release, stable: Release) -> Desired:
    """Make the candidate the stable version, alone.

    Raises:
        DependencyError: it does not have all requests yet.
    """
    if desired.served == candidate:
        return _changed(desired, revisions={candidate.version: candidate}, mirror=None)
    if weigh(desired, candidate, stable, 100) != desired:
        raise DependencyError("does not have all requests yet", field=str(candidate), mend="Try again", retryable=True)
    return _changed(desired, stable=candidate.version, revisions={candidate.version: candidate}, mirror=None)


def restore(desired: Desired, stable: Release) -> Desired:
    """Run the stable version's server beside what answers now; no share changes."""
    return _with(desired, stable)


def roll_back(desired: Desired, stable: Release) -> Desired:
    """Serve the stable version alone, with every request: one document holds routes and specification together."""
    return _changed(
        desired,
        stable=stable.version,
        revisions={stable.version: _with(desired, stable).revisions[stable.version]},
        mirror=None,
    )


def shadow(desired: Desired, candidate: Release, share: float) -> Desired:
    """Mirror a share of the stable version's requests to the candidate.

    Raises:
        ConfigurationError: nothing serves whose requests could be copied, or the candidate answers callers.
    """
    return _changed(_with(desired, candidate), mirror=Mirror(candidate.version, share))


def without_mirror(desired: Desired) -> Desired:
    """Stop mirroring; the mirrored version stays, without requests."""
    return desired if desired.mirror is None else _changed(desired, mirror=None)


def _with(desired: Desired, release: Release) -> Desired:
    running = desired.revisions.get(release.version)
    if running is not None and running != release:
        other_model = running.digest != release.digest
        raise ConfigurationError(
            f"another model runs as version {release.version}",
            field="release.digest" if other_model else "release.uri",
            value=release.digest if other_model else release.uri,
            mend="Give every model a version of its own",
        )
    return _changed(desired, revisions={**desired.revisions, release.version: release})


def _changed(desired: Desired, **transitions: Any) -> Desired:
    """The state with these changes; one revision alone has every request."""
    kept = transitions.get("revisions", desired.revisions)
    if len(kept) == 1:
        transitions["weights"] = {next(iter(kept)): 100}
    return replace(desired, **transitions)
