"""One request of the API contract, what has to come back, and what such requests are made of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from gauntlet.serving.acceptance.bodies import Row, encode, predict_path
from gauntlet.serving.acceptance.refusals import MARKS
from gauntlet.serving.contract import InputContract

Wants = Literal["answer", "refusal", "too large", "not found", "ready", "metadata"]


@dataclass(frozen=True)
class Case:
    """One request and what has to come back.

    Attributes:
        group: the check it belongs to.
        name: unique in its group.
        method: GET or POST.
        path: below the server's base.
        body: the bytes, or ``None``.
        wants: ``answer``: status 200 with a prediction a row. ``refusal``: 400 or 422 in JSON, naming ``names``.
            ``too large``: that or 413. ``not found``: 404. ``ready``: 200. ``metadata``: the model's columns.
        rows: rows asked for.
        names: the column or key a refusal has to name; empty for none.
        secrets: what the answer must not repeat.
        same_as: a case of the group whose predictions this one's have to equal.
        identity: the ``id`` a v2 answer has to carry.
    """

    group: str
    name: str
    method: str
    path: str
    body: bytes | None = field(repr=False)
    wants: Wants
    rows: int = 0
    names: str = ""
    secrets: tuple[str, ...] = field(default=(), repr=False)
    same_as: str = ""
    identity: str = ""

    @property
    def protocol(self) -> str:
        """``v1`` or ``v2``."""
        return self.group[:2]

    @property
    def title(self) -> str:
        """As a pattern of ``waive`` matches it."""
        return f"{self.group}/{self.name}"


@dataclass(frozen=True)
class Subject:
    """What is asked about.

    Attributes:
        contract: what the model takes.
        model: its name in paths.
        rows: good rows, at least one; those of the snapshot.
    """

    contract: InputContract
    model: str
    rows: Sequence[Row]


@dataclass(frozen=True)
class Maker:
    """Makes the cases of one protocol.

    Attributes:
        subject: what is asked about.
        protocol: ``v1`` or ``v2``.
    """

    subject: Subject
    protocol: str

    @property
    def contract(self) -> InputContract:
        """What the model takes."""
        return self.subject.contract

    @property
    def row(self) -> Row:
        """A good row."""
        return self.subject.rows[0]

    def predict(self, group: str, name: str, body: bytes, wants: Wants, **more: Any) -> Case:
        """A body sent where predictions are asked for."""
        path = predict_path(self.protocol, self.subject.model)
        return Case(f"{self.protocol}: {group}", name, "POST", path, body, wants, **more)

    def answer(self, group: str, name: str, rows: Sequence[Row], **more: Any) -> Case:
        """Rows that have to be answered."""
        body = encode(self.protocol, self.contract, rows)
        return self.predict(group, name, body, "answer", rows=len(rows), **more)

    def refusal(self, group: str, name: str, body: bytes, names: str = "") -> Case:
        """A body that has to be refused, naming a field."""
        return self.predict(group, name, body, "refusal", names=names, secrets=MARKS)

    def get(self, group: str, name: str, path: str, wants: Wants) -> Case:
        """A look at something else than predictions."""
        return Case(f"{self.protocol}: {group}", name, "GET", path, None, wants)

    def encode(self, rows: Sequence[Row], **more: Any) -> bytes:
        """A whole body of this protocol."""
        return encode(self.protocol, self.contract, rows, **more)
