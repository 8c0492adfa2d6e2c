"""A model version in ``spec.predictor``: which one is there, how another is put there, and what differs.

The version travels in the environment of the model's container, because that is what reaches the pods, where the
server checks the digest and labels its metrics, and because it makes a new revision even when the URI stays the same.
State on the InferenceService itself would do that as well: its annotations and labels propagate to the pods.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from gauntlet.delivery.release import Release
from gauntlet.delivery.rollout.state import Rollout
from gauntlet.errors import DependencyError

Json = dict[str, Any]

VERSION = "GAUNTLET_MODEL_VERSION"
DIGEST = "GAUNTLET_MODEL_DIGEST"
MARK = "GAUNTLET_ROLLOUT_MARK"
"""Makes a template differ from an earlier one with the same model; the server does not read it."""
PERCENT = "canaryTrafficPercent"


class Identity(NamedTuple):
    """Which model a template holds, as far as its pods can tell.

    Attributes:
        version: in the registry.
        digest: of the content.
        mark: tells copies of one model apart; empty for most.
    """

    version: str
    digest: str
    mark: str = ""

    def runs(self, release: Release) -> bool:
        """Whether this is that version."""
        return (self.version, self.digest) == (release.version, release.digest)


def identity_of(predictor: Mapping[str, Any]) -> Identity | None:
    """Which model ``spec.predictor`` holds; ``None`` where it does not say."""
    return _identity([predictor.get("model") or {}])


def identity_in_pods(pod: Mapping[str, Any]) -> Identity | None:
    """Which model a pod template's ``spec`` holds: of a revision, a Knative Service or a Deployment."""
    return _identity(pod.get("containers") or ())


def release_in(predictor: Mapping[str, Any]) -> Release | None:
    """The release that ``spec.predictor`` holds; ``None`` where version, digest or URI are not there."""
    found, uri = identity_of(predictor), (predictor.get("model") or {}).get("storageUri")
    return Release(found.version, found.digest, uri) if found and uri else None


def with_release(predictor: Mapping[str, Any], release: Release, runtime: str = "") -> Json:
    """``spec.predictor`` with another model in it, and no mark.

    Args:
        predictor: as it is.
        release: what it shall hold.
        runtime: pinned where the predictor names none: left to itself, KServe picks one by the model's format, and a
            cluster whose runtimes change would change the server under a model that stays.

    Raises:
        DependencyError: it has no ``model``, or no runtime is named anywhere.
    """
    changed = copy.deepcopy(dict(predictor))
    model = changed.get("model")
    if not isinstance(model, dict):
        raise _unusable("has no model", sorted(predictor), "Describe the server as predictor.model with a runtime")
    if not (model.get("runtime") or runtime):
        raise _unusable("names no runtime", model.get("modelFormat"), "Set spec.predictor.model.runtime")
    model["runtime"] = model.get("runtime") or runtime
    model["storageUri"] = release.uri
    model["env"] = _environment(model, {VERSION: release.version, DIGEST: release.digest}, {MARK})
    return changed


def marked(predictor: Mapping[str, Any], mark: str) -> Json:
    """``spec.predictor`` as a template that no earlier one equals, with the same model in it."""
    changed = copy.deepcopy(dict(predictor))
    changed["model"]["env"] = _environment(changed["model"], {MARK: mark})
    return changed


def with_percent(predictor: Mapping[str, Any], percent: int | None) -> Json:
    """``spec.predictor`` with this share for its latest revision; ``None`` for no share at all, which means all."""
    changed = {key: value for key, value in predictor.items() if key != PERCENT}
    return changed if percent is None else {**changed, PERCENT: percent}


def mark_of(moment: str, rollout: Rollout) -> str:
    """A mark of this rollout: ``after version 7 (1732371234)``."""
    return f"{moment} {rollout.candidate} ({rollout.began:.0f}{rollout.attempt and ' ' + rollout.attempt})"


def difference(before: Mapping[str, Any], after: Mapping[str, Any]) -> Json:
    """The merge patch (RFC 7386) that makes one mapping another: lists are replaced whole, ``None`` removes.

    >>> difference({"a": 1, "b": {"c": 2, "d": 3}}, {"b": {"c": 2}, "e": [4]})
    {'a': None, 'b': {'d': None}, 'e': [4]}
    """
    patch: Json = {key: None for key in before if key not in after}
    for key, value in after.items():
        old = before.get(key)
        if isinstance(old, Mapping) and isinstance(value, Mapping):
            if inner := difference(old, value):
                patch[key] = inner
        elif key not in before or old != value:
            patch[key] = copy.deepcopy(value)
    return patch


def _identity(containers: Iterable[Mapping[str, Any]]) -> Identity | None:
    for container in containers:
        found = {one["name"]: one.get("value", "") for one in container.get("env") or ()}
        if found.get(VERSION) and found.get(DIGEST):
            return Identity(found[VERSION], found[DIGEST], found.get(MARK, ""))
    return None


def _environment(model: Mapping[str, Any], values: Mapping[str, str], without: Iterable[str] = ()) -> Sequence[Json]:
    dropped = {*values, *without}
    kept = [one for one in model.get("env") or () if one["name"] not in dropped]
    return [*kept, *({"name": name, "value": value} for name, value in values.items())]


def _unusable(message: str, value: object, mend: str) -> DependencyError:
    return DependencyError(message, field="spec.predictor", value=value, mend=mend)
