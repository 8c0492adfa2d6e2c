"""Changes that a rule makes to rows: the nine kinds of a behavior file.

    change:
      - add: {column: late_payments, by: 1, max: 12}
      - case: {column: region, to: upper}

A change keeps a column's type, and neither makes values missing nor fills them, except ``set`` and ``swap``.
"""

from __future__ import annotations

import math
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, ConfigDict, Field, model_validator

from gauntlet.settings import Settings

Value = str | int | float | bool | None
Kind = Literal["any", "number", "text"]


def _cell(value: Any) -> Any:
    """Validate a table value: of a type that both YAML and snapshots have."""
    if value is not None and not isinstance(value, str | int | float):
        raise ValueError("must be one value: text, a number, true, false or null")
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError("has no place in a snapshot; null is a missing value")
    return value


Cell = Annotated[Value, BeforeValidator(_cell)]
Number = Annotated[float, Field(strict=True, allow_inf_nan=False)]
"""A number, not text and not a boolean."""

_COLUMN = Field(description="The column.")


class Step(Settings):
    """Base of all changes.

    ``works_on``: the kind of columns that it can change.
    """

    works_on: ClassVar[Kind] = "any"

    @property
    def changed(self) -> tuple[str, ...]:
        """The columns it changes."""
        raise NotImplementedError

    @property
    def read(self) -> tuple[str, ...]:
        """The columns of the snapshot that it reads, beside those it changes."""
        return ()


class _OneColumn(Step):
    column: str = _COLUMN

    @property
    def changed(self) -> tuple[str, ...]:
        """The columns it changes."""
        return (self.column,)


class _Bounded(_OneColumn):
    """A number that moves, and may be held within a range: a value beyond it already stays where it is."""

    works_on: ClassVar[Kind] = "number"
    min: Number | None = Field(None, description="The new value is not below this.")
    max: Number | None = Field(None, description="The new value is not above this.")

    @model_validator(mode="after")
    def _ordered(self) -> _Bounded:
        if self.min is not None and self.max is not None and self.min > self.max:
            raise ValueError(f"min {self.min:g} is above max {self.max:g}")
        return self


class SetTo(_OneColumn):
    """Give every row the same value."""

    to: Cell = Field(description="The value; null makes it missing.")


class Swap(Step):
    """Exchange two columns of a row, or one column between pairs of rows drawn at random."""

    columns: tuple[str, str] | None = Field(None, description="Two columns of one type, exchanged in every row.")
    column: str | None = Field(None, description="One column, exchanged between rows in pairs.")

    @model_validator(mode="after")
    def _one_of_two(self) -> Swap:
        if (self.columns is None) == (self.column is None):
            raise ValueError("give columns (two of them, exchanged in a row) or column (exchanged between rows)")
        if self.columns is not None and self.columns[0] == self.columns[1]:
            raise ValueError(f"columns names {self.columns[0]!r} twice, so nothing would change")
        return self

    @property
    def changed(self) -> tuple[str, ...]:
        """The columns it changes."""
        return self.columns if self.columns is not None else (str(self.column),)


class Add(_Bounded):
    """Add a number."""

    by: Number = Field(description="What is added, in the column's units; not zero.")

    @model_validator(mode="after")
    def _moves(self) -> Add:
        if self.by == 0:
            raise ValueError("by is 0, so nothing would change")
        return self


class Scale(_Bounded):
    """Multiply by a number; an integer column is rounded to the nearest."""

    by: Number = Field(description="The factor; not one.")

    @model_validator(mode="after")
    def _moves(self) -> Scale:
        if self.by == 1:
            raise ValueError("by is 1, so nothing would change")
        return self


class Noise(_Bounded):
    """Add normal noise; an integer column is rounded to the nearest."""

    sd: Number | None = Field(None, gt=0, description="Standard deviation, in the column's units.")
    share: Number | None = Field(None, gt=0, description="Or as a share of each value: 0.01 = 1 %.")

    @model_validator(mode="after")
    def _one_of_two(self) -> Noise:
        if (self.sd is None) == (self.share is None):
            raise ValueError("give sd (in the column's units) or share (of each value)")
        return self


class Shuffle(Step):
    """Deal a column's values out anew among the rows that match; several columns travel together."""

    columns: tuple[str, ...] = Field(min_length=1, description="The columns; their values in a row stay together.")
    within: tuple[str, ...] = Field((), description="Only among rows that are equal in these columns.")

    @model_validator(mode="after")
    def _apart(self) -> Shuffle:
        if len(set(self.columns)) < len(self.columns):
            raise ValueError("columns names a column twice")
        if both := set(self.columns) & set(self.within):
            raise ValueError(f"{min(both)!r} is shuffled within itself, so nothing would change")
        return self

    @property
    def changed(self) -> tuple[str, ...]:
        """The columns it changes."""
        return self.columns

    @property
    def read(self) -> tuple[str, ...]:
        """The columns that make the groups."""
        return self.within


class Case(_OneColumn):
    """Write text in another case."""

    works_on: ClassVar[Kind] = "text"
    to: Literal["upper", "lower", "title", "swap"] = Field(description="Which case.")


class Whitespace(_OneColumn):
    """Add spaces to text."""

    works_on: ClassVar[Kind] = "text"
    add: Literal["leading", "trailing", "around", "doubled"] = Field(
        "around", description="Where a space is added; doubled: each space inside becomes two."
    )


class Typo(_OneColumn):
    """Slips of the keyboard: two letters exchanged, one left out, one struck twice, or a wrong one."""

    works_on: ClassVar[Kind] = "text"
    slips: int = Field(1, strict=True, ge=1, le=10, description="How many a value.")


class Change(Settings):
    """One change; exactly one of the keys."""

    model_config = ConfigDict(json_schema_extra={"minProperties": 1, "maxProperties": 1})

    set: SetTo | None = Field(None, description="Give every row the same value.")
    swap: Swap | None = Field(None, description="Exchange two columns, or one column between rows.")
    add: Add | None = Field(None, description="Add a number.")
    scale: Scale | None = Field(None, description="Multiply by a number.")
    noise: Noise | None = Field(None, description="Add normal noise.")
    shuffle: Shuffle | None = Field(None, description="Deal values out anew among rows.")
    case: Case | None = Field(None, description="Write text in another case.")
    whitespace: Whitespace | None = Field(None, description="Add spaces to text.")
    typo: Typo | None = Field(None, description="Make slips of the keyboard.")

    @model_validator(mode="after")
    def _exactly_one(self) -> Change:
        keys = [name for name in type(self).model_fields if getattr(self, name) is not None]
        if len(keys) != 1:
            raise ValueError(
                f"says {' and '.join(keys)} at once; write each as an item of its own"
                if keys
                else f"names no change; use one of {', '.join(type(self).model_fields)}"
            )
        return self

    @property
    def kind(self) -> str:
        """Its key: ``add``."""
        return next(name for name in type(self).model_fields if getattr(self, name) is not None)

    @property
    def step(self) -> Step:
        """The change itself."""
        step: Step = getattr(self, self.kind)
        return step
