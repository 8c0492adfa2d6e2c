"""Delayed labels: decisions whose true label has arrived, counted by version from a table.

The table has a row a decision. It may be appended to, or written anew with labels filled in; what was counted once has
to stay as it was. Rows without a label yet are not counted, nor are decisions from before the rollout, nor, where
``matures_after_hours`` is set, those too young for their label to be final.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pydantic import Field, model_validator

from gauntlet.data.columns import ColumnType, canonical_text, convert
from gauntlet.data.objects.schemes import BUCKET_ADDRESSES
from gauntlet.delivery.analysis.plan import AnalysisPlan
from gauntlet.delivery.analysis.state import OUTCOMES, Outcomes
from gauntlet.errors import ConfigurationError, DataError
from gauntlet.settings import Settings

if TYPE_CHECKING:
    import pyarrow as pa

MOST_CLUSTERS = 2_000_000
"""Clusters that are told apart in one rollout; more would take more memory than a component has."""
_LATEST_SECOND = 1e11
"""The year 5138: larger numbers are milliseconds."""
_NUMBER = r"^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?$"


class OutcomesSource(Settings):
    """Where matured labels are read: a row a decision, with who made it, when, and whether it was wrong."""

    uri: str = Field(
        min_length=1,
        description="The table: a CSV, Parquet or JSON lines file, or a folder of them; "
        f"a local path or {BUCKET_ADDRESSES}. "
        "It has to be there, with its columns, before the rollout begins.",
    )
    version: str = Field(default="version", description="Column with the model version that decided.")
    at: str = Field(
        default="at", description="Column with the time of the decision: ISO 8601 (UTC without a zone), or seconds."
    )
    wrong: str | None = Field(
        default=None, description="Column that says whether the decision was wrong (true, false); empty: no label yet."
    )
    predicted: str | None = Field(
        default=None, description="Column with the decision; with `actual`, in place of `wrong`."
    )
    actual: str | None = Field(default=None, description="Column with the true label; empty while there is none.")
    cluster: str | None = Field(
        default=None, description="Column of whose decisions belong together (a customer): one each is counted."
    )
    matures_after_hours: float = Field(
        default=0.0,
        ge=0,
        allow_inf_nan=False,
        description="Age from which a label is final. Where bad news travels faster than good, younger decisions are "
        "mostly wrong ones, and the candidate's are the younger ones.",
    )

    @model_validator(mode="after")
    def _check(self) -> OutcomesSource:
        pair = (self.predicted is not None, self.actual is not None)
        if (self.wrong is not None) == all(pair) or any(pair) != all(pair):
            raise ValueError("give either wrong, or both predicted and actual")
        return self

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that are read."""
        return (*self.always, *self.label)

    @property
    def always(self) -> tuple[str, ...]:
        """The columns that hold something in every row."""
        return (self.version, self.at) if self.cluster is None else (self.version, self.at, self.cluster)

    @property
    def label(self) -> tuple[str, ...]:
        """The columns that are empty until the label arrives."""
        return tuple(name for name in (self.wrong, self.predicted, self.actual) if name is not None)


def with_labels(plan: AnalysisPlan, source: OutcomesSource | None) -> AnalysisPlan:
    """The plan for the labels there are: independent decisions where one of each cluster is counted.

    Raises:
        ConfigurationError: the metrics name outcomes and there is no source of them, or the other way round.
    """
    asked = OUTCOMES in plan.metrics
    if asked and source is None:
        mend = "Give outcomes: where labels are read, or take outcomes out of metrics"
        raise ConfigurationError("names outcomes, and nothing counts them", field="analysis.metrics", mend=mend)
    if source is not None and not asked:
        mend = "Add outcomes to analysis.metrics, or leave the source out"
        raise ConfigurationError(
            "labels would be read for nothing: analysis.metrics does not name outcomes",
            field="outcomes",
            value=source.uri,
            mend=mend,
        )
    if source is None or source.cluster is None or plan.outcomes.phi is not None:
        return plan
    return plan.model_copy(update={"outcomes": plan.outcomes.model_copy(update={"phi": 1.0})})


@dataclass(frozen=True)
class Rows:
    """Some rows of the table.

    Attributes:
        batch: raw, as ``data.reader`` reads it.
        shown: the file they come from.
        sparse: the format leaves out what is missing (JSON lines), so that a label's column may be absent.
    """

    batch: pa.RecordBatch
    shown: str
    sparse: bool = False


