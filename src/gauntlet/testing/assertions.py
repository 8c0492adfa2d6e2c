"""The properties of feature code, each an assertion.

Every assertion takes the code (a function from a DataFrame or an Arrow table to one, or its name as
``module:function``) and raw rows (a DataFrame, a table, a list of rows, a Parquet or CSV file). Further keywords are
fields of ``PropertiesPolicy``: ``assert_row_by_row(build, rows, relative_tolerance=1e-4)``.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gauntlet.testing.subjects import Code, Rows
    from gauntlet.verdict import Check


def assert_features(
    code: Code,
    rows: Rows,
    *,
    time: str | None = None,
    key: Sequence[str] = (),
    label: str | None = None,
    categorical: Sequence[str] = (),
    required: Collection[str] = (),
    only: Collection[str] = (),
    **policy: Any,
) -> None:
    """Every property at once.

    Args:
        code: feature code.
        rows: raw rows; some hundred are plenty.
        time: the column of event times; without it, nothing is asked about later rows.
        key: columns that identify a row, which stay as they are.
        label: the column to predict, which feature code does not get to see.
        categorical: integer columns that hold codes.
        required: features that may never be missing.
        only: which properties to ask for (``one_row``, ``order``, …); all by default.
        policy: fields of ``PropertiesPolicy``.

    Raises:
        AssertionError: one or more do not hold, or the rows cannot show it; with a sentence each.
        ConfigurationError: an unknown keyword or property, rows or code that are none.
    """
    __tracebackhide__ = True
    name, checks = _tried(code, rows, only, required, policy, time=time, key=key, label=label, categorical=categorical)
    _require(name, checks)


def assert_deterministic(code: Code, rows: Rows, **policy: Any) -> None:
    """The same rows give the same features again; in another process too, where the code can be imported by name."""
    __tracebackhide__ = True
    _require(*_tried(code, rows, ["determinism"], (), policy))


def assert_row_by_row(code: Code, rows: Rows, **policy: Any) -> None:
    """A row alone has the features it has in a batch: nothing is computed from the other rows."""
    __tracebackhide__ = True
    _require(*_tried(code, rows, ["one_row"], (), policy))


def assert_order_free(code: Code, rows: Rows, **policy: Any) -> None:
    """Rows in another order have the same features."""
    __tracebackhide__ = True
    _require(*_tried(code, rows, ["order"], (), policy))


def assert_point_in_time(code: Code, rows: Rows, *, time: str, **policy: Any) -> None:
    """Later rows do not change the features of earlier ones; ``time`` is the column of event times."""
    __tracebackhide__ = True
    from gauntlet.errors import ConfigurationError
    from gauntlet.testing.subjects import table_of

    table = table_of(rows)
    if time not in table.column_names:
        mend = f"Use one of: {', '.join(table.column_names)}"
        raise ConfigurationError("no such column in the rows", field="time", value=time, mend=mend)
    _require(*_tried(code, table, ["point_in_time"], (), policy, time=time))


def assert_takes_unseen(code: Code, rows: Rows, *, categorical: Sequence[str] = (), **policy: Any) -> None:
    """A category nobody saw breaks nothing and changes no other row."""
    __tracebackhide__ = True
    _require(*_tried(code, rows, ["unseen"], (), policy, categorical=categorical))


def assert_takes_nulls(code: Code, rows: Rows, *, required: Collection[str] = (), **policy: Any) -> None:
    """Nor does a missing value, in each column and in all at once; ``required`` features still come out."""
    __tracebackhide__ = True
    _require(*_tried(code, rows, ["nulls"], required, policy))


def assert_takes_extremes(code: Code, rows: Rows, **policy: Any) -> None:
    """Nor do zero, huge and infinite numbers; with ``forbid_infinite=True`` no feature comes out infinite."""
    __tracebackhide__ = True
    _require(*_tried(code, rows, ["extremes"], (), policy))


def assert_survives_parquet(code: Code, rows: Rows, **policy: Any) -> None:
    """Features come back from Parquet as they were, and rows that came through it give the same."""
    __tracebackhide__ = True
    _require(*_tried(code, rows, ["parquet"], (), policy))


def _tried(
    code: Code, rows: Rows, only: Collection[str], required: Collection[str], policy: dict[str, Any], **roles: Any
) -> tuple[str, tuple[Check, ...]]:
    from gauntlet.data.roles import Roles
    from gauntlet.errors import ConfigurationError
    from gauntlet.features.properties.checks import check_properties
    from gauntlet.features.properties.fresh import FreshProcess
    from gauntlet.features.properties.policy import PropertiesPolicy, Property
    from gauntlet.settings import parse
    from gauntlet.testing.subjects import importable_name, table_of, transform_of

    for one in only:
        if one not in set(Property):
            mend = f"Use some of: {', '.join(Property)}"
            raise ConfigurationError("no such property", field="only", value=one, mend=mend)
    settings = parse(PropertiesPolicy, policy, field="policy")
    given = {name: value for name, value in roles.items() if value}
    declared = parse(Roles, given, field="roles")
    transform, table = transform_of(code), table_of(rows)
    if declared.label is not None and declared.label in table.column_names:
        table = table.drop_columns([declared.label])
    name = importable_name(code)
    checks = check_properties(
        transform,
        table,
        settings,
        roles=declared,
        required=required,
        fresh=None if name is None else FreshProcess(name, settings.fresh_seconds),
        only=[Property(one) for one in only] or tuple(Property),
    )
    return transform.name, checks


def _require(name: str, checks: tuple[Check, ...]) -> None:
    """Nothing but a pass will do: what the rows cannot show was not shown."""
    __tracebackhide__ = True
    from gauntlet.verdict import Status

    broken = [check for check in checks if check.status is not Status.PASS]
    if not broken:
        return
    if len(checks) == 1:
        raise AssertionError(f"{name}: {broken[0].reason}")
    lines = "".join(f"\n  - {check.name}: {check.reason}" for check in broken)
    raise AssertionError(f"{name}: {len(broken)} of {len(checks)} properties do not hold{lines}")
