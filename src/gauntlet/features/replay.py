"""Replays a span: computes features of its raw rows with the new code and compares them with the store."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from gauntlet.features.diagnosis import Diagnosis, Kind, diagnose_numbers, diagnose_texts
from gauntlet.features.difference_counts import DifferenceCounts, LowestHashes, column, is_text, numbers
from gauntlet.features.policy import FeaturesPolicy
from gauntlet.features.span import Span, readable, rows_of
from gauntlet.features.stored import Store
from gauntlet.features.transform import Transform

if TYPE_CHECKING:
    import pyarrow as pa

NEW, STORED = "\0new:", "\0stored:"
"""Prefixes of feature names in tables with raw columns; the NUL keeps them apart from a column called ``new:age``."""


@dataclass(frozen=True)
class FeatureReplay:
    """Replay of one feature in one span.

    Attributes:
        feature: its name.
        matched: rows found in the store.
        lost, gained, beyond, largest, types: as in ``DifferenceCounts``.
        median: median absolute change over sampled rows with both values; 0 for text.
        diagnosis: how it changed; ``None`` where it does not differ at all.
        pairs: (stored, recomputed) values of sampled rows, NaN where missing; empty for text.
        filled: most frequent new value where the stored one is missing, as text; empty if there is none.
        common: (stored, recomputed) value that most sampled rows have, for text; empty otherwise.
    """

    feature: str
    matched: int
    lost: int
    gained: int
    beyond: int
    largest: float
    types: tuple[str, str]
    median: float
    diagnosis: Diagnosis | None
    pairs: tuple[np.ndarray, np.ndarray]
    filled: str = ""
    common: tuple[str, str] = ("", "")

    @property
    def differing(self) -> int:
        """Rows in which store and code disagree, missing values included."""
        return self.lost + self.gained + self.beyond

    @property
    def share(self) -> float:
        """``differing`` as a share of the matched rows."""
        return self.differing / self.matched if self.matched else 0.0


@dataclass(frozen=True)
class SpanReplay:
    """Replay of one span.

    Attributes:
        span: which.
        matched: its rows found in the store.
        features: feature → its replay.
        sample: sampled rows: raw columns, ``NEW`` and a feature, ``STORED`` and a column; ``None`` when none matched.
    """

    span: Span
    matched: int
    features: Mapping[str, FeatureReplay]
    sample: pa.Table | None

    @property
    def matched_share(self) -> float:
        """Share of the span's rows found in the store."""
        return self.matched / self.span.rows if self.span.rows else 0.0


def recomputed(span: Span, transform: Transform, columns: Sequence[str]) -> Iterator[pa.Table]:
    """Compute features of a span in batches: ``example_id``, raw columns, and features, ``NEW`` before their names.

    Args:
        span: which rows.
        transform: the new feature code.
        columns: raw columns to keep beside those that it reads.
    """
    import pyarrow as pa

    inputs = readable(span.snapshot, transform)
    for batch in rows_of(span, [*inputs, *columns]):
        rows = pa.Table.from_batches([batch])
        features = transform(rows.select(list(inputs)))
        for name in features.column_names:
            rows = rows.append_column(NEW + name, features.column(name))
        yield rows


def replay(
    span: Span,
    transform: Transform,
    store: Store,
    shared: Mapping[str, str],
    policy: FeaturesPolicy,
    *,
    columns: Sequence[str] = (),
) -> SpanReplay:
    """Replay one span, in constant memory.

    Args:
        span: which rows.
        transform: the new feature code.
        store: the stored features.
        shared: feature → its column in the store, for the features to compare.
        policy: tolerances and sample size.
        columns: raw columns that the sample keeps beside those the code reads.

    Raises:
        DataError: the code fails, or the store holds two rows of one key.
    """
    counts = {name: DifferenceCounts(name) for name in shared}
    sample, matched = LowestHashes(policy.sample_rows), 0
    for match in store.match(span, recomputed(span, transform, [*store.keys, *columns])):
        matched += len(match.hashes)
        for name, stored_name in shared.items():
            stored = column(match.stored, stored_name)
            counts[name].add(stored, column(match.rows, NEW + name), match.hashes, policy)
        rows = match.rows
        for stored_name in dict.fromkeys(shared.values()):
            rows = rows.append_column(STORED + stored_name, match.stored.column(stored_name))
        sample.add(match.hashes, rows)
    rows = sample.table()
    replayed = {name: _finish(count, rows, shared[name], policy) for name, count in counts.items()} if matched else {}
    return SpanReplay(span, matched, replayed, rows)


