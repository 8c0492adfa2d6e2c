"""What a task was about, read off the records behind its inputs: which model, label, data and split."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gauntlet.digest import short
from gauntlet.lineage.record import Record

SUBJECTS = ("challenger", "predictions", "model", "statistics", "snapshot")
"""Inputs that a task may be about, the first there counts; others (a champion, a history) are what it is held to."""

_IMPORT, _TRAIN, _PREDICT = "import_snapshot", "train_model", "batch_predict"


@dataclass(frozen=True)
class Origin:
    """What a task was about; a part that no record tells is empty.

    Attributes:
        model: the experiment that trained the model.
        model_digest: the model's content.
        label: the column that is predicted.
        data: the files that were read.
        snapshot: the content of the snapshot made of them.
        split: the rows looked at.
    """

    model: str = ""
    model_digest: str = ""
    label: str = ""
    data: tuple[str, ...] = ()
    snapshot: str = ""
    split: str = ""

    @property
    def facts(self) -> tuple[tuple[str, str], ...]:
        """(name, value) of the parts that are known, as a reader sees them."""
        model = " ".join(part for part in (self.model, _brief(self.model_digest)) if part)
        data = " ".join(part for part in (", ".join(self.data), _brief(self.snapshot)) if part)
        known = (("Model", model), ("Label", self.label), ("Data", data), ("Split", self.split))
        return tuple((name, value) for name, value in known if value)


def origin_of(task: Record, chain: Sequence[Record]) -> Origin:
    """Read off what a task was about.

    Args:
        task: its own record.
        chain: the records behind its inputs, in the order they were made.
    """
    subject = next((task.inputs[name] for name in SUBJECTS if name in task.inputs), "")
    behind = [*_upstream(subject, chain), task]
    training = _last(behind, _TRAIN)
    data = _last([record for record in behind if _purpose(record) == "training"], _IMPORT) or _last(behind, _IMPORT)
    predicted = _last(behind, _PREDICT)
    return Origin(
        model=str(training.parameters.get("experiment", "")) if training else "",
        model_digest=training.outputs.get("model", "") if training else "",
        label=str(_mapping(data, "roles").get("label") or ""),
        data=tuple(str(file.get("uri", "?")) for file in data.parameters.get("pinned", ())) if data else (),
        snapshot=data.outputs.get("snapshot", "") if data else "",
        split=str(task.parameters.get("split") or (predicted.parameters.get("split", "") if predicted else "")),
    )


def _upstream(digest: str, chain: Sequence[Record]) -> list[Record]:
    """The records that made an artifact, and those behind them, in the chain's order."""
    wanted, found = {digest}, []
    for record in reversed(chain):
        if wanted & set(record.outputs.values()):
            found.append(record)
            wanted.update(record.inputs.values())
    return found[::-1]


def _last(records: Sequence[Record], component: str) -> Record | None:
    return next((record for record in reversed(records) if record.component == component), None)


def _purpose(record: Record) -> object:
    return record.parameters.get("purpose", "training")


def _mapping(record: Record | None, name: str) -> Mapping[str, Any]:
    value = record.parameters.get(name) if record else None
    return value if isinstance(value, Mapping) else {}


def _brief(digest: str) -> str:
    return f"({short(digest)})" if digest else ""
