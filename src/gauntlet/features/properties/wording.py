"""What a property showed, as one sentence a product manager understands, with the mend where there is one."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from gauntlet.data.phrasing import amount, counted, share
from gauntlet.features.properties.calling import Failure
from gauntlet.features.properties.comparing import Difference
from gauntlet.features.properties.hostile import Mishap
from gauntlet.features.properties.repeating import Repetition

_MOST = 3


def differences(found: Sequence[Difference]) -> str:
    """The worst few: ``income differs in 98.0% of rows, by up to 3.2 (0.42, then 0)``."""
    rest = len(found) - _MOST
    return "; ".join(difference(one) for one in found[:_MOST]) + (
        f"; and {counted(rest, 'other feature')}" if rest > 0 else ""
    )


def difference(one: Difference) -> str:
    """One feature's."""
    match one.what:
        case "absent":
            return f"`{one.feature}` is not there"
        case "new":
            return f"`{one.feature}` is there and was not before"
        case "type":
            return f"`{one.feature}` is {one.found} where it was {one.expected}"
    nulls = ""
    if one.nulls:
        nulls = " (all of them missing on one side only)" if one.nulls == one.rows else f" ({one.nulls:,} missing)"
    by = "" if one.largest is None else f", by up to {amount(one.largest)}"
    example = f"{value(one.expected)}, then {value(one.found)}"
    return f"`{one.feature}` differs in {share(one.share)} of rows{nulls}{by} ({example})"


def failed(failure: Failure) -> str:
    """``fails with KeyError: 'mars'``, ``refuses them with …``."""
    return f"{'refuses the rows' if failure.refusal else 'fails'}, with {failure}"


def repetition(found: Repetition) -> str:
    """What did not hold, without the mend: failure or differences."""
    return failed(found.failure) if found.failure else differences(found.differences)


def mishaps(found: Sequence[Mishap]) -> str:
    """The first few, said one by one; finite values first, since those are the ones that will come."""
    said = list(dict.fromkeys(mishap(one) for one in sorted(found, key=lambda one: one.value.endswith("infinity"))))
    rest = len(said) - _MOST
    return "; ".join(said[:_MOST]) + (f"; and {rest:,} more like this" if rest > 0 else "")


def mishap(one: Mishap) -> str:
    """``infinity in income makes ratio infinite``."""
    cause = f"{one.value} in {one.column if one.column == 'every column' else f'`{one.column}`'}"
    match one.what:
        case "broke" | "refused":
            verb = "breaks the code" if one.what == "broke" else "is refused"
            return f"{cause} {verb}{' in a row alone' if one.alone else ''} ({one.failure})"
        case "infinite":
            return f"{cause} makes `{one.feature}` infinite"
        case "missing":
            return f"{cause} leaves `{one.feature}` without a value, and it is required"
        case "columns":
            return f"{cause} changes which features or rows come out ({one.feature or 'rows'})"
    return f"{cause} changes `{one.feature}` in other rows ({value(one.expected)}, then {value(one.found)})"


def value(one: Any) -> str:
    """A value of a row: numbers as everywhere, text in quotes, a missing one by name."""
    if one is None:
        return "missing"
    if isinstance(one, bool) or not isinstance(one, int | float):
        return repr(one) if isinstance(one, str) else str(one)
    return amount(float(one))


def named(columns: Collection[str]) -> str:
    """``income``, ``region`` and 3 more."""
    shown = [f"`{name}`" for name in list(columns)[:_MOST]]
    rest = len(columns) - len(shown)
    return ", ".join(shown) + (f" and {rest:,} more" if rest > 0 else "")
