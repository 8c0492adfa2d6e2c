"""Page of the statistics: every column of every split."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from gauntlet.data.profile import Profile, read_profiles
from gauntlet.data.roles import Roles
from gauntlet.data.statistics import Statistics
from gauntlet.reports.page import render
from gauntlet.reports.views.columns import Drawing, describe, draw_splits
from gauntlet.reports.views.remarks import Kind, Remark, in_short, remark_on

_MOST_DRAWN = 40
"""Columns with large pictures; the others of a wide table have the small one, so that a page stays under a megabyte."""


@dataclass(frozen=True)
class SplitCell:
    """Cell of one column in one split."""

    split: str
    rows: int
    missing: float
    summary: str


@dataclass(frozen=True)
class ColumnView:
    """Row of one column.

    Attributes:
        name: the column.
        type: the snapshot's type.
        role: its role: ``feature``, ``label``, ``key``, ….
        missing: largest share of rows without a value, over splits.
        summary: its values in the first split, in one line.
        remark: what a reader should know; ``None`` for nothing.
        cells: one per split.
        shares: bars or categories of the first split, for the small picture.
        drawings: the first split against each other one; empty where the small picture is all.
    """

    name: str
    type: str
    role: str
    missing: float
    summary: str
    remark: Remark | None
    cells: tuple[SplitCell, ...]
    shares: tuple[float, ...]
    drawings: tuple[Drawing, ...]


@dataclass(frozen=True)
class StatisticsView:
    """All columns of a snapshot.

    Attributes:
        snapshot: its digest.
        splits: (name, rows).
        columns: the label first, then those with a remark by its kind, then the rest as they stand in the data.
        notes: what the import found that a person should know, one sentence each.
    """

    snapshot: str
    splits: tuple[tuple[str, int], ...]
    columns: tuple[ColumnView, ...]
    notes: tuple[str, ...] = ()

    @property
    def features(self) -> int:
        """Number of features."""
        return sum(column.role == "feature" for column in self.columns)

    @property
    def in_short(self) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """(kind of remark, columns)."""
        return in_short([(column.name, column.remark) for column in self.columns if column.remark])

    @property
    def without_pictures(self) -> int:
        """Number of columns with values that have the small picture alone."""
        return sum(bool(column.shares) and not column.drawings for column in self.columns)


def statistics_page(statistics: Statistics) -> str:
    """Render the report of a statistics artifact."""
    view = statistics_view(statistics)
    return render("statistics.html.j2", title="What is in the data", view=view)


def statistics_view(statistics: Statistics) -> StatisticsView:
    """Make the view of statistics."""
    return view_of(statistics, {split: read_profiles(statistics.split(split)) for split in statistics.splits})


def view_of(statistics: Statistics, profiles: Mapping[str, Mapping[str, Profile]]) -> StatisticsView:
    """Make the view of statistics whose columns have been read.

    Args:
        statistics: their splits, columns and roles.
        profiles: split → column → what is known of it.
    """
    called = statistics.roles.labels
    columns = {
        name: {split: by_column[name].called(called.get(name, {})) for split, by_column in profiles.items()}
        for name in statistics.columns
    }
    looked_at = [name for name in columns if role_of(name, statistics.roles) in ("feature", "label")]
    remarks = {name: remark_on(columns[name]) if name in looked_at else None for name in columns}
    order = sorted(columns, key=lambda name: _place(name, remarks[name], statistics.roles))
    views = [
        _column(name, statistics, columns[name], remarks[name], large=position < _MOST_DRAWN)
        for position, name in enumerate(order)
    ]
    splits = tuple(statistics.splits.items())
    return StatisticsView(statistics.snapshot, splits, tuple(views), tuple(statistics.notes))


def _place(name: str, remark: Remark | None, roles: Roles) -> tuple[bool, int]:
    """The label first, then by the kind of the remark; Python's sort keeps the order of the data among equals."""
    return name != roles.label, list(Kind).index(remark.kind) if remark else len(Kind)


def role_of(name: str, roles: Roles) -> str:
    """Role of a column, in a word."""
    single = {roles.label: "label", roles.weight: "weight", roles.cluster: "cluster", roles.time: "time"}
    if name in single:
        return single[name]
    return "key" if name in roles.key else "excluded" if name in roles.exclude else "feature"


def _column(
    name: str, statistics: Statistics, by_split: dict[str, Profile], remark: Remark | None, *, large: bool
) -> ColumnView:
    kind = statistics.columns[name]
    times = kind == "timestamp"
    cells = tuple(
        SplitCell(split, profile.rows, profile.missing_share, describe(profile, times=times))
        for split, profile in by_split.items()
    )
    drawings = draw_splits(by_split, times=times)
    return ColumnView(
        name=name,
        type="category" if kind == "int" and name in statistics.roles.categorical else kind,
        role=role_of(name, statistics.roles),
        missing=max(cell.missing for cell in cells),
        summary=cells[0].summary,
        remark=remark,
        cells=cells,
        shares=tuple(drawings[0].before) if drawings else (),
        drawings=drawings if large else (),
    )
