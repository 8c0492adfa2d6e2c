"""The journal of a rollout: its state, the state of its analysis, and its timeline, written as one document.

One document holds all three, because they must not come apart: evidence without the state it belongs to would be
counted twice, a step without its entry could not be explained later.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, replace
from typing import Annotated, ClassVar, Literal

from pydantic import BeforeValidator, ConfigDict, Field, TypeAdapter

from gauntlet.delivery.rollout.events import Event, event_of
from gauntlet.delivery.rollout.state import STORED, Action, AnalysisRun, Phase, Rollout, first_fault
from gauntlet.errors import DataError, JournalUnreadable

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

    __pydantic_config__: ClassVar[ConfigDict] = STORED

    at: float
    phase: Phase
    weight: int
    action: Action
    sentence: str
    analysis: AnalysisRun | None = None
    power: str = ""
    code: Annotated[Event | None, BeforeValidator(event_of), Field(default=None)] = field(kw_only=True)


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
    def from_json(cls, text: str | bytes, where: str = "journal", service: str = "") -> Journal:
        """Read a stored document back.

        Args:
            text: the document.
            where: it lies, for the error.
            service: whose journal it has to be; any's if empty.

        Raises:
            JournalUnreadable: it is no journal, of a format this version does not know, or of another service.
        """
        try:
            document = _DOCUMENT.validate_json(text)
            rollout = Rollout.from_json(document.rollout)
            if service not in ("", rollout.service):
                raise ValueError(f"it is the journal of {rollout.service}")
            return cls(rollout, document.analysis_state, document.entries)
        except (ValueError, DataError) as error:
            raise journal_unreadable(where, first_fault(error)) from error


@dataclass(frozen=True)
class _Document:
    """The document as it is stored; fields as ``Journal``'s."""

    __pydantic_config__: ClassVar[ConfigDict] = STORED

    format: Literal["gauntlet.journal/1"]
    rollout: str
    analysis_state: str
    entries: tuple[Entry, ...]


_DOCUMENT = TypeAdapter(_Document)


def journal_unreadable(where: str, why: str) -> JournalUnreadable:
    """The error for what lies in a journal's place and is none; the rollback knows a way without it."""
    return JournalUnreadable(
        "is not the journal of a rollout",
        field=where,
        value=why,
        mend="Run the pipeline rollback: it rolls the rollout back by what the service itself shows, keeps this "
        "beside, and begins a new journal. Then look at what else writes it",
    )
