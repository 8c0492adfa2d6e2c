"""Which split a row belongs to, so that it never changes side when rows are added.

By hash: a row's group (a person, a key, or the row's own content) is hashed to a number in [0, 1) that depends on
nothing else, and the splits are intervals of it. By time: the splits are intervals between absolute moments.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field, field_validator, model_validator

from gauntlet.data.epoch import LATEST_SECOND
from gauntlet.errors import DataError
from gauntlet.settings import Settings

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

USUAL_ORDER = ("train", "validation", "test")
Moment = float | str | None

_MICROSECONDS = 1_000_000


class SplitOptions(Settings):
    """How rows are divided."""

    by: Literal["hash", "time"] = Field("hash", description="hash: at random, but for ever; time: by roles.time.")
    fractions: dict[str, float] = Field(
        {"train": 0.7, "validation": 0.15, "test": 0.15},
        description="hash: split → share of the groups; sum 1.",
    )
    key: tuple[str, ...] = Field(
        (),
        description="hash: columns whose rows stay together. Default: roles.cluster, else roles.key, else equal rows.",
    )
    until: dict[str, Moment] = Field(
        {},
        description="time: split → its end (ISO 8601 or epoch seconds, exclusive). The last has none.",
    )

    @field_validator("fractions")
    @classmethod
    def _whole(cls, value: dict[str, float]) -> dict[str, float]:
        if "train" not in value:
            raise ValueError("needs a split named train")
        if any(not 0 <= share <= 1 for share in value.values()):
            raise ValueError("every share must lie between 0 and 1")
        if not math.isclose(sum(value.values()), 1.0, abs_tol=1e-9):
            raise ValueError(f"shares must sum to 1, not {sum(value.values()):g}")
        return value

    @model_validator(mode="after")
    def _boundaries(self) -> SplitOptions:
        if self.by == "time":
            if not self.until:
                raise ValueError('by time needs until, for example {"train": "2014-01-01", "validation": "2014-02-01"}')
            time_boundaries(self.until)
        elif self.until:
            raise ValueError('until is for by: "time"')
        return self

    @property
    def by_date(self) -> bool:
        """Whether rows are split at dates, not at numbers that may mean anything."""
        return self.by == "time" and any(isinstance(end, str) and "-" in end[1:] for end in self.until.values())

    @property
    def names(self) -> tuple[str, ...]:
        """The splits these options make, in order."""
        if self.by == "time":
            return tuple(name for name, _ in time_boundaries(self.until))
        return tuple(name for name, _ in hash_boundaries(self.fractions))


def in_order(names: Mapping[str, Any]) -> list[str]:
    """train, validation, test, then others by name: an order that survives mappings losing theirs on the way here."""
    return sorted(names, key=lambda name: (USUAL_ORDER.index(name) if name in USUAL_ORDER else len(USUAL_ORDER), name))


def hash_boundaries(fractions: Mapping[str, float]) -> list[tuple[str, float]]:
    """Splits with positive share and the upper ends of their intervals of [0, 1); the last is 1."""
    ends, total = [], 0.0
    for name in in_order(fractions):
        if fractions[name] > 0:
            total += fractions[name]
            ends.append((name, total))
    return [*ends[:-1], (ends[-1][0], 1.0)]


def time_boundaries(until: Mapping[str, Moment]) -> list[tuple[str, int | None]]:
    """Splits and their exclusive ends in microseconds since 1970 (UTC), ascending; the last has no end.

    Raises:
        ValueError: not exactly one split without an end, ends out of order, or a moment that cannot be read.
    """
    named = {name: None if end is None or end == "" else microseconds(end) for name, end in until.items()}
    if None not in named.values():
        rest = [name for name in USUAL_ORDER if name not in named]
        if not rest:
            raise ValueError("the last split must have no end: set it to null, or the rows after it have no place")
        named[rest[-1]] = None
    ordered = [(name, named[name]) for name in in_order(named)]
    ends = [end for _, end in ordered]
    if ends.count(None) != 1 or ends[-1] is not None:
        raise ValueError("exactly one split, the last one, has no end")
    known = [end for end in ends if end is not None]
    if any(later <= earlier for earlier, later in itertools.pairwise(known)):
        raise ValueError("splits must end one after the other: train, validation, test")
    return ordered


def assign_by_hash(groups: np.ndarray, boundaries: list[tuple[str, float]]) -> np.ndarray:
    """Index of each row's split.

    Args:
        groups: (n,) uint64, uniform hashes of the rows' groups.
        boundaries: from ``hash_boundaries``.

    Returns:
        (n,) intp, indices into ``boundaries``.
    """
    import numpy as np

    # Shares may add up to 1 by rounding, and 2⁶⁴ is no uint64.
    ends = np.array([min(int(end * 2.0**64), 2**64 - 1) for _, end in boundaries[:-1]], dtype=np.uint64)
    return np.searchsorted(ends, groups, side="right")


def sample_by_hash(groups: np.ndarray, share: float) -> np.ndarray:
    """Which rows belong to a sample: the same ones every time, and independent of the split they are in.

    Args:
        groups: (n,) uint64, uniform hashes of the rows' groups.
        share: of the groups, in (0, 1].

    Returns:
        (n,) bool.
    """
    import numpy as np

    if share >= 1:
        return np.ones(len(groups), dtype=bool)
    # The finalizer of SplitMix64 (Steele, Lea, Flood 2014): the hash itself already decides about the split.
    mixed = groups.astype(np.uint64)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        mixed = (mixed ^ (mixed >> np.uint64(shift))) * np.uint64(factor)
    mixed ^= mixed >> np.uint64(31)
    chosen: np.ndarray = mixed < np.uint64(share * 2.0**64)
    return chosen


def assign_by_time(times: pa.Array, boundaries: list[tuple[str, int | None]], shown: str) -> np.ndarray:
    """Index of each row's split.

    Args:
        times: timestamps, or numbers in epoch seconds.
        boundaries: from ``time_boundaries``.
        shown: the column's name, for messages.

    Returns:
        (n,) intp, indices into ``boundaries``.

    Raises:
        DataError: a time is missing, or the column holds no times.
    """
    import numpy as np
    import pyarrow as pa

    if times.null_count:
        raise DataError(
            "rows without a time cannot be split by time",
            field=f"column {shown}",
            value=f"{times.null_count} missing",
            mend='Fill or remove them at the source, or split with by: "hash"',
        )
    if times.type not in (pa.int64(), pa.float64()) and not pa.types.is_timestamp(times.type):
        raise DataError(
            "holds no times",
            field=f"column {shown}",
            value=str(times.type),
            mend="Splitting by time needs ISO 8601 timestamps or epoch seconds in roles.time; say how it is written "
            f"otherwise: reader.date_formats.{shown}",
        )
    moments = as_moments(times).cast(pa.int64()).to_numpy()
    ends = np.array([end for _, end in boundaries[:-1]], dtype=np.int64)
    chosen: np.ndarray = np.searchsorted(ends, moments, side="right")
    return chosen


def as_moments(times: pa.Array) -> pa.Array:
    """Timestamps, or numbers in epoch seconds, as timestamps of microseconds, UTC."""
    import numpy as np
    import pyarrow as pa

    if times.type == pa.int64():
        times = pa.array(times.to_numpy() * _MICROSECONDS)
    elif times.type == pa.float64():
        times = pa.array(np.floor(times.to_numpy() * _MICROSECONDS).astype(np.int64))
    return times.cast(pa.timestamp("us", tz="UTC"))


def microseconds(moment: float | str) -> int:
    """A moment, ISO 8601 (UTC where it names no zone) or epoch seconds, as microseconds since 1970 UTC.

    Raises:
        ValueError: the text is neither, or the number is of another unit.
    """
    if isinstance(moment, str):
        try:
            parsed = datetime.fromisoformat(moment)
        except ValueError:
            try:
                seconds = float(moment)
            except ValueError:
                raise ValueError(f"{moment!r} is neither ISO 8601 nor epoch seconds") from None
            return microseconds(seconds)
        aware = parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)
        return round(aware.timestamp() * _MICROSECONDS)
    if not abs(moment) < LATEST_SECOND:
        raise ValueError(f"{moment:.0f} is no time in seconds since 1970; write ISO 8601, or seconds")
    return round(moment * _MICROSECONDS)
