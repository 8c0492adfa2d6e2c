"""What a service was before its rollout: kept beside the journal, and written before the first change.

It also fences: an action begins by reading the journal's ConfigMap, and one that was decided from a state that is no
longer the journal's is not carried out. Whoever was suspended between deciding and acting finds that others went on.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gauntlet.delivery.conductor import Conflict
from gauntlet.delivery.journal import Journal
from gauntlet.delivery.rollout import Rollout
from gauntlet.delivery.targets.kserve.api import Api, Json
from gauntlet.delivery.targets.kserve.resources import CONFIG_MAPS, record_name, split
from gauntlet.errors import DataError

FORMAT = "gauntlet.before/1"
JOURNAL_KEY, BEFORE_KEY = "journal", "before"


@dataclass(frozen=True)
class Before:
    """What to go back to.

    Attributes:
        predictor: ``spec.predictor`` as it was, without a share of traffic.
        revision: Knative mode: the revision that had all requests when the candidate was deployed; empty until then.
    """

    predictor: Mapping[str, Any]
    revision: str = ""


class Record:
    """The ConfigMap of a service's rollout, as its target sees it. ``DependencyError`` when it cannot be read."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def before(self, rollout: Rollout) -> Before | None:
        """What was there before this rollout; ``None`` as long as nothing was changed by it."""
        return _before(self._read(rollout), rollout)

    def before_acting(self, rollout: Rollout) -> Before | None:
        """The same, for an action.

        Raises:
            Conflict: the journal has gone on from this state.
        """
        document = self._read(rollout)
        _fence(document, rollout)
        return _before(document, rollout)

    def keep(self, rollout: Rollout, before: Before) -> None:
        """Write it down.

        Raises:
            Conflict: the journal has gone on, or is written at this moment.
        """
        document = self._read(rollout)
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
        self._api.patch(CONFIG_MAPS, namespace, record_name(name), version, {"data": {BEFORE_KEY: text}})

    def _read(self, rollout: Rollout) -> Json:
        namespace, name = split(rollout.service)
        return self._api.get(CONFIG_MAPS, namespace, record_name(name)) or {}


def _key(rollout: Rollout) -> list[Any]:
    return [rollout.candidate.version, rollout.candidate.digest, rollout.attempt, rollout.began]


def _fence(document: Json, rollout: Rollout) -> None:
    text = (document.get("data") or {}).get(JOURNAL_KEY)
    if text is None or Journal.from_json(text).rollout != rollout:
        raise Conflict(f"the journal of {rollout.service} is no longer at the state this action was decided from")


def _before(document: Json, rollout: Rollout) -> Before | None:
    text = (document.get("data") or {}).get(BEFORE_KEY)
    if text is None:
        return None
    try:
        found = json.loads(text)
        if found["format"] != FORMAT:
            raise ValueError(f"format {found['format']!r}")
        before = Before(dict(found["predictor"]), str(found["revision"]))
        return before if found["rollout"] == _key(rollout) else None
    except (ValueError, KeyError, TypeError) as error:
        mend = "Look at what else writes it; the InferenceService is brought back by hand"
        raise DataError("is not what a rollout wrote", field=BEFORE_KEY, value=str(error), mend=mend) from error
