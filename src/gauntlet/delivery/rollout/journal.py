"""The journal of a rollout: its state, the state of its analysis, and its timeline, written as one document.

One document holds all three, because they must not come apart: evidence without the state it belongs to would be
counted twice, a step without its entry could not be explained later.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from gauntlet.delivery.rollout.events import Event, event_of
from gauntlet.delivery.rollout.state import Action, AnalysisRun, Metric, Phase, Rollout
from gauntlet.errors import DataError, JournalUnreadable
from gauntlet.verdict import Status

FORMAT = "gauntlet.journal/1"
MOST_ENTRIES = 400
"""Entries kept. A cluster's store takes 1 MiB a document; beyond this, entries of the older half are thinned."""


@dataclass(frozen=True)
class Entry:
    """One line of the timeline.

    Attributes:
        at: seconds since the epoch.
        phase: where the rollout stood afterwards.
        weight: percent of requests the candidate was meant to have afterwards.
        action: the action carried out.
        sentence: what happened and why, for people.
        analysis: the new analysis, if there was one.
        power: what the analysis would detect, in the entry that precedes the candidate's first request; else empty.
        code: what happened, for programs; ``None`` in journals of versions before 0.2, which had none.
    """

    at: float
    phase: Phase
    weight: int
    action: Action
    sentence: str
    analysis: AnalysisRun | None = None
    power: str = ""
    code: Event | None = field(kw_only=True)


@dataclass(frozen=True)
class Journal:
    """The record of a rollout: its state, the state of its analysis, its timeline.

    Attributes:
        rollout: its state.
        analysis_state: the state of the analysis, JSON; empty before the first one.
        entries: its timeline, oldest first.
    """

    rollout: Rollout
    analysis_state: str = ""
    entries: tuple[Entry, ...] = ()

    def with_entry(self, entry: Entry) -> Journal:
        """Append an entry.

        When the timeline is too long, every second entry of its older half that changed neither phase nor weight is
        dropped.
        """
        entries = (*self.entries, entry)
        if len(entries) > MOST_ENTRIES:
            half = len(entries) // 2
            kept = [
                entry
                for index, (before, entry) in enumerate(zip((None, *entries[: half - 1]), entries[:half], strict=True))
                if index % 2 == 0 or before is None or (before.phase, before.weight) != (entry.phase, entry.weight)
            ]
            entries = (*kept, *entries[half:])
        return replace(self, entries=entries)

    def to_json(self) -> str:
        """The document as it is stored."""
        entries = [asdict(entry) for entry in self.entries]
        document = {
            "format": FORMAT,
            "rollout": self.rollout.to_json(),
            "analysis_state": self.analysis_state,
            "entries": entries,
        }
        return json.dumps(document, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str, where: str = "journal") -> Journal:
        """Read a stored document back.

        Args:
            text: the document.
            where: it lies, for the error.

        Raises:
            JournalUnreadable: it is no journal, or of a format this version does not know.
        """
        try:
            document = json.loads(text)
            if document["format"] != FORMAT:
                raise ValueError(f"format {document['format']!r}")
            entries = tuple(_entry(entry) for entry in document["entries"])
            return cls(Rollout.from_json(document["rollout"]), str(document["analysis_state"]), entries)
        except (ValueError, KeyError, TypeError, DataError) as error:
            mend = (
                "Run the pipeline rollback: it rolls the rollout back by what the service itself shows, keeps this "
                "beside, and begins a new journal. Then look at what else writes it"
            )
            raise JournalUnreadable(
                "is not the journal of a rollout", field=where, value=str(error), mend=mend
            ) from error


def _entry(document: Mapping[str, Any]) -> Entry:
    analysis = document["analysis"]
    return Entry(
        **{
            **document,
            "phase": Phase(document["phase"]),
            "action": Action(document["action"]),
            "code": event_of(document.get("code")),
            "analysis": None if analysis is None else _analysis_run(analysis),
        }
    )


def _analysis_run(document: Mapping[str, Any]) -> AnalysisRun:
    metrics = tuple(
        Metric(**{**metric, **_pairs(metric, "canary", "stable"), "status": Status(metric["status"])})
        for metric in document["metrics"]
    )
    return AnalysisRun(
        **{**document, **_pairs(document, "answered"), "status": Status(document["status"]), "metrics": metrics}
    )


def _pairs(document: Mapping[str, Any], *names: str) -> dict[str, tuple[float, float] | None]:
    """JSON's lists as the pairs they were."""
    pairs = {name: document[name] for name in names}
    return {name: None if pair is None else (float(pair[0]), float(pair[1])) for name, pair in pairs.items()}
