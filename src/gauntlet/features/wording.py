"""Sentences about diagnoses, in words that need no statistics."""

from __future__ import annotations

from collections.abc import Sequence

from gauntlet.features.diagnosis import Diagnosis, Kind

_SHOWN = 4


def explain(
    diagnosis: Diagnosis | None, *, differing_constants: tuple[float, float] | None = None, filled: str = ""
) -> str:
    """Describe a diagnosis in one clause: ``normalization change (new = 0.00092 × stored − 2.41)``.

    Args:
        diagnosis: the diagnosis.
        differing_constants: smallest and largest slope, where spans differ in their line.
        filled: the value that replaces missing values.
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


def _named(diagnosis: Diagnosis) -> str:
    line = equation(diagnosis)
    if diagnosis.kind is Kind.NORMALIZATION:
        a, b = diagnosis.slope or 1.0, diagnosis.intercept or 0.0
        by = f", by the {diagnosis.scaled} of the values" if diagnosis.scaled else ""
        return f"normalization change ({line}, which is (stored {_minus(-b / a)}) / {short(1 / a)}{by})"
    if diagnosis.kind is Kind.UNIT:
        return f"unit change (×{short(diagnosis.slope or 0.0)})"
    if diagnosis.kind is Kind.SHIFT:
        return f"shift by {short(diagnosis.intercept or 0.0)}"
    if diagnosis.kind is Kind.SIGN:
        return "sign flip (×−1)"
    if diagnosis.kind is Kind.NOISE:
        return "numeric noise around the same values, as from rounding"
    if diagnosis.kind is Kind.MONOTONE:
        return f"monotone re-encoding ({diagnosis.function or 'the order of values stays, their spacing does not'})"
    if diagnosis.kind is Kind.RELABELLED:
        pairs = ", ".join(f"{old} → {new}" for old, new in diagnosis.mapping[:_SHOWN])
        more = f", and {len(diagnosis.mapping) - _SHOWN} more" if len(diagnosis.mapping) > _SHOWN else ""
        return f"relabelled categories, {diagnosis.function} ({pairs}{more})"
    if diagnosis.kind is Kind.CONSTANT:
        constant = diagnosis.mapping[0][1] if diagnosis.mapping else "one value"
        return f"the new code gives {constant} for every row that differs"
    if diagnosis.kind is Kind.MISSING:
        return "missing-value policy changed, no value did"
    if diagnosis.kind is Kind.UNDECIDED:
        return "too few values differ to tell how"
    correlation = diagnosis.rank_correlation
    correlation_text = "" if correlation is None else f" (rank correlation {correlation:.2f})"
    return f"different meaning: no line, order or map leads from one to the other{correlation_text}"


def equation(diagnosis: Diagnosis) -> str:
    """Format the line ``new = a × stored + b``; empty where none was fitted."""
    if diagnosis.slope is None or diagnosis.intercept is None:
        return ""
    sign = "−" if diagnosis.intercept < 0 else "+"
    return f"new = {short(diagnosis.slope)} × stored {sign} {short(abs(diagnosis.intercept))}"


def short(value: float) -> str:
    """Format a number with four digits and a real minus sign."""
    text = f"{value:,.4g}" if 1e-4 <= abs(value) < 1e6 or value == 0 else f"{value:.3e}"
    return text.replace("-", "−")


def percent(count: int, rows: int) -> str:
    """Format a count as a share; only exact ones become 0% or 100%."""
    share = 100 * count / rows if rows else 0.0
    text = f"{share:.1f}"
    if text in ("0.0", "100.0") and 0 < count < rows:
        return f"{count:,} ({'under 0.1' if share < 1 else 'over 99.9'}%)"
    return f"{text.removesuffix('.0')}%"


def among(parts: Sequence[str]) -> str:
    """List parts: ``a``, ``a and b``, ``a, b and 3 more``."""
    if len(parts) <= _SHOWN:
        return " and ".join(filter(None, [", ".join(parts[:-1]), *parts[-1:]]))
    return f"{', '.join(parts[: _SHOWN - 1])} and {len(parts) - _SHOWN + 1} more"


def _minus(value: float) -> str:
    return f"− {short(value)}" if value >= 0 else f"+ {short(-value)}"
