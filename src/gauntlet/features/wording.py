"""What a diagnosis says, in words that need no statistics."""

from __future__ import annotations

from collections.abc import Sequence

from gauntlet.features.diagnosis import Diagnosis, Kind

_SHOWN = 4


def explain(
    diagnosis: Diagnosis | None, *, differing_constants: tuple[float, float] | None = None, filled: str = ""
) -> str:
    """One clause: ``normalization change (new = 0.00092 × stored − 2.41), by the mean and standard deviation …``.

    Args:
        diagnosis: what was found.
        differing_constants: smallest and largest slope, where spans do not share one line.
        filled: what takes the place of missing values.
    """
    if diagnosis is None:
        return "no relation was sought"
    words = _named(diagnosis)
    if differing_constants is not None and diagnosis.slope is not None:
        low, high = differing_constants
        words += f"; the constants change from span to span (a from {short(low)} to {short(high)})"
    if filled:
        words += f"; missing values became {filled}"
    return words


def _named(found: Diagnosis) -> str:
    line = equation(found)
    if found.kind is Kind.NORMALIZATION:
        a, b = found.slope or 1.0, found.intercept or 0.0
        by = f", by the {found.scaled} of the values" if found.scaled else ""
        return f"normalization change ({line}, which is (stored {_minus(-b / a)}) / {short(1 / a)}{by})"
    if found.kind is Kind.UNIT:
        return f"unit change (×{short(found.slope or 0.0)})"
    if found.kind is Kind.SHIFT:
        return f"shift by {short(found.intercept or 0.0)}"
    if found.kind is Kind.SIGN:
        return "sign flip (×−1)"
    if found.kind is Kind.NOISE:
        return "numeric noise around the same values, as from rounding"
    if found.kind is Kind.MONOTONE:
        return f"monotone re-encoding ({found.function or 'the order of values stays, their spacing does not'})"
    if found.kind is Kind.RELABELLED:
        pairs = ", ".join(f"{old} → {new}" for old, new in found.mapping[:_SHOWN])
        more = f", and {len(found.mapping) - _SHOWN} more" if len(found.mapping) > _SHOWN else ""
        return f"relabelled categories, {found.function} ({pairs}{more})"
    if found.kind is Kind.CONSTANT:
        return f"the new code gives {found.mapping[0][1] if found.mapping else 'one value'} for every row that differs"
    if found.kind is Kind.MISSING:
        return "missing-value policy changed, no value did"
    if found.kind is Kind.UNDECIDED:
        return "too few values differ to tell how"
    correlation = found.rank_correlation
    told = "" if correlation is None else f" (rank correlation {correlation:.2f})"
    return f"different meaning: no line, order or map leads from one to the other{told}"


def equation(found: Diagnosis) -> str:
    """``new = a × stored + b`` with its numbers; empty where no line was fitted."""
    if found.slope is None or found.intercept is None:
        return ""
    sign = "−" if found.intercept < 0 else "+"
    return f"new = {short(found.slope)} × stored {sign} {short(abs(found.intercept))}"


def short(value: float) -> str:
    """A number with four digits and a real minus sign."""
    text = f"{value:,.4g}" if 1e-4 <= abs(value) < 1e6 or value == 0 else f"{value:.3e}"
    return text.replace("-", "−")


def percent(count: int, rows: int) -> str:
    """A count as a share; only what is whole is called 0% or 100%."""
    share = 100 * count / rows if rows else 0.0
    text = f"{share:.1f}"
    if text in ("0.0", "100.0") and 0 < count < rows:
        return f"{count:,} ({'under 0.1' if share < 1 else 'over 99.9'}%)"
    return f"{text.removesuffix('.0')}%"


def among(parts: Sequence[str]) -> str:
    """``a``, ``a and b``, ``a, b and 3 more``."""
    if len(parts) <= _SHOWN:
        return " and ".join(filter(None, [", ".join(parts[:-1]), *parts[-1:]]))
    return f"{', '.join(parts[: _SHOWN - 1])} and {len(parts) - _SHOWN + 1} more"


def _minus(value: float) -> str:
    return f"− {short(value)}" if value >= 0 else f"+ {short(-value)}"
