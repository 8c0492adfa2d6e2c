"""Calls feature code on rows that it may not be able to handle, and returns failures as values."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from gauntlet.errors import DataError, GauntletError
from gauntlet.features.transform import FIELD, NotFeatures

if TYPE_CHECKING:
    import pyarrow as pa


_LONGEST = 200


class Features(Protocol):
    """Feature code: one row of features per row, in the same order; ``transform.Transform`` is one."""

    @property
    def name(self) -> str:
        """Name for sentences."""

    @property
    def inputs(self) -> tuple[str, ...] | None:
        """The columns it reads; ``None``: all."""

    def __call__(self, rows: pa.Table, /) -> pa.Table:
        """Compute the features of rows."""


Compute = Callable[["pa.Table"], "pa.Table"]


@dataclass(frozen=True)
class Failure:
    """Failure of feature code on some rows.

    Attributes:
        message: type and message of the exception: ``KeyError: 'mars'``.
        refusal: the code raised a ``DataError`` or ``ValueError``, a deliberate refusal.
    """

    message: str
    refusal: bool

    def __str__(self) -> str:
        return self.message


def attempt(features: Compute, rows: pa.Table) -> pa.Table | Failure:
    """Compute the features of rows, or return the failure.

    A ``Transform`` wraps what a team's code raises in a DataError; what counts here is the exception inside.
    """
    try:
        return features(rows)
    except NotFeatures as error:
        return Failure(_message(error), False)
    except GauntletError as error:
        cause = error.__cause__ or error
        return Failure(_message(cause), isinstance(cause, DataError | ValueError))
    except Exception as error:  # whatever a team's code raises on the rows it was given
        return Failure(_message(error), isinstance(error, ValueError))


def _message(error: BaseException) -> str:
    if isinstance(error, GauntletError):
        return f"{error.field}: {error.message}" if error.field not in (None, FIELD) else error.message
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0][:_LONGEST]}" if lines else type(error).__name__
