"""Page of the integrity gate: structure of tables, leakage by column, and label rates by span."""

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
"""Most columns or spans drawn, the strongest or worst first; the checks hold all."""


@dataclass(frozen=True)
class LeakageView:
    """Association of each column with the label.

    Attributes:
        measure: ``AUC`` or ``R² of ranks``.
        rows: the strongest columns first.
        left_out: number of columns not drawn.
        bound: limit beyond which a column is a leak.
        reference: value of an unrelated column.
        identifies: columns that identify rows.
    """

    measure: str
    rows: tuple[ForestRow, ...]
    left_out: int
    bound: float
    reference: float
    identifies: tuple[str, ...]


@dataclass(frozen=True)
class RateView:
    """Label rates by span, for one class.

    Attributes:
        title: whose share, or whose mean.
        unit: of the differences drawn.
        rows: differences from the rest, in order of the spans.
        left_out: number of spans not drawn.
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
    """Content of the page.

    Attributes:
        tiles: key figures: (label, value, note).
        structure: checks of keys, references, joins, times, splits and conflicting labels.
        leakage: ``None`` where it was not measured.
        leakage_checks: checks of columns, or the reason why there are none.
        rates: one for each class; empty where they were not compared.
        rate_checks: checks of spans, or the reason why there are none.
        small: spans too small to judge.
        left_out: (check, why) of checks that do not apply.
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
    """Render the report of ``check_integrity``."""
    view = integrity_view(result)
    return render("integrity.html.j2", title="Is the table sound?", view=view, verdict=result.verdict)


def integrity_view(result: IntegrityResult) -> IntegrityView:
    """Make the view of a result."""
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
    conflicts = result.conflicts
    if conflicts is not None and result.target is not None:
        regression = result.target.task == "regression"
        note = (
            f"R² {quantity(conflicts.ceiling)} at best"
            if regression
            else f"accuracy {percent(conflicts.ceiling, 2)} at best"
        )
        tiles.append(("Rows with conflicting labels", count(conflicts.in_conflict), note))
    if result.leaks:
        strongest = result.leaks[0]
        value = quantity(strongest.power.value, strongest.power.interval)
        tiles.append(("Strongest single column", value, strongest.column))
    return tiles


def _leakage(leaks: tuple[Leak, ...]) -> LeakageView:
    measure = "R² of ranks" if leaks[0].regression else "AUC"
    listed = leaks[:_MOST_ROWS]
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
            for leak in listed
        ),
        left_out=len(leaks) - len(listed),
        bound=leaks[0].check.bound or 1.0,
        reference=0.0 if leaks[0].regression else 0.5,
        identifies=tuple(leak.column for leak in leaks if leak.identifies),
    )


def _rates(rates: LabelRates, label: str) -> list[RateView]:
    views = []
    for label_class in dict.fromkeys(span.label_class for span in rates.spans):
        spans = [span for span in rates.spans if span.label_class == label_class]
        listed = spans
        if len(spans) > _MOST_ROWS:
            far = sorted(spans, key=lambda span: -abs(span.rate - span.rest))[:_MOST_ROWS]
            listed = [span for span in spans if span in far]
        factor = 100.0 if label_class else 1.0
        written = percent if label_class else quantity
        views.append(
            RateView(
                title=f"{label} is {label_class}" if label_class else f"Mean of {label}",
                unit="points" if label_class else "standard deviations of the label",
                rows=tuple(
                    ForestRow(
                        span.span,
                        factor * (span.rate - span.rest) / rates.deviation,
                        factor * span.interval[0],
                        factor * span.interval[1],
                        n=span.rows,
                        status=span.status.value,
                    )
                    for span in listed
                ),
                left_out=len(spans) - len(listed),
                tolerance=factor * rates.tolerance,
                table=tuple((span.span, count(span.rows), written(span.rate), written(span.rest)) for span in spans),
            )
        )
    return views
