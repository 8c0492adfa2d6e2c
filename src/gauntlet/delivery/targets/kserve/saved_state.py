"""The state of a service before its rollout: saved beside the journal before the first change.

It is also a fence: an action begins by reading the journal's ConfigMap, and is not carried out where it was decided
from a state that is no longer the journal's. So a controller that was suspended between deciding and acting does no
harm.
A rollback may be ahead of a journal that cannot be written, or beside one that cannot be read: it passes unless the
journal is of another rollout.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from pydantic import ConfigDict, TypeAdapter

from gauntlet.delivery.rollout.journal import Journal
from gauntlet.delivery.rollout.ports import Conflict
from gauntlet.delivery.rollout.state import STORED, Phase, Rollout, first_fault
from gauntlet.delivery.targets.kserve.api import Api, Json
from gauntlet.delivery.targets.kserve.resources import CONFIG_MAPS, record_name, split
from gauntlet.errors import BrokenArtifact, ConfigurationError, DataError, DependencyError

FORMAT = "gauntlet.saved-state/1"
JOURNAL_KEY, SAVED_STATE_KEY = "journal", "saved-state"


@dataclass(frozen=True)
class SavedState:
    """The state to roll back to.

    Attributes:
        predictor: ``spec.predictor`` as it was, without a share of traffic.
        revision: Knative mode: the revision that had all requests when the candidate was deployed; empty until then.
    """

    predictor: Mapping[str, Any]
    revision: str = ""


@dataclass(frozen=True)
class SavedRollout:
    """A saved state and the rollout it belongs to, for recovery without a journal.

    Attributes:
        candidate: (version, digest) of the candidate.
        attempt, began: as the rollout's.
        before: the state to roll back to.
    """

    candidate: tuple[str, str]
    attempt: str
    began: float
    before: SavedState


class SavedStateStore:
    """Saved states, in the ConfigMaps of rollouts. ``DependencyError`` where one cannot be read."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._inferred: dict[tuple[Any, ...], SavedState] = {}

    def before(self, rollout: Rollout) -> SavedState | None:
        """The state before this rollout; ``None`` as long as the rollout has changed nothing.

        Raises:
            DataError: the saved state cannot be read.
        """
        inferred = self._inferred.get(tuple(_key(rollout)))
        return inferred or _before(self._read(rollout.service), rollout)

    def before_acting(self, rollout: Rollout) -> SavedState | None:
        """The same, for an action.

        Raises:
            Conflict: the journal has gone on from this state.
            DataError: it, or the saved state, cannot be read.
        """
        inferred = self._inferred.get(tuple(_key(rollout)))
        if inferred is not None:
            return inferred
        document = self._read(rollout.service)
        _fence(document, rollout)
        return _before(document, rollout)

    def set_inferred(self, rollout: Rollout, before: SavedState) -> None:
        """Use this state for a rollout, in place of a saved one that cannot be read."""
        self._inferred[tuple(_key(rollout))] = before

    def kept(self, service: str) -> SavedRollout | None:
        """The saved state of the newest rollout that changed anything; ``None`` where it cannot be read."""
        try:
            text = (self._read(service).get("data") or {}).get(SAVED_STATE_KEY)
            return None if text is None else _kept(text)
        except (ConfigurationError, DataError, DependencyError):
            return None

    def keep(self, rollout: Rollout, before: SavedState) -> None:
        """Save the state before a rollout.

        Raises:
            Conflict: the journal has gone on, or is written at this moment.
        """
        document = self._read(rollout.service)
        _fence(document, rollout)
        namespace, name = split(rollout.service)
        text = json.dumps(
            {
                "format": FORMAT,
                "rollout": _key(rollout),
                "predictor": before.predictor,
                "revision": before.revision,
            }
        )
        version = document["metadata"]["resourceVersion"]
        self._api.patch(CONFIG_MAPS, namespace, record_name(name), version, {"data": {SAVED_STATE_KEY: text}})

    def _read(self, service: str) -> Json:
        namespace, name = split(service)
        return self._api.get(CONFIG_MAPS, namespace, record_name(name)) or {}


def _key(rollout: Rollout) -> list[Any]:
    return [rollout.candidate.version, rollout.candidate.digest, rollout.attempt, rollout.began]


def _fence(document: Json, rollout: Rollout) -> None:
    text = (document.get("data") or {}).get(JOURNAL_KEY)
    if rollout.phase is Phase.ROLLING_BACK:
        if _is_of_another(text, rollout):
            raise Conflict(f"the journal of {rollout.service} is of another rollout by now")
    elif text is None or Journal.from_json(text).rollout != rollout:
        raise Conflict(f"the journal of {rollout.service} is no longer at the state this action was decided from")


def _is_of_another(text: str | None, rollout: Rollout) -> bool:
    try:
        return text is not None and _key(Journal.from_json(text).rollout) != _key(rollout)
    except DataError:
        return False


def _before(document: Json, rollout: Rollout) -> SavedState | None:
    text = (document.get("data") or {}).get(SAVED_STATE_KEY)
    if text is None:
        return None
    kept = _kept(text)
    return kept.before if [*kept.candidate, kept.attempt, kept.began] == _key(rollout) else None


@dataclass(frozen=True)
class _Document:
    """A saved state as it is stored; ``rollout`` as of ``_key``."""

    __pydantic_config__: ClassVar[ConfigDict] = STORED

    format: Literal["gauntlet.saved-state/1"]
    rollout: tuple[str, str, str, float]
    predictor: dict[str, Any]
    revision: str


_DOCUMENT = TypeAdapter(_Document)


def _kept(text: str) -> SavedRollout:
    try:
        document = _DOCUMENT.validate_json(text)
    except ValueError as error:
        mend = "Run the pipeline rollback: it infers the state before from the InferenceService"
        raise BrokenArtifact(
            "is not the saved state of a rollout", field=SAVED_STATE_KEY, value=first_fault(error), mend=mend
        ) from error
    version, digest, attempt, began = document.rollout
    return SavedRollout((version, digest), attempt, began, SavedState(document.predictor, document.revision))
