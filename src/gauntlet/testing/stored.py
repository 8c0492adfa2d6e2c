"""Assertions that feature code reproduces stored features, or other code, with a diagnosis of each difference."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

    from gauntlet.features.policy import FeaturesPolicy
    from gauntlet.testing.subjects import Code, Rows

_MAX_LISTED = 5


def assert_matches_stored(
    code: Code,
    raw: Rows,
    stored: Rows,
    *,
    key: str | Sequence[str] = (),
    names: Mapping[str, str] | None = None,
    ignore: Collection[str] = (),
    **policy: Any,
) -> None:
    """Assert that code reproduces the features stored for the same rows.

    Args:
        code: feature code.
        raw: raw rows.
        stored: their features, for example a few rows of the feature store in a file beside the test.
        key: join key, columns of both; without one, rows must be in the same order.
        names: feature → its column in ``stored``, where the names differ.
        ignore: columns of ``stored`` that are not features.
        policy: fields of ``FeaturesPolicy``: ``relative_tolerance``, ``max_share``, …

    Raises:
        AssertionError: a feature differs (with the diagnosis: normalization, unit, relabelled, …), is stored and not
            computed, or a row is not stored.
        ConfigurationError: an unknown keyword, no such column, or rows of another type.

    >>> raw = {"id": [1, 2, 3, 4], "income": [1200.0, 2500.0, 3100.0, 900.0]}
    >>> stored = {"id": [4, 3, 2, 1], "income": [900.0, 3100.0, 2500.0, 1200.0]}
    >>> assert_matches_stored(lambda rows: rows[["income"]], raw, stored, key="id")
    >>> assert_matches_stored(lambda rows: rows[["income"]] / 1000, raw, stored, key="id")
    Traceback (most recent call last):
        ...
    AssertionError: <lambda> does not reproduce the stored features of 4 rows:
      - income: unit change (×0.001); 100% of 4 values differ (3: stored 3,100, now 3.1).
    """
    __tracebackhide__ = True
    from gauntlet.features.policy import FeaturesPolicy
    from gauntlet.features.transform import transform_of
    from gauntlet.settings import parse
    from gauntlet.testing.subjects import table_of

    settings = parse(FeaturesPolicy, {"max_share": 0.0, **policy, "names": dict(names or {})}, field="policy")
    keys = (key,) if isinstance(key, str) else tuple(key)
    transform, rows, stored_table = transform_of(code), table_of(raw, "raw"), table_of(stored, "stored")
    features = transform(rows)
    matched, labels = _join(rows, stored_table, keys)
    by_column = {settings.names.get(name, name): name for name in features.column_names}
    excluded = {*keys, *ignore, *(name for name in rows.column_names if name not in by_column)}
    compared = [name for name in stored_table.column_names if name not in excluded]
    _require_common(transform.name, compared, by_column)
    faults = [
        f"`{name}` is stored, but {transform.name} does not compute it." for name in compared if name not in by_column
    ]
    faults += _faults(
        {
            by_column[name]: (matched.column(name), features.column(by_column[name]))
            for name in compared
            if name in by_column
        },
        labels,
        settings,
    )
    _raise(f"{transform.name} does not reproduce the stored features of {rows.num_rows:,} rows", faults)


def assert_same_features(code: Code, other: Code, rows: Rows, **policy: Any) -> None:
    """Assert that two implementations, for example of training and of serving, give the same features.

    Args:
        code: feature code.
        other: the reference implementation; the diagnosis calls its values stored.
        rows: raw rows.
        policy: fields of ``FeaturesPolicy``.

    Raises:
        AssertionError: a feature differs, or only one implementation computes it.
        ConfigurationError: an unknown keyword, or rows or code of another type.
    """
    __tracebackhide__ = True
    from gauntlet.features.policy import FeaturesPolicy
    from gauntlet.features.transform import transform_of
    from gauntlet.settings import parse
    from gauntlet.testing.subjects import table_of

    settings = parse(FeaturesPolicy, {"max_share": 0.0, **policy}, field="policy")
    first, second, table = transform_of(code), transform_of(other), table_of(rows)
    new, old = first(table), second(table)
    faults = [
        f"`{name}` is computed by {second.name} only." for name in old.column_names if name not in new.column_names
    ]
    faults += [
        f"`{name}` is computed by {first.name} only." for name in new.column_names if name not in old.column_names
    ]
    pairs = {name: (old.column(name), new.column(name)) for name in old.column_names if name in new.column_names}
    faults += _faults(pairs, [f"row {number:,}" for number in range(table.num_rows)], settings)
    _raise(f"{first.name} does not reproduce the features of {second.name} for {table.num_rows:,} rows", faults)


def _join(rows: pa.Table, stored: pa.Table, keys: tuple[str, ...]) -> tuple[pa.Table, list[str]]:
    """Join stored rows to raw rows: the stored rows in the order of the raw ones, and a label for each."""
    __tracebackhide__ = True
    import pyarrow as pa

    if not keys:
        if rows.num_rows != stored.num_rows:
            raise AssertionError(
                f"There are {rows.num_rows:,} raw rows and {stored.num_rows:,} stored ones. Pass the join key as key=."
            )
        return stored, [f"row {number:,}" for number in range(rows.num_rows)]
    raw_keys = _keys(rows, keys, "raw")
    positions: dict[tuple[Any, ...], int] = {}
    for position, value in enumerate(_keys(stored, keys, "stored")):
        if value in positions:
            raise AssertionError(f"The key {_key_text(value)} is stored twice. Add more columns to key=.")
        positions[value] = position
    missing = [value for value in raw_keys if value not in positions]
    if missing:
        raise AssertionError(
            f"{len(missing):,} of {len(raw_keys):,} rows are not stored, for example {_key_text(missing[0])}."
            " Pass rows that are."
        )
    order = pa.array([positions[value] for value in raw_keys], pa.int64())
    return stored.take(order), [_key_text(value) for value in raw_keys]


def _keys(table: pa.Table, keys: tuple[str, ...], argument: str) -> list[tuple[Any, ...]]:
    from gauntlet.errors import ConfigurationError

    for name in keys:
        if name not in table.column_names:
            mend = f"Use some of: {', '.join(table.column_names)}"
            raise ConfigurationError(f"no such column in {argument}", field="key", value=name, mend=mend)
    return list(zip(*(table.column(name).to_pylist() for name in keys), strict=True))


def _key_text(key: tuple[Any, ...]) -> str:
    return ", ".join(map(str, key))


def _require_common(name: str, compared: Sequence[str], by_column: Mapping[str, str]) -> None:
    from gauntlet.errors import ConfigurationError

    if not set(compared) & set(by_column):
        raise ConfigurationError(
            f"none of its columns is a feature of {name}",
            field="stored",
            value=list(compared),
            mend=f"The features are: {', '.join(by_column)}; pass names={{feature: column}} where they differ",
        )


def _faults(pairs: Mapping[str, tuple[Any, Any]], labels: Sequence[str], settings: FeaturesPolicy) -> list[str]:
    """Describe each feature that differs in more rows than allowed."""
    faults = []
    for name, (stored, new) in pairs.items():
        old, now = stored.combine_chunks(), new.combine_chunks()
        sentence = "" if name in settings.exclude else _fault(name, old, now, labels, settings)
        faults += [sentence] if sentence else []
    return faults


def _fault(name: str, stored: pa.Array, new: pa.Array, labels: Sequence[str], settings: FeaturesPolicy) -> str:
    import numpy as np

    from gauntlet.features.difference_counts import compare
    from gauntlet.features.properties.wording import value
    from gauntlet.features.wording import explain, percent

    change = compare(stored, new, settings)
    differing = int(change.any.sum())
    if not len(labels) or differing <= settings.max_share * len(labels):
        return ""
    clear = change.differs if change.differs.any() else change.any
    sizes = np.where(clear, np.nan_to_num(np.abs(change.size), posinf=np.inf), -1.0)
    worst = int(np.argmax(sizes))
    parts = []
    for rows, words in (
        (change.differs, "differ"),
        (change.new_missing & ~change.stored_missing, "are missing now"),
        (change.stored_missing & ~change.new_missing, "were missing"),
    ):
        if rows.any():
            parts.append(f"{percent(int(rows.sum()), len(labels))} of {len(labels):,} values {words}")
    diagnosis = f"{explain(_diagnosis(stored, new, change.differs, settings.seed))}; " if change.differs.any() else ""
    example = f"{labels[worst]}: stored {value(stored[worst].as_py())}, now {value(new[worst].as_py())}"
    return f"{name}: {diagnosis}{', '.join(parts)} ({example})."


def _diagnosis(stored: pa.Array, new: pa.Array, rows: np.ndarray, seed: int) -> Any:
    import pyarrow as pa

    from gauntlet.data.columns import canonical_text
    from gauntlet.features.diagnosis import diagnose_numbers, diagnose_texts
    from gauntlet.features.difference_counts import is_text, numbers

    old, now = stored.filter(pa.array(rows)), new.filter(pa.array(rows))
    if is_text(old.type) or is_text(now.type):
        return diagnose_texts(canonical_text(old).to_pylist(), canonical_text(now).to_pylist())
    return diagnose_numbers(numbers(old), numbers(now), codes=pa.types.is_integer(old.type), seed=seed)


def _raise(summary: str, faults: Sequence[str]) -> None:
    __tracebackhide__ = True
    if faults:
        more = f"\n  - and {len(faults) - _MAX_LISTED} more" if len(faults) > _MAX_LISTED else ""
        raise AssertionError(f"{summary}:" + "".join(f"\n  - {fault}" for fault in faults[:_MAX_LISTED]) + more)