@dataclass
class Count:
    """Counts the table's rows of one rollout, batch after batch.

    Args:
        source: which columns say what.
        candidate: its version.
        stable: the version it replaces.
        began: of the rollout; seconds since the epoch.
        now: seconds since the epoch.
    """

    source: OutcomesSource
    candidate: str
    stable: str
    began: float
    now: float
    _seen: set[int] = field(default_factory=set)
    _columns: set[str] = field(default_factory=set)
    _rows: int = 0
    _counts: dict[str, tuple[int, int]] = field(default_factory=dict)

    def outcomes(self, table: Iterable[Rows]) -> Outcomes:
        """Wrong and all decisions of both versions.

        Args:
            table: all of it, in the order of its files' names.

        Raises:
            DataError: a column is missing or holds something else, or there are too many clusters.
        """
        for rows in table:
            self._add(rows)
        absent = [name for name in self.source.columns if name not in self._columns]
        if self._rows and absent:
            raise _no_column(absent[0], self.source.uri, self._columns)
        (wrong, decided), (stable_wrong, stable_decided) = (
            self._counts.get(version, (0, 0)) for version in (self.candidate, self.stable)
        )
        return Outcomes(float(wrong), float(decided), float(stable_wrong), float(stable_decided))

    def _add(self, rows: Rows) -> None:
        import pyarrow.compute as pc

        names = rows.batch.schema.names
        self._columns |= set(names)
        self._rows += rows.batch.num_rows
        if not rows.batch.num_rows:
            return
        for name in self.source.always if rows.sparse else self.source.columns:
            if name not in names:
                raise _no_column(name, rows.shown, names)
        for name in self.source.always:
            if rows.batch[name].null_count:
                mend = "Write it in every row: without it a decision cannot be counted"
                raise DataError("is empty in some rows", field=f"{rows.shown}: {name}", mend=mend)
        versions = _spelt(rows.batch[self.source.version])
        at = _seconds(rows, self.source.at)
        ours = pc.and_(self._is_ours(versions), pc.greater_equal(at, self.began))
        wrong = pc.if_else(
            pc.less_equal(at, self.now - 3600 * self.source.matures_after_hours), self._wrong(rows), None
        )
        if self.source.cluster is not None:
            ours = self._first_of_clusters(canonical_text(rows.batch[self.source.cluster]), ours)
        for version in (self.candidate, self.stable):
            chosen = wrong.filter(pc.and_(ours, pc.equal(versions, version)))
            before = self._counts.get(version, (0, 0))
            decided = len(chosen) - chosen.null_count
            self._counts[version] = before[0] + (pc.sum(chosen).as_py() or 0), before[1] + decided

    def _is_ours(self, versions: pa.Array) -> Any:
        import pyarrow as pa
        import pyarrow.compute as pc

        return pc.is_in(versions, value_set=pa.array([self.candidate, self.stable]))

    def _wrong(self, rows: Rows) -> Any:
        """Whether each decision was wrong; null without a label."""
        import pyarrow as pa
        import pyarrow.compute as pc

        if any(name not in rows.batch.schema.names for name in self.source.label):
            return pa.nulls(rows.batch.num_rows, pa.bool_())
        if self.source.wrong is not None:
            return _as(rows, self.source.wrong, "bool")
        assert self.source.predicted is not None
        assert self.source.actual is not None
        predicted, actual = (_spelt(rows.batch[name]) for name in (self.source.predicted, self.source.actual))
        return pc.not_equal(predicted, actual)

    def _first_of_clusters(self, clusters: pa.Array, ours: pa.Array) -> pa.Array:
        """Only the first row of each cluster, whether its label is there yet or not: it stays the first for ever."""
        import numpy as np
        import pyarrow as pa

        chosen = np.flatnonzero(ours.to_numpy(zero_copy_only=False))
        names = clusters.take(pa.array(chosen)).to_pylist()
        first = np.zeros(len(clusters), dtype=bool)
        for row, name in zip(chosen, names, strict=True):
            mark = hash(name)
            if mark not in self._seen:
                self._seen.add(mark)
                first[row] = True
        if len(self._seen) > MOST_CLUSTERS:
            raise DataError(
                f"has more than {MOST_CLUSTERS:,} values since the rollout began",
                field=f"{self.source.uri}: {self.source.cluster}",
                mend="Name a column of larger clusters, or write one row a cluster and name none",
            )
        return pa.array(first)


def _as(rows: Rows, name: str, kind: ColumnType) -> Any:
    import pyarrow as pa

    column = rows.batch[name]
    if kind == "bool" and column.type in (pa.float64(), pa.string()):
        # A column of 0, 1 and missing values comes as a double from most writers of Parquet.
        whole = convert(column, "int")
        column = column if whole is None else whole
    converted = convert(column, kind)
    if converted is None:
        raise DataError(
            f"is not {'true or false' if kind == 'bool' else f'a {kind}'} in every row",
            field=f"{rows.shown}: {name}",
            value=column.drop_null()[:3].to_pylist(),
            mend="Correct the table, or name another column",
        )
    return converted


def _seconds(rows: Rows, name: str) -> Any:
    """A column of times as seconds since the epoch."""
    import pyarrow as pa
    import pyarrow.compute as pc

    column = rows.batch[name]
    number = None if column.type == pa.timestamp("us", tz="UTC") else convert(column, "float")
    if number is None:
        return pc.divide(_as(rows, name, "timestamp").cast(pa.int64()).cast(pa.float64(), safe=False), 1e6)
    if pc.max(number).as_py() > _LATEST_SECOND:
        raise DataError(
            "is not in seconds since 1970",
            field=f"{rows.shown}: {name}",
            value=pc.max(number).as_py(),
            mend="Divide milliseconds by 1000, or write ISO 8601",
        )
    return number


def _spelt(column: pa.Array) -> Any:
    """Labels in one spelling each, row by row: 1, 1.0 and true are the same, and so are 0, 0.0 and false."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if column.type != pa.string():
        number = convert(column, "float")
        return canonical_text(column if number is None else number)
    lowered = pc.utf8_lower(column)
    text = pc.if_else(pc.equal(lowered, "true"), "1", pc.if_else(pc.equal(lowered, "false"), "0", column))
    numeric = pc.fill_null(pc.match_substring_regex(text, _NUMBER), False)
    plain = canonical_text(pc.if_else(numeric, text, None).cast(pa.float64()))
    return pc.if_else(numeric, plain, text)


def _no_column(name: str, shown: str, columns: Iterable[str]) -> DataError:
    return DataError(
        "there is no such column", field=f"{shown}: {name}", value=sorted(columns), mend="Name one of these in outcomes"
    )
