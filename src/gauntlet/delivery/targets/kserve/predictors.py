"""The model version in ``spec.predictor``: read, replaced, and the merge patch between two predictors.

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
    """The model of a pod template, by its environment variables.

    Attributes:
        version: in the registry.
        digest: of the content.
        mark: tells copies of one model apart; empty for most.
    """

    version: str
    digest: str
    mark: str = ""

    def runs(self, release: Release) -> bool:
        """Whether this is the release's version and digest."""
        return (self.version, self.digest) == (release.version, release.digest)


def identity_of(predictor: Mapping[str, Any]) -> Identity | None:
    """The identity of the model in ``spec.predictor``; ``None`` where it has none."""
    return _identity([predictor.get("model") or {}])


def identity_in_pods(pod: Mapping[str, Any]) -> Identity | None:
    """The identity of the model in a pod template's ``spec``: of a revision, a Knative Service or a Deployment."""
    return _identity(pod.get("containers") or ())


def release_in(predictor: Mapping[str, Any]) -> Release | None:
    """The release in ``spec.predictor``; ``None`` where version, digest or URI are missing."""
    identity, uri = identity_of(predictor), (predictor.get("model") or {}).get("storageUri")
    return Release(identity.version, identity.digest, uri) if identity and uri else None


def with_release(predictor: Mapping[str, Any], release: Release, runtime: str = "") -> Json:
    """Put another model into ``spec.predictor``, without a mark.

    Args:
        predictor: as it is.
        release: the model to put there.
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
    """Mark ``spec.predictor``, so that the template equals no earlier one with the same model."""
    changed = copy.deepcopy(dict(predictor))
    changed["model"]["env"] = _environment(changed["model"], {MARK: mark})
    return changed


def with_percent(predictor: Mapping[str, Any], percent: int | None) -> Json:
    """Set the share of the latest revision in ``spec.predictor``; ``None`` removes it, which means all requests."""
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
        env = {variable["name"]: variable.get("value", "") for variable in container.get("env") or ()}
        if env.get(VERSION) and env.get(DIGEST):
            return Identity(env[VERSION], env[DIGEST], env.get(MARK, ""))
    return None


def _environment(model: Mapping[str, Any], values: Mapping[str, str], without: Iterable[str] = ()) -> Sequence[Json]:
    dropped = {*values, *without}
    kept = [variable for variable in model.get("env") or () if variable["name"] not in dropped]
    return [*kept, *({"name": name, "value": value} for name, value in values.items())]


def _unusable(message: str, value: object, mend: str) -> DependencyError:
    return DependencyError(message, field="spec.predictor", value=value, mend=mend)
