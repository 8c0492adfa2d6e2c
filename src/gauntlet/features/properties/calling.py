"""Calling feature code on rows that may be too much for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from gauntlet.errors import DataError, GauntletError

if TYPE_CHECKING:
    import pyarrow as pa


class Features(Protocol):
    """Feature code: rows in, one row of features a row out, in the same order. ``transform.Transform`` is one."""

    @property
    def name(self) -> str:
        """What people call it."""

    @property
    def inputs(self) -> tuple[str, ...] | None:
        """The columns it reads; ``None``: whatever it is given."""

    def __call__(self, rows: pa.Table, /) -> pa.Table:
        """Compute features."""


Compute = Callable[["pa.Table"], "pa.Table"]


@dataclass(frozen=True)
class Failure:
    """Why there are no features for these rows.

    Attributes:
        kind: the name of the exception, as the feature code raised it.
        message: its first line.
        refusal: the code said no (a ``DataError`` or ``ValueError``) instead of breaking.
    """

    kind: str
    message: str
    refusal: bool

    def __str__(self) -> str:
        return f"{self.kind}: {self.message}" if self.message else self.kind


def attempt(features: Compute, rows: pa.Table) -> pa.Table | Failure:
    """The features of rows, or why there are none.

    A ``Transform`` wraps what a team's code raises in a DataError; what counts here is the exception inside.
    """
    try:
        return features(rows)
    except GauntletError as error:
        cause = error.__cause__ or error
        message = str(cause) if isinstance(cause, GauntletError) else _first_line(cause)
        return Failure(type(cause).__name__, message, isinstance(cause, DataError | ValueError))
    except Exception as error:  # whatever a team's code raises on the rows it was given
        return Failure(type(error).__name__, _first_line(error), isinstance(error, ValueError))


def _first_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return lines[0][:200] if lines else ""