def _finish(
    count: DifferenceCounts, sample: pa.Table | None, stored_name: str, policy: FeaturesPolicy
) -> FeatureReplay:
    """Diagnose a feature from its counts and samples."""
    assert sample is not None
    stored, new = column(sample, STORED + stored_name), column(sample, NEW + count.feature)
    text = is_text(stored.type) or is_text(new.type)
    pairs = (np.empty(0), np.empty(0)) if text else (numbers(stored), numbers(new))
    changes = np.abs(pairs[1] - pairs[0]) if len(pairs[0]) else np.empty(0)
    known = changes[np.isfinite(changes)]
    offenders = count.offenders.table()
    return FeatureReplay(
        count.feature,
        count.matched,
        count.lost,
        count.gained,
        count.beyond,
        count.largest,
        count.types,
        float(np.median(known)) if len(known) else 0.0,
        None if offenders is None else diagnose(offenders, stored, new, seed=policy.seed),
        pairs,
        _filled(offenders),
        (_commonest(stored), _commonest(new)) if text else ("", ""),
    )


def diagnose(offenders: pa.Table, stored: pa.Array, new: pa.Array, *, seed: int = 0) -> Diagnosis:
    """Diagnose how a feature changed.

    A line or a curve is fitted to the rows that differ, a relabelling to all rows, since unchanged categories are part
    of the map.

    Args:
        offenders: rows that differ, columns ``stored`` and ``new``.
        stored, new: sampled rows, whether they differ or not.
        seed: as in ``diagnose_numbers``.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    old, now = column(offenders, "stored"), column(offenders, "new")
    both = pc.and_(old.is_valid(), now.is_valid())
    old, now = old.filter(both), now.filter(both)
    if not len(old):
        return Diagnosis(Kind.MISSING, explained=1.0, pairs=offenders.num_rows)
    if is_text(old.type) or is_text(now.type):
        kept = pc.and_(stored.is_valid(), new.is_valid())
        texts = [
            [*_texts(differing), *_texts(sampled.filter(kept))] for differing, sampled in ((old, stored), (now, new))
        ]
        return diagnose_texts(texts[0], texts[1])
    if pa.types.is_boolean(old.type) and pa.types.is_boolean(now.type):
        return diagnose_texts(_texts(old), _texts(now))
    return diagnose_numbers(numbers(old), numbers(now), codes=pa.types.is_integer(old.type), seed=seed)


def _texts(values: pa.Array) -> list[str]:
    from gauntlet.data.columns import canonical_text

    texts: list[str] = canonical_text(values).to_pylist()
    return texts


def _filled(offenders: pa.Table | None) -> str:
    """Most frequent new value where the stored one is missing; empty if there is none."""
    import pyarrow.compute as pc

    if offenders is None:
        return ""
    stored, new = column(offenders, "stored"), column(offenders, "new")
    return _commonest(new.filter(pc.and_(stored.is_null(), new.is_valid())))


def _commonest(values: pa.Array) -> str:
    """Most frequent value, as text; empty if there is none."""
    import pyarrow.compute as pc

    known = values.filter(values.is_valid())
    if not len(known):
        return ""
    counts = pc.value_counts(known)
    most = counts.field("values")[int(np.argmax(counts.field("counts").to_numpy()))].as_py()
    return f"{most:.6g}" if isinstance(most, float) else str(most)
