"""One shape for what every gate found, and one rule for deciding from an interval.

A gate *measures*; its verdict says what it found and how sure it is. Enforcement (``gauntlet.registry.enforcement``)
decides what to do about it. ``decide`` is the only place where a measurement is compared with a bound.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from gauntlet.errors import BrokenArtifact
from gauntlet.storage import write_json

FORMAT = "gauntlet.verdict/1"
COLLECTED = "gauntlet.verdicts/1"
CODE = re.compile(r"[a-z][a-z0-9_-]*(\.[a-z_]+)+")
"""What a check's code looks like: the gate's name (a team's own may hold digits), then what kind of finding it is."""
WITHOUT_CODE = "unknown"
"""Kind of the checks in verdicts that were written before every check had a code."""


class Status(StrEnum):
    """What a gate can say."""

    NOT_ASKED = "not_asked"
    """Nothing was looked at, because nothing was asked for or nothing is there yet. Neither good nor bad."""
    PASS = "pass"  # noqa: S105 - a verdict, not a password
    """The absence of harm beyond the tolerance is shown at the confidence asked for."""
    FAIL = "fail"
    """Harm beyond the tolerance is shown at the confidence asked for."""
    INCONCLUSIVE = "inconclusive"
    """The data can show neither; ``rows_needed`` says how much would."""
    ERROR = "error"
    """What was asked could not be checked. Never a pass."""

    @property
    def severity(self) -> int:
        """How bad it is: not asked 0, pass 1, inconclusive 2, fail 3, error 4."""
        return _BY_SEVERITY.index(self)

    @property
    def is_clear(self) -> bool:
        """Whether it asks nothing of a reader: passed, or not asked."""
        return self in (Status.PASS, Status.NOT_ASKED)

    @property
    def words(self) -> str:
        """As people read it: ``not asked``."""
        return self.value.replace("_", " ")


_FLAGS = ("advisory", "proof")
"""Fields of a check that are written where they are true."""
_BY_SEVERITY = (Status.NOT_ASKED, Status.PASS, Status.INCONCLUSIVE, Status.FAIL, Status.ERROR)


def worst(statuses: Iterable[Status]) -> Status:
    """The most severe of the statuses: error, then fail, then inconclusive. Nothing checked is an error."""
    return max(statuses, key=lambda status: status.severity, default=Status.ERROR)


@dataclass(frozen=True)
class Check:
    """One comparison a gate made.

    Attributes:
        name: what was checked, unique within its gate: ``auc``, ``sex=Female: demographic_parity``.
        status: the outcome.
        reason: one sentence a product manager understands, with the numbers in it.
        measured: the value found, in the metric's own units; ``None`` when there is none.
        interval: its confidence interval (low, high), simultaneous where the gate makes many checks.
        bound: the limit it was held against.
        direction: ``"min"`` if the value must be at least the bound, ``"max"`` if at most.
        sample_size: rows (or clusters, where rows are clustered) the value rests on.
        rows_needed: about how many would decide it; only when inconclusive.
        advisory: nobody asked for it: it is reported and, whatever its status, stops nothing.
        proof: it asks for proof: what the rows can neither show nor rule out stops a run too.
        code: what kind of finding it is, for programs: the gate, then the kind, ``check_features.redefined``. Names and
            sentences may be edited freely, codes not; ``docs/codes.md`` lists them.
        subject: what it is about, as the user calls it: a column, a slice, a case, a metric; empty for a whole.

    Raises:
        ValueError: the code is none.
    """

    name: str
    status: Status
    reason: str
    measured: float | None = None
    interval: tuple[float, float] | None = None
    bound: float | None = None
    direction: str | None = None
    sample_size: int | None = None
    rows_needed: int | None = None
    advisory: bool = field(default=False, kw_only=True)
    proof: bool = field(default=False, kw_only=True)
    code: str = field(kw_only=True)
    subject: str = field(default="", kw_only=True)

    def __post_init__(self) -> None:
        if not CODE.fullmatch(self.code):
            raise ValueError(f"the code of a check is a gate and a kind, gate.kind, not {self.code!r}")


@dataclass(frozen=True)
class Verdict:
    """What a gate found.

    Attributes:
        gate: the gate's name, e.g. ``evaluate_slices``.
        checks: every comparison made, in the order a reader wants them.
        summary: one sentence for the console and the run page.
        facts: scalars worth keeping with it (row counts, confidence, digests).
        status: the worst of its checks.

    Raises:
        ValueError: a check's code is another gate's.
    """

    gate: str
    checks: tuple[Check, ...]
    summary: str
    facts: Mapping[str, str | int | float | bool] = field(default_factory=dict)

    def __post_init__(self) -> None:
        foreign = [check.code for check in self.checks if not check.code.startswith(f"{self.gate}.")]
        if foreign:
            raise ValueError(f"{self.gate} gives no check with the code {foreign[0]!r}")

    @property
    def status(self) -> Status:
        """The worst status of all checks; ``error`` when there was nothing to check."""
        return worst(check.status for check in self.checks)

    @property
    def enforceable(self) -> Status:
        """The worst status of the checks that somebody asked for; ``not_asked`` when all are advisory."""
        asked = [check.status for check in self.checks if not check.advisory]
        return worst(asked) if asked or not self.checks else Status.NOT_ASKED

    @property
    def lacks_proof(self) -> bool:
        """Whether a check that asks for proof could not tell."""
        return any(check.proof and check.status is Status.INCONCLUSIVE for check in self.checks if not check.advisory)

    @property
    def worst_first(self) -> tuple[Check, ...]:
        """The checks by severity, those of one severity in their order."""
        return tuple(sorted(self.checks, key=lambda check: -check.status.severity))

    def with_status(self, status: Status) -> tuple[Check, ...]:
        """The checks that ended in ``status``."""
        return tuple(check for check in self.checks if check.status is status)

    def to_json(self) -> dict[str, Any]:
        """The form on disk. Values that are not finite become ``null``."""
        checks = [{**_finite(asdict(check)), "status": check.status.value} for check in self.checks]
        checks = [{key: value for key, value in check.items() if value or key not in _FLAGS} for check in checks]
        return {
            "format": FORMAT,
            "gate": self.gate,
            "status": self.status.value,
            "summary": self.summary,
            "checks": checks,
            "facts": _finite(dict(self.facts)),
        }

    def write(self, path: Path) -> None:
        """Write the verdict as JSON, whole or not at all."""
        write_json(path, self.to_json())

    @classmethod
    def read(cls, path: Path) -> Verdict:
        """Read a verdict back.

        Raises:
            DataError: the file is not a verdict, or its status contradicts its checks.
        """
        try:
            return cls.of_json(json.loads(path.read_text()))
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise BrokenArtifact(
                "is not a verdict", field=path.name, value=str(error), mend="Run the gate again"
            ) from error

    @classmethod
    def of_json(cls, document: Mapping[str, Any]) -> Verdict:
        """A verdict from its form on disk.

        Raises:
            ValueError, KeyError, TypeError: it is none, or its status contradicts its checks.
        """
        gate = document["gate"]
        checks = tuple(_check_of_json(check, gate) for check in document["checks"])
        verdict = cls(gate, checks, document["summary"], document["facts"])
        if document["format"] != FORMAT or document["status"] != verdict.status.value:
            raise ValueError(f"format {document['format']!r}, status {document['status']!r}")
        return verdict


def write_verdicts(path: Path, verdicts: Sequence[Verdict]) -> None:
    """Write several gates' verdicts as one file, whole or not at all."""
    write_json(path, {"format": COLLECTED, "verdicts": [verdict.to_json() for verdict in verdicts]})


def read_verdicts(path: Path) -> tuple[Verdict, ...]:
    """Read what ``write_verdicts`` wrote, or one gate's verdict.

    Raises:
        DataError: the file is neither, or a status contradicts its checks.
    """
    try:
        document = json.loads(path.read_text())
        listed = document["verdicts"] if document["format"] == COLLECTED else [document]
        return tuple(Verdict.of_json(one) for one in listed)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BrokenArtifact(
            "is not a verdict", field=path.name, value=str(error), mend="Run the gate again"
        ) from error


def decide(interval: tuple[float, float], *, bound: float, direction: str, strict: bool = False) -> Status:
    """Hold an interval against a bound: FAIL and PASS need the whole interval on one side of it.

    Args:
        interval: (low, high) confidence interval of the measured quantity.
        bound: the limit, same units.
        direction: ``"min"``: the quantity must be at least the bound; ``"max"``: at most.
        strict: the quantity must be beyond the bound: better than it, not as good.

    Returns:
        ``PASS``, ``FAIL``, or ``INCONCLUSIVE`` when the bound lies inside. A bound that equals an end counts as kept,
        unless ``strict``.
        An interval with a NaN end is ``ERROR``.
    """
    low, high = interval
    if math.isnan(low) or math.isnan(high) or math.isnan(bound):
        return Status.ERROR
    if direction == "max":
        low, high, bound = -high, -low, -bound
    elif direction != "min":
        raise ValueError(f"direction is 'min' or 'max', not {direction!r}")
    if strict:
        return Status.PASS if low > bound else Status.FAIL if high <= bound else Status.INCONCLUSIVE
    if low >= bound:
        return Status.PASS
    return Status.FAIL if high < bound else Status.INCONCLUSIVE


def _finite(values: dict[str, Any]) -> dict[str, Any]:
    def clean(value: Any) -> Any:
        if isinstance(value, float):
            return value if math.isfinite(value) else None
        return [clean(part) for part in value] if isinstance(value, tuple) else value

    return {key: clean(value) for key, value in values.items()}


def _check_of_json(document: Mapping[str, Any], gate: str) -> Check:
    """A check from its form on disk. Versions before 0.2 gave some checks no code."""
    status, interval = Status(document["status"]), _pair(document.get("interval"))
    code = document.get("code") or f"{gate}.{WITHOUT_CODE}"
    return Check(**{**document, "status": status, "interval": interval, "code": code})


def _pair(value: list[float | None] | None) -> tuple[float, float] | None:
    if value is None:
        return None
    low, high = value
    return (-math.inf if low is None else low, math.inf if high is None else high)
