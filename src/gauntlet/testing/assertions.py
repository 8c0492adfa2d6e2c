"""Assertions about properties of feature code: determinism, row independence, point-in-time correctness, and others.

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
    """Assert every property at once.

    Args:
        code: feature code.
        rows: raw rows; a few hundred suffice.
        time: the column of event times; without it, point-in-time correctness is not checked.
        key: columns that identify a row; they are never changed.
        label: the column to predict, which is hidden from feature code.
        categorical: integer columns that hold category codes.
        required: features that may never be missing.
        only: properties to check (``one_row``, ``order``, …); all by default.
        policy: fields of ``PropertiesPolicy``.

    Raises:
        AssertionError: a property does not hold, or the rows cannot show it; one sentence for each.
        ConfigurationError: an unknown keyword or property, or ``rows`` or ``code`` of another type.
    """
    __tracebackhide__ = True
    name, checks = _check(code, rows, only, required, policy, time=time, key=key, label=label, categorical=categorical)
    _require(name, checks)


def assert_deterministic(code: Code, rows: Rows, **policy: Any) -> None:
    """Assert that equal rows give equal features again, and in another process if the code can be imported by name."""
    __tracebackhide__ = True
    _require(*_check(code, rows, ["determinism"], (), policy))


def assert_row_by_row(code: Code, rows: Rows, **policy: Any) -> None:
    """Assert that a row alone has the same features as in a batch: no statistics of other rows."""
    __tracebackhide__ = True
    _require(*_check(code, rows, ["one_row"], (), policy))


def assert_order_free(code: Code, rows: Rows, **policy: Any) -> None:
    """Assert that features do not depend on the order of rows."""
    __tracebackhide__ = True
    _require(*_check(code, rows, ["order"], (), policy))


def assert_point_in_time(code: Code, rows: Rows, *, time: str, **policy: Any) -> None:
    """Assert that later rows do not change the features of earlier ones; ``time`` is the column of event times."""
    __tracebackhide__ = True
    from gauntlet.errors import ConfigurationError
    from gauntlet.testing.subjects import table_of

    table = table_of(rows)
    if time not in table.column_names:
        mend = f"Use one of: {', '.join(table.column_names)}"
        raise ConfigurationError("no such column in the rows", field="time", value=time, mend=mend)
    _require(*_check(code, table, ["point_in_time"], (), policy, time=time))


def assert_takes_unseen(code: Code, rows: Rows, *, categorical: Sequence[str] = (), **policy: Any) -> None:
    """Assert that an unseen category neither raises nor changes other rows."""
    __tracebackhide__ = True
    _require(*_check(code, rows, ["unseen"], (), policy, categorical=categorical))


def assert_takes_nulls(code: Code, rows: Rows, *, required: Collection[str] = (), **policy: Any) -> None:
    """Assert the same of missing values, per column and in all columns; ``required`` features must not be missing."""
    __tracebackhide__ = True
    _require(*_check(code, rows, ["nulls"], required, policy))


def assert_takes_extremes(code: Code, rows: Rows, **policy: Any) -> None:
    """Assert the same of zero, huge and infinite numbers; with ``forbid_infinite=True`` features must be finite."""
    __tracebackhide__ = True
    _require(*_check(code, rows, ["extremes"], (), policy))


def assert_survives_parquet(code: Code, rows: Rows, **policy: Any) -> None:
    """Assert that features survive a Parquet round trip, and that rows read from Parquet give the same features."""
    __tracebackhide__ = True
    _require(*_check(code, rows, ["parquet"], (), policy))


def _check(
    code: Code, rows: Rows, only: Collection[str], required: Collection[str], policy: dict[str, Any], **roles: Any
) -> tuple[str, tuple[Check, ...]]:
    from gauntlet.data.roles import Roles
    from gauntlet.errors import ConfigurationError
    from gauntlet.features.properties.checks import check_properties
    from gauntlet.features.properties.fresh import FreshProcess
    from gauntlet.features.properties.policy import PropertiesPolicy, Property
    from gauntlet.features.transform import transform_of
    from gauntlet.settings import parse
    from gauntlet.testing.subjects import importable_name, table_of

    for name in only:
        if name not in set(Property):
            mend = f"Use some of: {', '.join(Property)}"
            raise ConfigurationError("no such property", field="only", value=name, mend=mend)
    settings = parse(PropertiesPolicy, policy, field="policy")
    used = {name: value for name, value in roles.items() if value}
    declared = parse(Roles, used, field="roles")
    transform, table = transform_of(code), table_of(rows)
    if declared.label is not None and declared.label in table.column_names:
        table = table.drop_columns([declared.label])
    import_name = importable_name(code)
    checks = check_properties(
        transform,
        table,
        settings,
        roles=declared,
        required=required,
        fresh=None if import_name is None else FreshProcess(import_name, settings.fresh_seconds),
        only=[Property(name) for name in only] or tuple(Property),
    )
    return transform.name, checks


def _require(name: str, checks: tuple[Check, ...]) -> None:
    """Raise unless every check passed; an inconclusive check fails as well."""
    __tracebackhide__ = True
    broken = [check for check in checks if not check.status.is_clear]
    if not broken:
        return
    if len(checks) == 1:
        raise AssertionError(f"{name}: {broken[0].reason}")
    lines = "".join(f"\n  - {check.name}: {check.reason}" for check in broken)
    raise AssertionError(f"{name}: {len(broken)} of {len(checks)} properties do not hold{lines}")
