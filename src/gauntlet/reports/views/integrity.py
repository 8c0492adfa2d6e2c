"""The integrity page: what is broken in a table, what each column says of its label, and the label span by span."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gauntlet.data.integrity.gate import IntegrityResult
from gauntlet.data.integrity.label_rate import LABEL_RATE, LabelRates
from gauntlet.data.integrity.leakage import LEAKAGE, Leak
from gauntlet.reports.format import count, percent, quantity
from gauntlet.reports.page import render
from gauntlet.reports.plots import ForestRow
from gauntlet.verdict import Check

_MOST_ROWS = 30
"""A drawing of more columns or spans than this shows the strongest, or the worst; the checks hold all."""


@dataclass(frozen=True)
class LeakageView:
    """What each column says about the label.

    Attributes:
        measure: ``AUC`` or ``R² of ranks``.
        rows: the strongest columns first.
        left_out: columns beyond those drawn.
        bound: from where on a column gives the label away.
        reference: what a column shows that says nothing.
        identifies: columns that name rows.
    """

    measure: str
    rows: tuple[ForestRow, ...]
    left_out: int
    bound: float
    reference: float
    identifies: tuple[str, ...]


@dataclass(frozen=True)
class RateView:
    """The label from span to span, for one class.

    Attributes:
        title: whose share, or whose mean.
        unit: of the differences drawn.
        rows: differences from the rest, in order of the spans.
        left_out: spans beyond those drawn.
        tolerance: largest difference allowed, in the unit drawn.
        table: (span, rows, rate, elsewhere).
    """

    title: str
    unit: str
    rows: tuple[ForestRow, ...]
    left_out: int
    tolerance: float
    table: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class IntegrityView:
    """The integrity page.

    Attributes:
        tiles: key figures: (label, value, note).
        structure: checks of keys, references, joins, times, splits and conflicting labels.
        leakage: ``None`` where it was not looked for.
        leakage_checks: what was found of single columns, or what stands in for it.
        rates: one for each class; empty where they were not compared.
        rate_checks: what was found of spans, or what stands in for it.
        small: spans too small to judge.
        left_out: (what, why) of what does not apply to this table.
    """

    tiles: tuple[tuple[str, str, str], ...]
    structure: tuple[Check, ...]
    leakage: LeakageView | None
    leakage_checks: tuple[Check, ...]
    rates: tuple[RateView, ...]
    rate_checks: tuple[Check, ...]
    small: tuple[tuple[str, str], ...]
    left_out: tuple[tuple[str, str], ...]


def integrity_page(result: IntegrityResult) -> str:
    """The report of ``check_integrity``."""
    view = integrity_view(result)
    return render("integrity.html.j2", title="Is the table sound?", view=view, verdict=result.verdict)


def integrity_view(result: IntegrityResult) -> IntegrityView:
    """Gather what the page shows."""
    leakage, rates = (_with_code(result.verdict.checks, code) for code in (LEAKAGE, LABEL_RATE))
    label = result.target.column if result.target is not None else ""
    return IntegrityView(
        tiles=tuple(_tiles(result)),
        structure=tuple(check for check in result.verdict.checks if check.code not in (LEAKAGE, LABEL_RATE)),
        leakage=_leakage(result.leaks) if result.leaks else None,
        leakage_checks=leakage,
        rates=tuple(_rates(result.rates, label)) if result.rates is not None else (),
        rate_checks=rates,
        small=tuple((span, count(rows)) for span, rows in (result.rates.small if result.rates else ())),
        left_out=result.left_out,
    )


def _with_code(checks: Sequence[Check], code: str) -> tuple[Check, ...]:
    return tuple(check for check in checks if check.code == code)


def _tiles(result: IntegrityResult) -> list[tuple[str, str, str]]:
    tiles = [("Rows", count(result.rows), ""), ("Checks", count(len(result.verdict.checks)), "")]
    found = result.conflicts
    if found is not None and result.target is not None:
        regression = result.target.task == "regression"
        note = (
            f"R² {quantity(found.ceiling)} at best" if regression else f"accuracy {percent(found.ceiling, 2)} at best"
        )
        tiles.append(("Rows with conflicting labels", count(found.in_conflict), note))
    if result.leaks:
        strongest = result.leaks[0]
        value = quantity(strongest.power.value, strongest.power.interval)
        tiles.append(("Strongest single column", value, strongest.column))
    return tiles


def _leakage(leaks: tuple[Leak, ...]) -> LeakageView:
    measure = "R² of ranks" if leaks[0].regression else "AUC"
    shown = leaks[:_MOST_ROWS]
    return LeakageView(
        measure=measure,
        rows=tuple(
            ForestRow(
                leak.column + (", filled in" if leak.missing else ""),
                leak.power.value,
                leak.power.interval[0],
                leak.power.interval[1],
                n=leak.check.sample_size,
                status=leak.check.status.value,
            )
            for leak in shown
        ),
        left_out=len(leaks) - len(shown),
        bound=leaks[0].check.bound or 1.0,
        reference=0.0 if leaks[0].regression else 0.5,
        identifies=tuple(leak.column for leak in leaks if leak.identifies),
    )


def _rates(rates: LabelRates, label: str) -> list[RateView]:
    views = []
    for one in dict.fromkeys(span.label_class for span in rates.spans):
        spans = [span for span in rates.spans if span.label_class == one]
        shown = spans
        if len(spans) > _MOST_ROWS:
            far = sorted(spans, key=lambda span: -abs(span.rate - span.rest))[:_MOST_ROWS]
            shown = [span for span in spans if span in far]
        factor = 100.0 if one else 1.0
        written = percent if one else quantity
        views.append(
            RateView(
                title=f"{label} is {one}" if one else f"Mean of {label}",
                unit="points" if one else "standard deviations of the label",
                rows=tuple(
                    ForestRow(
                        span.span,
                        factor * (span.rate - span.rest) / rates.deviation,
                        factor * span.interval[0],
                        factor * span.interval[1],
                        n=span.rows,
                        status=span.status.value,
                    )
                    for span in shown
                ),
                left_out=len(spans) - len(shown),
                tolerance=factor * rates.tolerance,
                table=tuple((span.span, count(span.rows), written(span.rate), written(span.rest)) for span in spans),
            )
        )
    return views
