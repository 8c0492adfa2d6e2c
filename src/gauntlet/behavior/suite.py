"""Models of the behavior file.

    golden:        known cases that must keep their answer; one wrong answer fails
    invariance:    changes that must not matter
    directional:   changes whose sign is known

Invariance and directional rules limit rates: the exact upper bound of the share of rows that break a rule must be
within ``max_failures``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from gauntlet.behavior.changes import Cell, Change, Number
from gauntlet.data.objects.schemes import BUCKET_ADDRESSES
from gauntlet.settings import Settings


def _class_name(value: Any) -> Any:
    if value is not None and not isinstance(value, str | int):
        raise ValueError("must be the name of a class: text, a whole number, true or false")
    return value


ClassName = Annotated[str | int | bool, BeforeValidator(_class_name)]
Direction = Literal["increases", "decreases", "not_increases", "not_decreases"]

_NAME = Field(min_length=1, max_length=120, description="A sentence or a few words; unique in the file.")
_WHY = Field("", max_length=500, description="Why it must hold, for readers of the report.")
_OF = Field(None, description="Multiclass: the class whose probability is meant.")
_RATE = Field(
    None, gt=0, lt=1, description="Largest share of rows that may break the rule. Default: the policy's max_failures."
)
_WHERE = Field(None, min_length=1, description="Which rows of the split: \"income > 2000 and purpose == 'car'\".")


class BulkRows(Settings):
    """Rows kept in a Parquet file."""

    uri: str = Field(
        min_length=1, description=f"The file: a path from the behavior file's folder, or {BUCKET_ADDRESSES}."
    )
    sha256: str = Field(
        pattern="^(sha256:)?[0-9a-f]{64}$", description="SHA-256 of its bytes; another content is an error."
    )

    @property
    def digest(self) -> str:
        """``sha256:…``."""
        return "sha256:" + self.sha256.removeprefix("sha256:")


class ScoreExpectation(Settings):
    """Range of a score, both ends included."""

    min: Number | None = Field(None, description="It is at least this.")
    max: Number | None = Field(None, description="It is at most this.")
    column: str | None = Field(None, description="Bulk rows: the column that holds each row's score.")
    tolerance: Number | None = Field(None, ge=0, description="How far from column's value it may be.")
    of: str | None = _OF

    @model_validator(mode="after")
    def _says_something(self) -> ScoreExpectation:
        if self.min is None and self.max is None and self.column is None:
            raise ValueError("expects nothing: give min, max, or column with tolerance")
        if self.min is not None and self.max is not None and self.min > self.max:
            raise ValueError(f"min {self.min:g} is above max {self.max:g}, so no score could be right")
        if (self.column is None) != (self.tolerance is None):
            raise ValueError("column and tolerance go together")
        return self


class GoldenExpectation(Settings):
    """The answer that a known case must keep."""

    score: ScoreExpectation | None = Field(None, description="Where the score has to lie.")
    class_: ClassName | None = Field(None, alias="class", description="The class that is decided for.")
    class_column: str | None = Field(None, description="Bulk rows: the column that holds each row's class.")

    @model_validator(mode="after")
    def _says_something(self) -> GoldenExpectation:
        if self.score is None and self.class_ is None and self.class_column is None:
            raise ValueError("expects nothing: give score, class or class_column")
        if self.class_ is not None and self.class_column is not None:
            raise ValueError("gives class and class_column; keep one")
        return self

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns of bulk rows that hold expected answers."""
        named = (self.class_column, self.score.column if self.score else None)
        return tuple(name for name in named if name is not None)


class Golden(Settings):
    """A known case, or a file of them."""

    name: str = _NAME
    why: str = _WHY
    row: Mapping[str, Cell] | None = Field(None, min_length=1, description="Column → value; null is a missing value.")
    rows: BulkRows | None = Field(None, description="Many cases, in a Parquet file.")
    fill: Literal["example"] | None = Field(
        None, description="Where columns that are not given come from: the model's own input example."
    )
    expect: GoldenExpectation

    @model_validator(mode="after")
    def _one_of_two(self) -> Golden:
        if (self.row is None) == (self.rows is None):
            raise ValueError("give row (one case) or rows (a Parquet file of them)")
        if self.row is not None and self.expect.columns:
            raise ValueError("expects what a column holds, and gives a single row; write the answer itself")
        return self


