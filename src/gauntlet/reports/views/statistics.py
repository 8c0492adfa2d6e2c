"""Page of the statistics: every column of every split."""

from __future__ import annotations

from dataclasses import dataclass

from gauntlet.data.profile import Profile, read_profiles
from gauntlet.data.roles import Roles
from gauntlet.data.statistics import Statistics
from gauntlet.digest import short
from gauntlet.reports.page import render
from gauntlet.reports.views.columns import Drawing, describe, draw

_MUCH_MISSING = 0.2


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
        remark: a remark; may be empty.
        cells: one per split.
        drawings: the first split against each other one.
    """

    name: str
    type: str
    role: str
    remark: str
    cells: tuple[SplitCell, ...]
    drawings: tuple[Drawing, ...]


@dataclass(frozen=True)
class StatisticsView:
    """All columns of a snapshot."""

    snapshot: str
    splits: tuple[tuple[str, int], ...]
    columns: tuple[ColumnView, ...]

    @property
    def features(self) -> int:
        """Number of features."""
        return sum(column.role == "feature" for column in self.columns)

    @property
    def remarks(self) -> tuple[tuple[str, str], ...]:
        """(column, remark) for columns that have one."""
        return tuple((column.name, column.remark) for column in self.columns if column.remark)


def statistics_page(statistics: Statistics) -> str:
    """Render the report of a statistics artifact."""
    view = statistics_view(statistics)
    subtitle = f"snapshot {short(view.snapshot)}"
    return render("statistics.html.j2", title="What is in the data", subtitle=subtitle, view=view)


def statistics_view(statistics: Statistics) -> StatisticsView:
    """Make the view of statistics."""
    profiles = {split: read_profiles(statistics.split(split)) for split in statistics.splits}
    columns = [
        _column(name, kind, statistics.roles, {split: by_column[name] for split, by_column in profiles.items()})
        for name, kind in statistics.columns.items()
    ]
    return StatisticsView(statistics.snapshot, tuple(statistics.splits.items()), tuple(columns))


def role_of(name: str, roles: Roles) -> str:
    """Role of a column, in a word."""
    single = {roles.label: "label", roles.weight: "weight", roles.cluster: "cluster", roles.time: "time"}
    if name in single:
        return single[name]
    return "key" if name in roles.key else "excluded" if name in roles.exclude else "feature"


def _column(name: str, kind: str, roles: Roles, by_split: dict[str, Profile]) -> ColumnView:
    cells = tuple(
        SplitCell(split, profile.rows, profile.missing_share, describe(profile)) for split, profile in by_split.items()
    )
    (first, profile), *others = by_split.items()
    pairs = [draw(profile, other, (first, split)) for split, other in others] or [draw(profile, None, (first, ""))]
    return ColumnView(
        name=name,
        type="category" if kind == "int" and name in roles.categorical else kind,
        role=role_of(name, roles),
        remark=_remark(by_split),
        cells=cells,
        drawings=tuple(drawing for drawing in pairs if drawing is not None),
    )


def _remark(by_split: dict[str, Profile]) -> str:
    profiles = list(by_split.values())
    if not any(profile.present for profile in profiles):
        return "has no value in any row"
    if all(_is_constant(profile) for profile in profiles if profile.present):
        return "has the same value in every row"
    most = max(profile.missing_share for profile in profiles)
    return f"is missing in up to {most:.0%} of rows" if most >= _MUCH_MISSING else ""


def _is_constant(profile: Profile) -> bool:
    return profile.distinct == 1 if profile.categorical else profile.minimum == profile.maximum
