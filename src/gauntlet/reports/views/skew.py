"""Page of the skew gate: distributions of every column, shifted ones first."""

from __future__ import annotations

from dataclasses import dataclass

from gauntlet.data.comparison import Comparison
from gauntlet.data.skew import SkewResult
from gauntlet.reports.page import render
from gauntlet.reports.views.columns import Drawing, describe, draw
from gauntlet.verdict import Status


@dataclass(frozen=True)
class MovedColumn:
    """Comparison of one column with another data set.

    Attributes:
        column: its name.
        against: the other data set.
        status: the worst of its checks.
        reasons: sentences of its checks.
        summaries: (side, the column there in one line).
        drawing: both distributions, or ``None`` when there is nothing to draw.
    """

    column: str
    against: str
    status: Status
    reasons: tuple[str, ...]
    summaries: tuple[tuple[str, str], ...]
    drawing: Drawing | None


@dataclass(frozen=True)
class SkewView:
    """Content of the page.

    Attributes:
        columns: shifted ones first.
        left_out: (column, why it was not compared).
    """

    columns: tuple[MovedColumn, ...]
    left_out: tuple[tuple[str, str], ...]

    @property
    def moved(self) -> tuple[MovedColumn, ...]:
        """Columns with a check that does not pass."""
        return tuple(column for column in self.columns if column.status is not Status.PASS)

    @property
    def unmoved(self) -> tuple[MovedColumn, ...]:
        """All other columns."""
        return tuple(column for column in self.columns if column.status is Status.PASS)


def skew_page(result: SkewResult) -> str:
    """Render the report of ``detect_skew``."""
    return render(
        "skew.html.j2",
        title="Is the data still what the model learned from?",
        view=skew_view(result),
        verdict=result.verdict,
    )


def skew_view(result: SkewResult) -> SkewView:
    """Make the view of a result."""
    columns = sorted((_column(comparison) for comparison in result.comparisons), key=lambda c: -c.status.severity)
    return SkewView(tuple(columns), tuple(result.left_out.items()))


def _column(comparison: Comparison) -> MovedColumn:
    sides = list(zip(comparison.names, (comparison.before, comparison.after), strict=True))
    there = [profile for _, profile in sides if profile is not None]
    return MovedColumn(
        column=comparison.column,
        against=comparison.against,
        status=comparison.status,
        reasons=tuple(check.reason for check in comparison.checks if check.status is comparison.status),
        summaries=tuple((name, describe(profile) if profile else "not there") for name, profile in sides),
        drawing=draw(there[0], there[1], comparison.names) if len(there) == 2 else None,
    )
