"""What one column of one data set has against the schema, in words a data owner can act on.

TFDV's anomalies say that something is wrong; the profile says how much. Whatever TFDV reports is either said in our
words here or passed on in TFDV's own: nothing it found is dropped.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from gauntlet.data.contract import Column
from gauntlet.data.outside import ONE_BY_ONE, End, outside
from gauntlet.data.phrasing import amount, quoted, share
from gauntlet.data.profile import Profile
from gauntlet.stats.planning import rows_for_first_hits, rows_for_share
from gauntlet.stats.proportions import chance_of_first_hits, clopper_pearson
from gauntlet.verdict import Status


class Problem(StrEnum):
    """What can be wrong with a column."""

    MISSING_COLUMN = "missing_column"
    """The schema knows it, the data do not have it."""
    UNKNOWN_COLUMN = "unknown_column"
    """The data have it, the schema does not know it."""
    WRONG_TYPE = "wrong_type"
    """Numbers where text is declared, fractions where whole numbers are."""
    NO_VALUES = "no_values"
    """Missing in every row."""
    MISSING_VALUES = "missing_values"
    """Missing in more rows than allowed."""
    OUT_OF_RANGE = "out_of_range"
    """A number below the minimum or above the maximum."""
    UNSEEN_CATEGORIES = "unseen_categories"
    """Categories or codes that the schema does not list."""
    OTHER = "other"
    """Anything else TFDV objects to, in its words."""


@dataclass(frozen=True)
class Allowed:
    """What one column may be.

    Attributes:
        column: its contract.
        missing: largest share of rows without a value.
        unseen: largest share of values outside the listed categories.
        learned_from: rows from which the range, and that none is missing, was inferred; ``None``: somebody's promise.
        curated: a team keeps the schema, and can edit it.
    """

    column: Column
    missing: float
    unseen: float
    learned_from: int | None = None
    curated: bool = False

    def mend(self, problem: Problem, edit: str) -> str:
        """What to do: put the source right, or say that it is right, in keys that the user has."""
        severity = {"severity": {problem.value: "ignore"}}
        accept = json.dumps({"columns": {self.column.name: severity}}, ensure_ascii=False)
        kept = f"{edit} in the curated schema" if self.curated else "keep a curated_schema that allows it"
        return f"Repair the source; or, if this is right, {kept}, or set schema_policy: {accept}."


@dataclass(frozen=True)
class Finding:
    """One thing wrong with one column.

    Attributes:
        column: its name.
        problem: what kind.
        reason: the sentence, without the data set's name, starting with the column's.
        status: FAIL, or INCONCLUSIVE where the rows do not settle it.
        measured, interval, bound, direction, rows_needed: as in ``Check``.
    """

    column: str
    problem: Problem
    reason: str
    status: Status = Status.FAIL
    measured: float | None = None
    interval: tuple[float, float] | None = None
    bound: float | None = None
    direction: str | None = None
    rows_needed: int | None = None


# What each anomaly type of TFDV is said as. A type in none of these is passed on in TFDV's words.
_TYPE = {
    "UNEXPECTED_DATA_TYPE", "BOOL_TYPE_BYTES_NOT_INT", "BOOL_TYPE_FLOAT_NOT_INT", "BOOL_TYPE_STRING_NOT_INT",
    "ENUM_TYPE_FLOAT_NOT_STRING", "ENUM_TYPE_INT_NOT_STRING", "FLOAT_TYPE_NOT_FLOAT", "FLOAT_TYPE_STRING_NOT_FLOAT",
    "INT_TYPE_INT_EXPECTED", "INT_TYPE_NOT_INT_STRING", "INT_TYPE_NOT_STRING", "STRING_TYPE_NOW_FLOAT",
    "STRING_TYPE_NOW_INT",
}  # fmt: skip
_RANGE = {
    "INT_TYPE_BIG_INT", "INT_TYPE_SMALL_INT", "FLOAT_TYPE_BIG_FLOAT", "FLOAT_TYPE_SMALL_FLOAT", "BOOL_TYPE_BIG_INT",
    "BOOL_TYPE_SMALL_INT",
}  # fmt: skip
_PRESENCE = {
    "FEATURE_TYPE_LOW_FRACTION_PRESENT", "FEATURE_TYPE_LOW_NUMBER_PRESENT", "FEATURE_TYPE_NOT_PRESENT",
    "FEATURE_TYPE_NO_VALUES", "INVALID_FEATURE_SHAPE",
}  # fmt: skip
_CATEGORIES = {"ENUM_TYPE_UNEXPECTED_STRING_VALUES"}
_COLUMNS = {"SCHEMA_MISSING_COLUMN", "SCHEMA_NEW_COLUMN"}


def find(
    name: str,
    allowed: Allowed | None,
    profile: Profile | None,
    reasons: Iterable[Any],
    *,
    alpha: float,
    may_be_empty: bool = False,
) -> Iterator[Finding]:
    """Everything one data set has against one column's rules.

    Args:
        name: the column.
        allowed: its rules; ``None`` when the schema does not know it.
        profile: its statistics; ``None`` when the data do not have it.
        reasons: what TFDV objects to (``AnomalyInfo.Reason``).
        alpha: 1 − confidence for each thing that is looked at.
        may_be_empty: no value in any row is no finding (columns kept but not used).
    """
    if profile is None:
        if allowed is not None:
            yield Finding(
                name,
                Problem.MISSING_COLUMN,
                f"`{name}` is missing: the schema asks for {_article(allowed.column.type)} column of this name."
                " Put it back at the source, or take it out of the schema (curated_schema).",
            )
        return
    if allowed is None:
        yield Finding(
            name,
            Problem.UNKNOWN_COLUMN,
            f"`{name}` is a column the schema does not know ({_type_words(profile)}). Add it to the schema"
            " (curated_schema), or drop it at import (reader.drop).",
        )
        return
    by_type = {_type_name(reason): reason.description for reason in reasons}
    if not profile.present:
        if not may_be_empty:
            yield Finding(
                name,
                Problem.NO_VALUES,
                f"`{name}` has no value in any of {profile.rows:,} rows. Repair the source, or exclude the column.",
                measured=1.0,
                bound=allowed.missing,
                direction="max",
            )
        return
    if found := by_type.keys() & _TYPE:
        yield _wrong_type(name, allowed.column, profile, by_type[min(found)])
    else:
        yield from _category_finding(name, allowed, profile, alpha)
        yield from _range_findings(name, allowed, profile, alpha, by_type.keys() & _RANGE)
    yield from _missing_finding(name, allowed, profile, alpha, by_type.keys() & _PRESENCE)
    said = _TYPE | _RANGE | _PRESENCE | _CATEGORIES | _COLUMNS
    for kind in sorted(by_type.keys() - said):
        yield Finding(name, Problem.OTHER, f"`{name}`: {by_type[kind] or kind} (said by TFDV).")


def agreement(name: str, allowed: Allowed, profile: Profile) -> str:
    """What was checked of a column that has nothing against it."""
    column = allowed.column
    parts = [column.type]
    if column.minimum is not None or column.maximum is not None:
        beyond = sum(rows for _, _, rows in _limits(column, profile))
        within = f"within {_range_words(column)}" + (f" but for {beyond:,}, as chance has it" if beyond else "")
        parts.append(f"{amount(profile.minimum)} to {amount(profile.maximum)} {within}")
    if column.values is not None:
        unseen = _unseen_rows(column, profile) / profile.present if profile.present else 0.0
        outside = "all values listed" if unseen <= 0 else f"{share(unseen)} of values not listed, tolerated"
        parts.append(outside)
    parts.append("none missing" if profile.missing_share == 0 else f"{share(profile.missing_share)} missing")
    return f"`{name}` is as it should be: {', '.join(parts)}."


def _wrong_type(name: str, column: Column, profile: Profile, words: str) -> Finding:
    detail = f" TFDV: {words}" if words else ""
    return Finding(
        name,
        Problem.WRONG_TYPE,
        f"`{name}` holds {_type_words(profile)} where the schema asks for {_type_name_words(column.type)}."
        f" Convert it at the source, or change its type in the schema.{detail}",
    )


def _missing_finding(
    name: str, allowed: Allowed, profile: Profile, alpha: float, objections: set[str]
) -> Iterator[Finding]:
    missing, gaps = profile.missing_share, profile.rows - profile.present
    if missing <= allowed.missing and not objections - {"INVALID_FEATURE_SHAPE"}:
        return
    interval = clopper_pearson(gaps, profile.rows, alpha)
    if allowed.missing > 0:
        limit = f"allowed: at most {share(allowed.missing)}"
        proven = interval[0] > allowed.missing
    elif allowed.learned_from is not None:
        limit = f"none was in {allowed.learned_from:,} rows before"
        proven = chance_of_first_hits(gaps, allowed.learned_from, profile.rows) < alpha
    else:
        limit, proven = "allowed: no row", True
    doubt = "" if proven else " That may still be chance."
    yield Finding(
        name,
        Problem.MISSING_VALUES,
        f"`{name}` is missing in {share(missing)} of rows ({gaps:,} of {profile.rows:,}); {limit}.{doubt}"
        f" {allowed.mend(Problem.MISSING_VALUES, 'lower min_fraction')}",
        status=Status.FAIL if proven else Status.INCONCLUSIVE,
        measured=missing,
        interval=interval if allowed.missing > 0 or not proven else None,
        bound=allowed.missing,
        direction="max",
        rows_needed=None if proven else _rows_for_gaps(missing, allowed, alpha),
    )


def _rows_for_gaps(missing: float, allowed: Allowed, alpha: float) -> int | None:
    if allowed.missing > 0:
        return rows_for_share(missing, allowed.missing, alpha)
    return rows_for_first_hits(missing, allowed.learned_from or 0, alpha)


def _limits(column: Column, profile: Profile) -> Iterator[tuple[float, End, int]]:
    """Each limit of a range, which end it is, and the rows beyond it."""
    if column.minimum is not None:
        yield column.minimum, "low", profile.rows_below(column.minimum)
    if column.maximum is not None:
        yield column.maximum, "high", profile.rows_above(column.maximum)


def _range_findings(
    name: str, allowed: Allowed, profile: Profile, alpha: float, objections: set[str]
) -> Iterator[Finding]:
    if not objections:
        return
    if profile.categorical:  # a boolean that is neither 0 nor 1
        mend = allowed.mend(Problem.OUT_OF_RANGE, "change its type")
        yield Finding(name, Problem.OUT_OF_RANGE, f"`{name}` holds {quoted(profile.values)}; allowed: 0 and 1. {mend}")
        return
    for limit, end, rows in _limits(allowed.column, profile):
        if rows:
            yield from _beyond(name, allowed, profile, limit, end, alpha / 2)


def _beyond(name: str, allowed: Allowed, profile: Profile, limit: float, end: End, alpha: float) -> Iterator[Finding]:
    """Values beyond one limit; nothing where they are as few and as near as chance has it."""
    found = outside(profile, limit, end)
    status = Status.FAIL if allowed.learned_from is None else found.status(allowed.learned_from, alpha)
    if status is Status.PASS:
        return
    high = ("up to", "above", "maximum", profile.maximum)
    goes, side, bound, reached = high if end == "high" else ("down to", "below", "minimum", profile.minimum)
    doubt, needed = "", None
    if status is Status.INCONCLUSIVE:
        needed = rows_for_first_hits(found.rows / found.of, allowed.learned_from or 0, found.level(alpha))
        doubt = " They lie far from all others." if found.apart else " That may still be chance."
    about = "" if found.rows <= ONE_BY_ONE or found.rows == found.of else "about "
    part = f"{about}{share(found.rows / found.of)} of values ({found.rows:,} of {found.of:,})"
    kind = "allowed" if allowed.learned_from is None else "inferred"
    yield Finding(
        name,
        Problem.OUT_OF_RANGE,
        f"`{name}` goes {goes} {amount(reached)}, with {part} {side} the {kind} {bound} of {amount(limit)}.{doubt}"
        f" {allowed.mend(Problem.OUT_OF_RANGE, 'widen the range')}",
        status=status,
        measured=reached,
        bound=limit,
        direction="max" if end == "high" else "min",
        rows_needed=needed,
    )


def _category_finding(name: str, allowed: Allowed, profile: Profile, alpha: float) -> Iterator[Finding]:
    column = allowed.column
    if column.values is None or not profile.categorical:
        return
    rows = _unseen_rows(column, profile)
    found = rows / profile.present
    if found <= allowed.unseen:
        return
    interval = clopper_pearson(rows, profile.present, alpha)
    known = set(column.values)
    unseen = [value for value in profile.values if value not in known]
    proven = interval[0] > allowed.unseen or allowed.unseen == 0
    limit = "none" if allowed.unseen == 0 else f"at most {share(allowed.unseen)}"
    doubt = "" if proven else " That may still be chance."
    yield Finding(
        name,
        Problem.UNSEEN_CATEGORIES,
        f"`{name}` has {quoted(unseen) or 'values'} in {share(found)} of values ({rows:,.0f} of {profile.present:,}),"
        f" which the schema does not list; allowed: {limit}.{doubt}"
        f" {allowed.mend(Problem.UNSEEN_CATEGORIES, 'list them')}",
        status=Status.FAIL if proven else Status.INCONCLUSIVE,
        measured=found,
        interval=interval,
        bound=allowed.unseen,
        direction="max",
        rows_needed=None if proven else rows_for_share(found, allowed.unseen, alpha),
    )


def _unseen_rows(column: Column, profile: Profile) -> float:
    """Rows whose category is not listed. What TFDV no longer counts by name is taken as unlisted."""
    listed = sum(profile.count_of.get(value, 0.0) for value in column.values or ())
    return max(0.0, profile.present - listed)


def _range_words(column: Column) -> str:
    low = "−∞" if column.minimum is None else amount(column.minimum)
    high = "∞" if column.maximum is None else amount(column.maximum)
    return f"{low} to {high}"


def _type_name(reason: Any) -> str:
    from tensorflow_metadata.proto.v0 import anomalies_pb2

    return str(anomalies_pb2.AnomalyInfo.Type.Name(reason.type))


def _article(kind: str) -> str:
    return f"an {kind}" if kind[0] in "aeiou" else f"a {kind}"


def _type_name_words(kind: str) -> str:
    words = {
        "int": "whole numbers",
        "float": "numbers",
        "string": "text",
        "bool": "true or false",
        "timestamp": "points in time",
    }
    return words.get(kind, kind)


def _type_words(profile: Profile) -> str:
    words = {"int": "whole numbers", "float": "numbers with fractions", "string": "text"}
    return words.get(profile.type, profile.type)
