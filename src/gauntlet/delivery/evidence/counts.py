"""Counts of one interval: hits among requests, of the canary and of stable."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields

from gauntlet.errors import DataError


@dataclass(frozen=True)
class Counts:
    """Hits (errors, slow answers, scores above an edge) among the first attempts of one interval.

    Attributes:
        canary_hits: whole number in [0, ``canary_requests``].
        canary_requests: whole number ≥ 0.
        stable_hits: whole number in [0, ``stable_requests``].
        stable_requests: whole number ≥ 0.

    Raises:
        DataError: a count is negative, not whole, or larger than its requests.
    """

    canary_hits: float
    canary_requests: float
    stable_hits: float
    stable_requests: float

    def __post_init__(self) -> None:
        for field in fields(self):
            whole_number(getattr(self, field.name), field=field.name)
        for arm in ("canary", "stable"):
            hits, requests = getattr(self, f"{arm}_hits"), getattr(self, f"{arm}_requests")
            if hits > requests:
                raise DataError(
                    f"is more than the {requests:g} requests it is counted among",
                    field=f"{arm}_hits",
                    value=hits,
                    mend="Read both counters at the same instant, of the same pods",
                )


def whole_number(value: float, *, field: str) -> None:
    """Refuse a value that cannot be a count.

    Raises:
        DataError: the value is negative, infinite, NaN or not whole.
    """
    if not (math.isfinite(value) and value >= 0 and float(value).is_integer()):
        raise DataError(
            "must be a whole number of at least 0",
            field=field,
            value=value,
            mend="Difference the raw counters; PromQL's increase() extrapolates",
        )
