"""Sentences about the properties of feature code, in plain words."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from gauntlet.data.phrasing import amount, counted, share
from gauntlet.features.properties.calling import Failure
from gauntlet.features.properties.comparing import Difference
from gauntlet.features.properties.hostile import Mishap
from gauntlet.features.properties.repeating import Repetition

_MOST = 3


def differences(differing: Sequence[Difference]) -> str:
    """List the worst differences: ``income differs in 98.0% of rows, by up to 3.2 (0.42, then 0)``."""
    rest = len(differing) - _MOST
    return "; ".join(difference(diff) for diff in differing[:_MOST]) + (
        f"; and {counted(rest, 'other feature')}" if rest > 0 else ""
    )


def difference(diff: Difference) -> str:
    """Describe how one feature differs."""
    match diff.what:
        case "absent":
            return f"`{diff.feature}` is not there"
        case "new":
            return f"`{diff.feature}` is there and was not before"
        case "type":
            return f"`{diff.feature}` is {diff.found} where it was {diff.expected}"
    nulls = ""
    if diff.nulls:
        nulls = " (all of them missing on one side only)" if diff.nulls == diff.rows else f" ({diff.nulls:,} missing)"
    by = "" if diff.largest is None else f", by up to {amount(diff.largest)}"
    example = f"{value(diff.expected)}, then {value(diff.found)}"
    return f"`{diff.feature}` differs in {share(diff.share)} of rows{nulls}{by} ({example})"


def failed(failure: Failure) -> str:
    """Describe a failure: ``fails, with KeyError: 'mars'``, ``refuses the rows, with …``."""
    return f"{'refuses the rows' if failure.refusal else 'fails'}, with {failure}"


def repetition(result: Repetition) -> str:
    """Describe a repetition that did not hold: its failure or its differences."""
    return failed(result.failure) if result.failure else differences(result.differences)


def mishaps(cases: Sequence[Mishap]) -> str:
    """List the first few mishaps; finite values first, since those are the ones that occur."""
    finite_first = sorted(cases, key=lambda case: case.value.endswith("infinity"))
    sentences = list(dict.fromkeys(mishap(case) for case in finite_first))
    rest = len(sentences) - _MOST
    return "; ".join(sentences[:_MOST]) + (f"; and {rest:,} more like this" if rest > 0 else "")


def mishap(case: Mishap) -> str:
    """Describe a mishap: ``infinity in income makes ratio infinite``."""
    cause = f"{case.value} in {case.column if case.column == 'every column' else f'`{case.column}`'}"
    match case.what:
        case "broke" | "refused":
            verb = "breaks the code" if case.what == "broke" else "is refused"
            return f"{cause} {verb}{' in a row alone' if case.alone else ''} ({case.failure})"
        case "infinite":
            return f"{cause} makes `{case.feature}` infinite"
        case "missing":
            return f"{cause} leaves `{case.feature}` without a value, and it is required"
        case "columns":
            return f"{cause} changes which features or rows come out ({case.feature or 'rows'})"
    return f"{cause} changes `{case.feature}` in other rows ({value(case.expected)}, then {value(case.found)})"


def value(cell: Any) -> str:
    """Format a value: numbers as everywhere, text in quotes, a missing value by name."""
    if cell is None:
        return "missing"
    if isinstance(cell, bool) or not isinstance(cell, int | float):
        return repr(cell) if isinstance(cell, str) else str(cell)
    return amount(float(cell))


def named(columns: Collection[str]) -> str:
    """List columns: ``income``, ``region`` and 3 more."""
    named_columns = [f"`{name}`" for name in list(columns)[:_MOST]]
    rest = len(columns) - len(named_columns)
    return ", ".join(named_columns) + (f" and {rest:,} more" if rest > 0 else "")