class Stability(Settings):
    """Limits on the change of an answer."""

    max_change: Number | None = Field(
        None,
        ge=0,
        allow_inf_nan=False,
        description="Largest change of the score; multiclass: of any class's probability.",
    )
    same_decision: bool = Field(False, strict=True, description="The decision must stay the same.")

    @model_validator(mode="after")
    def _says_something(self) -> Stability:
        if self.max_change is None and not self.same_decision:
            raise ValueError("expects nothing: give max_change or same_decision: true")
        return self


class Sign(Settings):
    """Required direction of a score's change."""

    score: Direction = Field(
        description="increases and decreases ask for a move; not_increases and not_decreases bar one."
    )
    by: Number | None = Field(None, ge=0, description="increases, decreases: by more than this. Default 0.")
    tolerance: Number | None = Field(
        None,
        ge=0,
        allow_inf_nan=False,
        description="not_increases, not_decreases: a move up to this is none. Default 0.",
    )
    of: str | None = _OF

    @model_validator(mode="after")
    def _fits(self) -> Sign:
        barred = self.score.startswith("not_")
        if barred and self.by is not None:
            raise ValueError(f"by goes with increases and decreases; {self.score} takes tolerance")
        if not barred and self.tolerance is not None:
            raise ValueError(f"tolerance goes with not_increases and not_decreases; {self.score} takes by")
        return self

    @property
    def allowed(self) -> tuple[float, float, bool]:
        """(low, high, open): changes of the score that keep the rule; ``open``: the finite end itself breaks it."""
        infinite = float("inf")
        match self.score:
            case "increases":
                return (self.by or 0.0, infinite, True)
            case "decreases":
                return (-infinite, -(self.by or 0.0), True)
            case "not_increases":
                return (-infinite, self.tolerance or 0.0, False)
            case "not_decreases":
                return (-(self.tolerance or 0.0), infinite, False)


class Rule(Settings):
    """Rows, what is done to them, and the share that may answer wrongly."""

    name: str = _NAME
    why: str = _WHY
    where: str | None = _WHERE
    rows: BulkRows | None = Field(None, description="Rows from a Parquet file in place of the snapshot's.")
    change: tuple[Change, ...] = Field(min_length=1, description="What is done to each row, one after the other.")
    max_failures: Number | None = _RATE

    @property
    def changed(self) -> tuple[str, ...]:
        """Every column that is changed, in order."""
        return tuple(dict.fromkeys(name for change in self.change for name in change.step.changed))

    @property
    def touched(self) -> tuple[str, ...]:
        """Every column that a change reads or changes, in order."""
        named = ((*change.step.changed, *change.step.read) for change in self.change)
        return tuple(dict.fromkeys(name for names in named for name in names))


class Invariance(Rule):
    """A change that must not matter."""

    expect: Stability


class Directional(Rule):
    """A change whose sign is known."""

    expect: Sign


class Suite(Settings):
    """Behavior tests of a model: golden cases, invariance and directional rules."""

    golden: tuple[Golden, ...] = Field((), description="Known cases that must keep their answer; one wrong fails.")
    invariance: tuple[Invariance, ...] = Field((), description="Changes that must not matter.")
    directional: tuple[Directional, ...] = Field((), description="Changes whose sign is known.")

    @model_validator(mode="after")
    def _asks_something(self) -> Suite:
        if not (self.golden or self.invariance or self.directional):
            raise ValueError("asks nothing: write at least one of golden, invariance, directional")
        return self

    @property
    def rules(self) -> tuple[tuple[str, Invariance | Directional], ...]:
        """(path in the file, rule), in order."""
        groups: Mapping[str, tuple[Any, ...]] = {"invariance": self.invariance, "directional": self.directional}
        return tuple(
            (f"suite.{key}.{index}", rule) for key, every in groups.items() for index, rule in enumerate(every)
        )

    @property
    def cases(self) -> tuple[tuple[str, Golden], ...]:
        """(path in the file, golden entry), in order."""
        return tuple((f"suite.golden.{index}", case) for index, case in enumerate(self.golden))
