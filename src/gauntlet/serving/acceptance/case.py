"""Cases of the API contract: requests with their expected responses."""

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
    """Request with its expected response.

    Attributes:
        group: the check it belongs to.
        name: unique in its group.
        method: GET or POST.
        path: below the server's base.
        body: the bytes, or ``None``.
        wants: ``answer``: status 200 with a prediction a row. ``refusal``: 400 or 422 in JSON, naming ``names``.
            ``too large``: that or 413. ``not found``: 404. ``ready``: 200. ``metadata``: the model's columns.
        rows: rows requested.
        names: column or key that a refusal must name; empty for none.
        secrets: strings that the response must not repeat.
        same_as: case of the group with equal predictions.
        identity: the ``id`` that a v2 response must have.
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
        """Title that patterns of ``waive`` match."""
        return f"{self.group}/{self.name}"


@dataclass(frozen=True)
class ServedModel:
    """Model as it is served.

    Attributes:
        contract: its input contract.
        model: its name in paths.
        rows: valid rows of the snapshot, at least one.
    """

    contract: InputContract
    model: str
    rows: Sequence[Row]


@dataclass(frozen=True)
class Maker:
    """Makes the cases of one protocol.

    Attributes:
        subject: the served model.
        protocol: ``v1`` or ``v2``.
    """

    subject: ServedModel
    protocol: str

    @property
    def contract(self) -> InputContract:
        """Input contract of the model."""
        return self.subject.contract

    @property
    def row(self) -> Row:
        """A valid row."""
        return self.subject.rows[0]

    def predict(self, group: str, name: str, body: bytes, wants: Wants, **more: Any) -> Case:
        """Make a prediction request with a body."""
        path = predict_path(self.protocol, self.subject.model)
        return Case(f"{self.protocol}: {group}", name, "POST", path, body, wants, **more)

    def answer(self, group: str, name: str, rows: Sequence[Row], **more: Any) -> Case:
        """Make a case that must be answered."""
        body = encode(self.protocol, self.contract, rows)
        return self.predict(group, name, body, "answer", rows=len(rows), **more)

    def refusal(self, group: str, name: str, body: bytes, names: str = "") -> Case:
        """Make a case that must be refused, naming a field."""
        return self.predict(group, name, body, "refusal", names=names, secrets=MARKS)

    def get(self, group: str, name: str, path: str, wants: Wants) -> Case:
        """Make a GET case."""
        return Case(f"{self.protocol}: {group}", name, "GET", path, None, wants)

    def encode(self, rows: Sequence[Row], **more: Any) -> bytes:
        """Encode a request body of this protocol."""
        return encode(self.protocol, self.contract, rows, **more)
