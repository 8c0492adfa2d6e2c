"""Feature code against what is stored, or against other code, with a diagnosis of what was done to a feature."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

    from gauntlet.features.policy import FeaturesPolicy
    from gauntlet.testing.subjects import Code, Rows

_SHOWN = 5


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
    """The code gives the features that are stored for the same rows.

    Args:
        code: feature code.
        raw: raw rows.
        stored: their features, a handful of the store's rows kept in a file beside the test, say.
        key: columns, in both, by which a row is found; without one, rows are in the same order.
        names: feature → its column in ``stored``, where the names differ.
        ignore: columns of ``stored`` that are no features.
        policy: fields of ``FeaturesPolicy``: ``relative_tolerance``, ``max_share``, …

    Raises:
        AssertionError: a feature differs (with the diagnosis: normalization, unit, relabelled, …), is stored and no
            longer given, or a row is not stored.
        ConfigurationError: an unknown keyword, no such column, or rows that are none.
    """
    __tracebackhide__ = True
    from gauntlet.features.policy import FeaturesPolicy
    from gauntlet.settings import parse
    from gauntlet.testing.subjects import table_of, transform_of

    settings = parse(FeaturesPolicy, {"max_share": 0.0, **policy, "names": dict(names or {})}, field="policy")
    keys = (key,) if isinstance(key, str) else tuple(key)
    transform, rows, kept = transform_of(code), table_of(raw, "raw"), table_of(stored, "stored")
    features = transform(rows)
    matched, labels = _matched(rows, kept, keys)
    given = {settings.names.get(name, name): name for name in features.column_names}
    apart = {*keys, *ignore, *(name for name in rows.column_names if name not in given)}
    wanted = [name for name in kept.column_names if name not in apart]
    _require_common(transform.name, wanted, given)
    faults = [f"`{name}` is stored, and {transform.name} does not give it." for name in wanted if name not in given]
    faults += _faults(
        {given[name]: (matched.column(name), features.column(given[name])) for name in wanted if name in given},
        labels,
        settings,
    )
    _raise(f"{transform.name} does not give what is stored for {rows.num_rows:,} rows", faults)


def assert_same_features(code: Code, other: Code, rows: Rows, **policy: Any) -> None:
    """Two pieces of code, of training and of serving say, give the same features for the same rows.

    Args:
        code: feature code.
        other: what it is held against; the diagnosis calls its values stored.
        rows: raw rows.
        policy: fields of ``FeaturesPolicy``.

    Raises:
        AssertionError: a feature differs, or only one of them gives it.
        ConfigurationError: an unknown keyword, or rows or code that are none.
    """
    __tracebackhide__ = True
    from gauntlet.features.policy import FeaturesPolicy
    from gauntlet.settings import parse
    from gauntlet.testing.subjects import table_of, transform_of

    settings = parse(FeaturesPolicy, {"max_share": 0.0, **policy}, field="policy")
    first, second, table = transform_of(code), transform_of(other), table_of(rows)
    new, old = first(table), second(table)
    faults = [f"`{name}` is given by {second.name} alone." for name in old.column_names if name not in new.column_names]
    faults += [f"`{name}` is given by {first.name} alone." for name in new.column_names if name not in old.column_names]
    pairs = {name: (old.column(name), new.column(name)) for name in old.column_names if name in new.column_names}
    faults += _faults(pairs, [f"row {number:,}" for number in range(table.num_rows)], settings)
    _raise(f"{first.name} does not give what {second.name} gives for {table.num_rows:,} rows", faults)


def _matched(rows: pa.Table, stored: pa.Table, keys: tuple[str, ...]) -> tuple[pa.Table, list[str]]:
    """The stored rows in the order of the raw ones, and what to call each."""
    __tracebackhide__ = True
    import pyarrow as pa

    if not keys:
        if rows.num_rows != stored.num_rows:
            raise AssertionError(
                f"There are {rows.num_rows:,} raw rows and {stored.num_rows:,} stored ones. Name the key they share."
            )
        return stored, [f"row {number:,}" for number in range(rows.num_rows)]
    wanted = _keys(rows, keys, "raw")
    places: dict[tuple[Any, ...], int] = {}
    for place, one in enumerate(_keys(stored, keys, "stored")):
        if one in places:
            raise AssertionError(f"The key {_named(one)} is stored twice. Name more columns of the key.")
        places[one] = place
    lost = [one for one in wanted if one not in places]
    if lost:
        raise AssertionError(
            f"{len(lost):,} of {len(wanted):,} rows are not stored, {_named(lost[0])} for one. Give rows that are."
        )
    return stored.take(pa.array([places[one] for one in wanted], pa.int64())), [_named(one) for one in wanted]


def _keys(table: pa.Table, keys: tuple[str, ...], what: str) -> list[tuple[Any, ...]]:
    from gauntlet.errors import ConfigurationError

    for name in keys:
        if name not in table.column_names:
            mend = f"Use some of: {', '.join(table.column_names)}"
            raise ConfigurationError(f"no such column in {what}", field="key", value=name, mend=mend)
    return list(zip(*(table.column(name).to_pylist() for name in keys), strict=True))


def _named(key: tuple[Any, ...]) -> str:
    return ", ".join(map(str, key))


def _require_common(name: str, wanted: Sequence[str], given: Mapping[str, str]) -> None:
    from gauntlet.errors import ConfigurationError

    if not set(wanted) & set(given):
        raise ConfigurationError(
            f"none of its columns is a feature of {name}",
            field="stored",
            value=list(wanted),
            mend=f"The features are: {', '.join(given)}; say names={{feature: column}} where they differ",
        )


def _faults(pairs: Mapping[str, tuple[Any, Any]], labels: Sequence[str], settings: FeaturesPolicy) -> list[str]:
    """A sentence for each feature that differs in more rows than allowed."""
    found = []
    for name, (stored, new) in pairs.items():
        old, now = stored.combine_chunks(), new.combine_chunks()
        sentence = "" if name in settings.exclude else _fault(name, old, now, labels, settings)
        found += [sentence] if sentence else []
    return found


def _fault(name: str, stored: pa.Array, new: pa.Array, labels: Sequence[str], settings: FeaturesPolicy) -> str:
    import numpy as np

    from gauntlet.features.properties.wording import value
    from gauntlet.features.tally import compare
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
    from gauntlet.features.tally import is_text, numbers

    old, now = stored.filter(pa.array(rows)), new.filter(pa.array(rows))
    if is_text(old.type) or is_text(now.type):
        return diagnose_texts(canonical_text(old).to_pylist(), canonical_text(now).to_pylist())
    return diagnose_numbers(numbers(old), numbers(now), codes=pa.types.is_integer(old.type), seed=seed)


def _raise(what: str, faults: Sequence[str]) -> None:
    __tracebackhide__ = True
    if faults:
        more = f"\n  - and {len(faults) - _SHOWN} more" if len(faults) > _SHOWN else ""
        raise AssertionError(f"{what}:" + "".join(f"\n  - {one}" for one in faults[:_SHOWN]) + more)
