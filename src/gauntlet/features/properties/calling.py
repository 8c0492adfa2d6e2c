"""Calling feature code on rows that may be too much for it."""

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
        message: what was said: ``KeyError: 'mars'``.
        refusal: the code said no (a ``DataError`` or ``ValueError``) instead of breaking.
    """

    message: str
    refusal: bool

    def __str__(self) -> str:
        return self.message


def attempt(features: Compute, rows: pa.Table) -> pa.Table | Failure:
    """The features of rows, or why there are none.

    A ``Transform`` wraps what a team's code raises in a DataError; what counts here is the exception inside.
    """
    try:
        return features(rows)
    except NotFeatures as error:
        return Failure(_said(error), False)
    except GauntletError as error:
        cause = error.__cause__ or error
        return Failure(_said(cause), isinstance(cause, DataError | ValueError))
    except Exception as error:  # whatever a team's code raises on the rows it was given
        return Failure(_said(error), isinstance(error, ValueError))


def _said(error: BaseException) -> str:
    if isinstance(error, GauntletError):
        return f"{error.field}: {error.message}" if error.field not in (None, FIELD) else error.message
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0][:_LONGEST]}" if lines else type(error).__name__
