"""Page of the skew gate: distributions of every column, shifted ones first."""

from __future__ import annotations

from dataclasses import dataclass

from gauntlet.data.comparison import Comparison
from gauntlet.data.skew import SkewResult
from gauntlet.reports.page import render
from gauntlet.reports.plots import ForestRow
from gauntlet.reports.views.columns import Drawing, describe, draw
from gauntlet.verdict import Status

_MOST_DRAWN = 15


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
        movement: how far columns moved, as shares of what is allowed, farthest first.
        not_drawn: number of comparisons that moved less than those in ``movement``.
    """

    columns: tuple[MovedColumn, ...]
    left_out: tuple[tuple[str, str], ...]
    movement: tuple[ForestRow, ...] = ()
    not_drawn: int = 0

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
    movement = sorted(
        (row for comparison in result.comparisons if (row := _movement(comparison)) is not None),
        key=lambda row: -(row.estimate or 0.0),
    )
    drawn = tuple(movement[:_MOST_DRAWN])
    return SkewView(tuple(columns), tuple(result.left_out.items()), drawn, len(movement) - len(drawn))


def _movement(comparison: Comparison) -> ForestRow | None:
    """The check of a column that comes nearest to its limit, or goes farthest beyond; ``None`` without any."""
    shares = [(check.measured / check.bound, check) for check in comparison.checks if check.measured and check.bound]
    if not shares:
        return None
    share, check = max(shares, key=lambda pair: pair[0])
    low, high = (end / (check.bound or 1.0) for end in check.interval) if check.interval else (None, None)
    label = f"{comparison.column} ({comparison.against})"
    return ForestRow(label, share, low, high, check.sample_size, check.status.value)


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
