"""What an import will make, decided once all columns are known: types, derived columns, roles."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Literal

from gauntlet.data.columns import ColumnType, arrow_type, kind_of
from gauntlet.data.derive import Expression, in_dependency_order
from gauntlet.data.faults import check_all
from gauntlet.data.inference import Survey
from gauntlet.data.reader_options import MappedValue, ReaderOptions
from gauntlet.data.roles import Roles
from gauntlet.data.snapshot import EXAMPLE_ID
from gauntlet.errors import ConfigurationError, DataError

if TYPE_CHECKING:
    import pyarrow as pa

Purpose = Literal["training", "serving", "history"]


@dataclass(frozen=True)
class Plan:
    """What becomes of the columns.

    Attributes:
        read: columns of the sources → their type.
        derived: new columns in an order in which they can be computed.
        columns: columns of the snapshot → their type; derived ones last.
        roles: the roles, without columns that a serving sample lacks.
    """

    read: Mapping[str, ColumnType]
    derived: Mapping[str, Expression]
    columns: Mapping[str, ColumnType]
    roles: Roles

    @property
    def schema(self) -> pa.Schema:
        """``example_id`` and the snapshot's columns."""
        import pyarrow as pa

        fields = [pa.field(name, arrow_type(kind)) for name, kind in self.columns.items()]
        return pa.schema([pa.field(EXAMPLE_ID, pa.string(), nullable=False), *fields])


def make_plan(survey: Survey, options: ReaderOptions, roles: Roles, purpose: Purpose) -> Plan:
    """Decide what becomes of the columns.

    A training import needs every column that roles and options name. A serving sample, and what was recorded earlier,
    lack some by nature (the label, what was only known later): there, what is said about an absent column does not
    apply.

    Raises:
        DataError: a named column is not there (training), or files disagree about a column's type.
        ConfigurationError: options or roles contradict each other.
    """
    present = list(survey.columns)
    if EXAMPLE_ID in present:
        raise ConfigurationError(
            "is the name of a column that every snapshot has",
            field=EXAMPLE_ID,
            mend=f'Rename the source\'s column: reader.rename: {{"{EXAMPLE_ID}": "id"}}',
        )
    training = purpose == "training"
    if training:
        check_all(named_columns(present, options, roles))
    read = _read_types(survey, options)
    derived = _derivable(options, read, training=training)
    everything = {**read, **_derived_types(derived, read)}
    columns = {name: kind for name, kind in everything.items() if name not in options.drop}
    _refuse_dropped_roles(roles, options)
    if training:
        if roles.label is None:
            raise ConfigurationError(
                "training needs a label", field="roles.label", mend="Name the column to predict in roles.label"
            )
    else:
        roles = _without(roles, columns)
    return Plan(read, derived, columns, roles)


def named_columns(present: Sequence[str], options: ReaderOptions, roles: Roles) -> Iterator[Callable[[], None]]:
    """Checks that the columns are there which options and roles name, one a column."""
    settings: dict[str, Iterable[str]] = {"rename": options.rename.values(), "types": options.types}
    for option in ("values", "date_formats", "decimal", "thousands", "drop"):
        named = getattr(options, option)
        settings[option] = () if isinstance(named, str) else named
    for option, names in settings.items():
        for name in names:
            yield partial(require_columns, f"reader.{option}", (name,), present)
    kept = [name for name in (*present, *options.derive) if name not in options.drop]
    for role, named in roles.columns.items():
        for name in named:
            if name not in options.drop:  # that is said of the role and of the option together
                yield partial(require_columns, f"roles.{role}", (name,), kept)


def require_columns(option: str, names: Iterable[str], columns: Sequence[str]) -> None:
    """Make sure that the columns an option names are there.

    Raises:
        DataError: one is not; the message gives the closest name.
    """
    for name in names:
        if name not in columns:
            close = difflib.get_close_matches(name, columns, n=1)
            hint = f"Did you mean {close[0]!r}?" if close else f"The columns are: {', '.join(columns)}"
            raise DataError("the data have no such column", field=option, value=name, mend=hint)


def _read_types(survey: Survey, options: ReaderOptions) -> dict[str, ColumnType]:
    types: dict[str, ColumnType] = {}
    for name, column in survey.columns.items():
        if name in options.declared:
            types[name] = options.declared[name]
        elif name in options.values:
            types[name] = mapped_type(options.values[name], name)
        else:
            types[name] = column.decide() or "string"
    return types


def mapped_type(pairs: Mapping[str, MappedValue], column: str) -> ColumnType:
    """The type of a column whose values are mapped.

    Raises:
        ConfigurationError: the new values are of several types.
    """
    kinds: dict[frozenset[type], ColumnType] = {
        frozenset({bool}): "bool",
        frozenset({int}): "int",
        frozenset({float}): "float",
        frozenset({int, float}): "float",
        frozenset({str}): "string",
    }
    found = frozenset(type(value) for value in pairs.values())
    if found not in kinds:
        raise ConfigurationError(
            "maps to values of several types" if found else "maps nothing",
            field=f"reader.values.{column}",
            value=list(pairs.values()),
            mend="Map to numbers only, to text only, or to true and false",
        )
    return kinds[found]


def _derivable(options: ReaderOptions, read: Mapping[str, ColumnType], *, training: bool) -> dict[str, Expression]:
    expressions = in_dependency_order(options.derive, "reader.derive")
    for name in expressions:
        if name in read:
            raise ConfigurationError(
                "there is a column of this name already",
                field=f"reader.derive.{name}",
                mend="Give the new column another name, or rename the old one",
            )
    if training:
        return expressions
    known, derivable = set(read), dict[str, Expression]()
    for name, expression in expressions.items():
        if expression.names <= known:
            known.add(name)
            derivable[name] = expression
    return derivable


def _derived_types(derived: Mapping[str, Expression], read: Mapping[str, ColumnType]) -> dict[str, ColumnType]:
    """Types of derived columns, found by computing them over no rows at all."""
    import pyarrow as pa

    columns = {name: pa.array([], arrow_type(kind)) for name, kind in read.items()}
    types: dict[str, ColumnType] = {}
    for name, expression in derived.items():
        columns[name] = expression.evaluate(columns, 0)
        kind = kind_of(columns[name].type)
        assert kind is not None, columns[name].type
        types[name] = kind
    return types


def _refuse_dropped_roles(roles: Roles, options: ReaderOptions) -> None:
    for name in (name for named in roles.columns.values() for name in named):
        if name in options.drop:
            raise ConfigurationError(
                "leaves out a column that roles name",
                field="reader.drop",
                value=name,
                mend=f"Keep {name}; to keep it from the model, roles.exclude is enough",
            )


def _without(roles: Roles, columns: Mapping[str, ColumnType]) -> Roles:
    def kept(name: str | None) -> str | None:
        return name if name in columns else None

    return roles.model_copy(
        update={
            **{role: kept(getattr(roles, role)) for role in ("label", "weight", "cluster", "time")},
            **{
                role: tuple(name for name in getattr(roles, role) if name in columns)
                for role in ("key", "exclude", "categorical")
            },
            "labels": {name: names for name, names in roles.labels.items() if name in columns},
        }
    )
