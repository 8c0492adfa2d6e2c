"""Compares the distributions of stored and recomputed features, for stores without a join key.

Both are counted in cells between quantiles of the stored values (categories are cells of their own, missing values one
more), and compared by the Jensen–Shannon divergence of the shares. Its null distribution is resampled: pairs of samples
of these sizes from the pooled shares. The p-values of all features and spans are corrected together (Holm 1979). A line
between the two is estimated from their quantiles; relations that need pairs of values cannot be diagnosed.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from gauntlet.data.columns import canonical_text
from gauntlet.data.distance import jensen_shannon
from gauntlet.data.identity import key_digests
from gauntlet.data.snapshot import EXAMPLE_ID, Snapshot
from gauntlet.evaluation.simultaneous import holm
from gauntlet.features.diagnosis import Diagnosis, Kind, diagnose_numbers
from gauntlet.features.difference_counts import LowestHashes, column, is_text, numbers
from gauntlet.features.findings import Comparison
from gauntlet.features.policy import FeaturesPolicy
from gauntlet.features.replay import NEW, recomputed
from gauntlet.features.span import Span
from gauntlet.features.transform import Transform

if TYPE_CHECKING:
    import pyarrow as pa

Floats = NDArray[np.float64]

_CELLS = 20
_MOST_CATEGORIES = 256
_QUANTILES = np.linspace(0.025, 0.975, 191)
_CLOSE = 0.05
"""Quantiles of two samples scatter: a line explains those within this many standard deviations of it."""
_RESAMPLES_A_LEVEL = 5
_DRAWS = 1_000
_ENOUGH = 20
"""Resamples at least as far apart that settle that a distance is nothing special (Besag and Clifford 1991)."""


@dataclass(frozen=True)
class Sides:
    """Unpaired samples of stored and recomputed values of one feature.

    Attributes:
        feature: its name.
        span: which rows were recomputed.
        stored, new: sampled values.
    """

    feature: str
    span: Span
    stored: pa.Array
    new: pa.Array


def gather(
    spans: Sequence[Span], transform: Transform, store: Snapshot, shared: Mapping[str, str], policy: FeaturesPolicy
) -> list[Sides]:
    """Sample stored and recomputed values of every feature, in every span that has a counterpart in the store.

    A split of the store with the span's name is its counterpart. Where no historical span has one, all of the store is
    the counterpart of each.

    Args:
        spans: history and new rows.
        transform: the new feature code.
        store: a snapshot of features without usable keys.
        shared: feature → its column in the store.
        policy: the sample's size.
    """
    sides = []
    for span, splits in _counterparts(spans, store):
        stored_sample, new_sample = LowestHashes(policy.sample_rows), LowestHashes(policy.sample_rows)
        for batch in recomputed(span, transform, ()):
            new_sample.add(_hashes(batch), batch.select([NEW + name for name in shared]))
        for rows in _stored(store, splits, list(dict.fromkeys(shared.values()))):
            stored_sample.add(_hashes(rows), rows)
        new, stored = new_sample.table(), stored_sample.table()
        if new is not None and stored is not None:
            sides += [Sides(name, span, column(stored, at), column(new, NEW + name)) for name, at in shared.items()]
    return sides


def compare_distributions(sides: Sequence[Sides], policy: FeaturesPolicy) -> list[Comparison]:
    """Compare the distributions of all features, with a family-wise error rate.

    Args:
        sides: of every feature and span.
        policy: confidence, and the distance below which distributions are alike.
    """
    alpha = 1 - policy.confidence
    resamples = math.ceil(_RESAMPLES_A_LEVEL * max(len(sides), 1) / alpha)
    measured = [
        _measure(side, policy.min_distance, resamples, np.random.default_rng([policy.seed, position]))
        for position, side in enumerate(sides)
    ]
    rejected, _ = holm([p for _, p in measured], alpha)
    return [
        _compared(side, distance, p, bool(is_rejected) and distance > policy.min_distance, policy)
        for side, (distance, p), is_rejected in zip(sides, measured, rejected, strict=True)
    ]


def _counterparts(spans: Sequence[Span], store: Snapshot) -> list[tuple[Span, list[str]]]:
    filled = [name for name, rows in store.splits.items() if rows]
    named = [(span, [span.split]) for span in spans if span.age == "historical" and span.split in filled]
    if named:
        matched = {splits[0] for _, splits in named}
        new = [(span, [span.split]) for span in spans if span.age == "new" and span.split in set(filled) - matched]
        return [*named, *new]
    past = [span for span in spans if span.age == "historical"]
    return [(span, filled) for span in past or spans]


def _stored(store: Snapshot, splits: Sequence[str], columns: Sequence[str]) -> Iterator[pa.Table]:
    import pyarrow as pa

    for split in splits:
        for batch in store.batches(split, [EXAMPLE_ID, *columns]):
            yield pa.Table.from_batches([batch])


def _hashes(rows: pa.Table) -> NDArray[np.uint64]:
    return key_digests([column(rows, EXAMPLE_ID)])[:, 0].astype(np.uint64)


def _measure(sides: Sides, least: float, resamples: int, rng: np.random.Generator) -> tuple[float, float]:
    """Distance and p-value; 1 where the distance is below ``least``, whatever its null distribution."""
    before, after = _counts(sides)
    sizes = int(before.sum()), int(after.sum())
    distance = float(jensen_shannon(before / sizes[0], after / sizes[1]))
    if distance <= least:
        return distance, 1.0
    pooled = (before / sizes[0] + after / sizes[1]) / 2
    beyond = drawn = 0
    while drawn < resamples and beyond < _ENOUGH:
        first, second = (rng.multinomial(size, pooled, size=_DRAWS) / size for size in sizes)
        beyond += int(np.count_nonzero(np.asarray(jensen_shannon(first, second)) >= distance))
        drawn += _DRAWS
    return distance, (1 + beyond) / (1 + drawn)


def _counts(sides: Sides) -> tuple[Floats, Floats]:
    """Count stored and new rows in each cell: (cells,) each."""
    if is_text(sides.stored.type) or is_text(sides.new.type):
        return _category_counts(canonical_text(sides.stored), canonical_text(sides.new))
    x, y = numbers(sides.stored), numbers(sides.new)
    known = x[~np.isnan(x)]
    marks = np.quantile(known, np.linspace(0, 1, _CELLS + 1)) if len(known) else np.zeros(1)
    values, times = np.unique(marks, return_counts=True)
    # A value that many rows share is a cell of its own.
    edges = np.unique(np.concatenate([values, np.nextafter(values[times > 1], -np.inf)]))

    def count(values: Floats) -> Floats:
        there = values[~np.isnan(values)]
        cells = np.bincount(np.searchsorted(edges, there), minlength=len(edges) + 1)
        return np.append(cells, len(values) - len(there)).astype(np.float64)

    return count(x), count(y)


def _category_counts(stored: pa.Array, new: pa.Array) -> tuple[Floats, Floats]:
    import pyarrow.compute as pc

    counts = [
        dict(zip(*(part.to_pylist() for part in pc.value_counts(values).flatten()), strict=True))
        for values in (stored, new)
    ]
    total = {name: counts[0].get(name, 0) + counts[1].get(name, 0) for name in {**counts[0], **counts[1]}}
    common = sorted(total, key=lambda name: (-total[name], str(name)))[:_MOST_CATEGORIES]
    sides = [[count.get(name, 0) for name in common] for count in counts]
    rest = [sum(count.values()) - sum(side) for count, side in zip(counts, sides, strict=True)]
    return np.array([*sides[0], rest[0]], dtype=np.float64), np.array([*sides[1], rest[1]], dtype=np.float64)


def _compared(sides: Sides, distance: float, p: float, differs: bool, policy: FeaturesPolicy) -> Comparison:
    rows = min(len(sides.stored), len(sides.new))
    quantiles: tuple[Sequence[float], Sequence[float]] = ((), ())
    diagnosis = None
    if not (is_text(sides.stored.type) or is_text(sides.new.type)):
        x, y = _quantiles(numbers(sides.stored)), _quantiles(numbers(sides.new))
        if len(x) and len(y):
            quantiles = (x.tolist(), y.tolist())
            diagnosis = _diagnose(x, y) if differs else None
    if differs and diagnosis is None:
        diagnosis = Diagnosis(Kind.DIFFERENT, pairs=rows)
    words = (
        f"in {sides.span.name} the values of {rows:,} rows are {'not ' if differs else ''}distributed as stored ones "
        f"(distance {distance:.3f}, p {'< 0.001' if p < 0.001 else f'= {p:.2g}'})"
    )
    return Comparison(
        sides.feature, sides.span, differs, distance, policy.min_distance, rows, words, diagnosis, None, quantiles
    )


def _quantiles(values: Floats) -> Floats:
    finite = values[np.isfinite(values)]
    return np.quantile(finite, _QUANTILES) if len(finite) else np.empty(0)


def _diagnose(stored: Floats, new: Floats) -> Diagnosis:
    """Diagnose a line between quantiles. Monotonicity alone is no evidence, since quantiles are always sorted."""
    rising = diagnose_numbers(stored, new, close=_CLOSE)
    falling = diagnose_numbers(stored, new[::-1], close=_CLOSE)
    lines = {Kind.NORMALIZATION, Kind.UNIT, Kind.SHIFT, Kind.SIGN}
    for diagnosis in (rising, falling):
        if diagnosis.kind in lines:
            return replace(diagnosis, rank_correlation=None)
    if rising.kind is Kind.CONSTANT:
        return rising
    return Diagnosis(Kind.DIFFERENT, pairs=rising.pairs)
