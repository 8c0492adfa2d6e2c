"""Reduces rows to sufficient statistics: weighted columns summed by cell, and areas under ROC curves."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np

from gauntlet.errors import ConfigurationError, DataError
from gauntlet.evaluation import moments
from gauntlet.evaluation.auc import Codes, Ranking, grouped_auc, rank
from gauntlet.evaluation.columns import column, of_label
from gauntlet.evaluation.covariance import Block
from gauntlet.evaluation.metrics import Linear, Metric, Scale
from gauntlet.evaluation.moments import Moments, Units
from gauntlet.evaluation.sample import Floats, Ints, Sample, same_rows
from gauntlet.evaluation.slices import Partition
from gauntlet.evaluation.tails import Quartic, joined, largest_by_group, loss_column, powers

_WORKERS = 2
"""Threads that fill columns side by side; numpy's sorts and sums release the interpreter."""
_ROWS_AT_ONCE = 1 << 16
"""Rows whose columns are made together: what is needed on the way stays in the processor's cache."""


@dataclass(frozen=True)
class Question:
    """Question: the metrics, models and partitions to measure.

    Attributes:
        metrics: the metrics.
        models: number of models.
        partitions: name and levels of each partition.
        rest: whether complements of slices are measured too.
        weighted, clustered: kind of rows.
        origin: of the samples.
    """

    metrics: tuple[Metric, ...]
    models: int
    partitions: tuple[tuple[str, tuple[str, ...]], ...]
    rest: bool
    weighted: bool
    clustered: bool
    origin: float

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns summed; those that depend on a score carry their model: ``1/error``."""
        names = ["one"]
        for metric in self.metrics:
            names += [*metric.columns, *(name for group in metric.support for name in group)]
        return tuple(dict.fromkeys(placed(name, model) for model in range(self.models) for name in names))

    @property
    def complements(self) -> bool:
        """Whether complements need blocks of their own: a rank metric's is no difference of sums."""
        return self.rest and any(metric.rank for metric in self.metrics)

    @property
    def areas(self) -> tuple[tuple[int, int, int], ...]:
        """(model, metric, block) of each rank column; they come after ``columns``."""
        slices = sum(len(levels) for _, levels in self.partitions)
        blocks = 1 + len(self.partitions) + (slices if self.complements else 0)
        ranks = [index for index, metric in enumerate(self.metrics) if metric.rank]
        return tuple((a, m, b) for b in range(blocks) for a in range(self.models) for m in ranks)

    @property
    def quartics(self) -> tuple[Quartic, ...]:
        """Statistics of which fourth powers are summed: means and areas of each model, the differences of two models,
        and the weights of shares and of what is made of several. A share's variance is a function of the share but for
        the weights, which unweighted rows have not; of clusters their number is all that is used."""
        shares = [m for m, metric in enumerate(self.metrics) if metric.scale is Scale.PROPORTION]
        singles = [
            (m, metric.ratio) for m, metric in enumerate(self.metrics) if metric.ratio is not None and m not in shares
        ]
        found = [
            Quartic(a, -1, m, -1, _placed(ratio[0], a), _placed(ratio[1], a))
            for a in range(self.models)
            for m, ratio in singles
        ]
        if self.weighted and not self.clustered:
            found += [
                Quartic(a, -1, m, -1, _placed(group, a), {})
                for a in range(self.models)
                for m, metric in enumerate(self.metrics)
                if m in shares or (metric.ratio is None and not metric.rank)
                for group in metric.support
            ]
        found += [Quartic(a, -1, m, b, {area_name(a, m, b): 1.0}, {}) for a, m, b in self.areas]
        if self.models == 2:
            found += [
                Quartic(0, 1, m, -1, _difference(_placed(top, 0), _placed(top, 1)), _placed(bottom, 0))
                for m, (top, bottom) in singles
                if all(of_label(name) for name in bottom)
            ]
            found += [
                Quartic(0, 1, m, b, {area_name(0, m, b): 1.0, area_name(1, m, b): -1.0}, {})
                for a, m, b in self.areas
                if a == 0
            ]
        return tuple(found)

    @property
    def losses(self) -> tuple[str, ...]:
        """The columns that mean losses sum, of each model."""
        names = [name for metric in self.metrics if (name := loss_column(metric)) is not None]
        return tuple(dict.fromkeys(placed(name, model) for model in range(self.models) for name in names))


def area_name(model: int, metric: int, block: int) -> str:
    """Name of an area's column of influences, behind ``Question.columns``."""
    return f"{model}/area:{metric}:{block}"


def _placed(linear: Linear, model: int) -> Linear:
    return {placed(name, model): coefficient for name, coefficient in linear.items()}


def _difference(first: Linear, second: Linear) -> Linear:
    names = dict.fromkeys([*first, *second])
    return {name: first.get(name, 0.0) - second.get(name, 0.0) for name in names}


def placed(name: str, model: int) -> str:
    """Name of a model's column in ``Question.columns``."""
    return name if of_label(name) else f"{model}/{name}"


@dataclass(frozen=True)
class Gathered:
    """Sufficient statistics of rows.

    Attributes:
        question: what was measured.
        moments: sums and Gram matrices by cell of ``question.columns`` and, behind them, of one column of influences
            for each of ``question.areas``.
        areas: (model, metric, block) → (groups,) areas under the ROC curve.
        largest: (column of ``question.losses``, partition) → of each level, and of the rows that have none, the largest
            contributions of units, descending; partition -1: all rows.
    """

    question: Question
    moments: Moments
    areas: dict[tuple[int, int, int], Floats]
    largest: dict[tuple[str, int], list[Floats]]


def gather(
    models: Sequence[Sample], metrics: Sequence[Metric], partitions: Sequence[Partition] = (), *, rest: bool = False
) -> Gathered:
    """Reduce rows to sums; see ``panel.measure`` for the arguments."""
    same_rows(models)
    first = models[0]
    _check_partitions(partitions, first.rows)
    shape = tuple((partition.name, partition.levels) for partition in partitions)
    question = Question(
        tuple(metrics), len(models), shape, rest, first.weighted, first.cluster is not None, first.origin
    )
    cell, cells = moments.find_cells([partition.codes for partition in partitions], first.rows)
    # NumPy sorts 16-bit keys by radix, in O(n).
    order = np.argsort(cell.astype(np.uint16) if len(cells) < 1 << 16 else cell, kind="stable")
    cell = cell[order]
    columns = np.empty((len(question.columns) + len(question.areas), first.rows))

    with ThreadPoolExecutor(_WORKERS) as pool:
        list(
            pool.map(
                lambda start: _add_columns(models, question.columns, order, columns, start),
                range(0, first.rows, _ROWS_AT_ONCE),
            )
        )
        areas = _add_areas(pool, models, question, cell, cells, order, columns[len(question.columns) :])
        cluster = None if first.cluster is None else first.cluster[order]
        units = moments.units_of(columns, cell, cluster)
        fourth = _fourth_powers(pool, question, units, len(cells))
        largest = _largest(pool, question, units, cells)
    return Gathered(question, moments.collect(columns, cell, cells, units, fourth), areas, largest)


def _fourth_powers(pool: ThreadPoolExecutor, question: Question, units: Units, cells: int) -> Floats:
    """(C, F, 5) sums of fourth powers over the units that lie in one cell."""
    names = [*question.columns, *(area_name(*area) for area in question.areas)]
    where = {name: index for index, name in enumerate(names)}
    alone = slice(None) if not len(units.cluster) else ~units.shared
    cell = units.cell[alone]
    total = np.zeros((cells, len(question.quartics), 5))

    def combined(linear: Linear) -> Floats:
        total = None
        for name, coefficient in linear.items():
            column = units.columns[where[name]]
            part = column if coefficient == 1 else column * coefficient
            total = part if total is None else total + part
        assert total is not None
        return np.asarray(total[alone])

    def add(index: int) -> None:
        quartic = question.quartics[index]
        u = combined(quartic.top)
        if not quartic.bottom:
            square = u * u
            total[:, index, 0] = moments.add_by_cell(np.multiply(square, square, out=square), cell, cells)
            return
        ones = quartic.bottom == {"one": 1} and not (question.weighted or question.clustered)
        for place, values in enumerate(powers(u, None if ones else combined(quartic.bottom))):
            total[:, index, place] = moments.add_by_cell(values, cell, cells)

    list(pool.map(add, range(len(question.quartics))))
    return total


def _largest(
    pool: ThreadPoolExecutor, question: Question, units: Units, cells: Ints
) -> dict[tuple[str, int], list[Floats]]:
    """The largest contributions to each loss, in every level of every partition. A cluster counts once a cell."""
    if not question.losses:
        return {}
    levels = [(-1, np.zeros(len(cells), dtype=np.int64), 1)]
    levels += [(p, cells[:, p], len(names)) for p, (_, names) in enumerate(question.partitions)]
    where = {name: index for index, name in enumerate(question.columns)}
    codes, groups = [cut[units.cell] for _, cut, _ in levels], [number for _, _, number in levels]
    found = pool.map(lambda name: largest_by_group(units.columns[where[name]], codes, groups), question.losses)
    return {
        (name, p): lists
        for name, by_partition in zip(question.losses, found, strict=True)
        for (p, _, _), lists in zip(levels, by_partition, strict=True)
    }


def merge(first: Gathered, second: Gathered) -> Gathered:
    """Add two shards up. The result is that of their rows together, up to rounding.

    Raises:
        ConfigurationError: rank metrics, which need all rows at once (one model's AUC alone merges: ``score_table``).
        DataError: the shards were gathered for different questions.
    """
    if first.question.areas:
        raise ConfigurationError(
            "cannot be merged over shards with their covariance",
            field="auc",
            mend="Measure it on all rows at once, or merge score tables for one model's AUC",
        )
    ours, theirs = (_comparable(shard.question) for shard in (first, second))
    if ours != theirs:
        raise DataError(
            "were gathered for different metrics, partitions, kinds of rows or origins",
            field="shards",
            mend="Gather every shard with the same arguments",
        )
    weighted = first.question.weighted or second.question.weighted
    largest = {
        key: [joined([ours, theirs]) for ours, theirs in zip(lists, second.largest[key], strict=True)]
        for key, lists in first.largest.items()
    }
    question = replace(first.question, weighted=weighted)
    shards = (_with_quartics(shard, question.quartics) for shard in (first, second))
    return Gathered(question, moments.merge(*shards), {}, largest)


def _with_quartics(shard: Gathered, wanted: tuple[Quartic, ...]) -> Moments:
    """The moments with NaN for fourth powers that were not summed: those of shares, in a shard without weights."""
    fourth = np.full((len(shard.moments.fourth), len(wanted), 5), np.nan)
    for index, quartic in enumerate(shard.question.quartics):
        fourth[:, wanted.index(quartic)] = shard.moments.fourth[:, index]
    return replace(shard.moments, fourth=fourth)


def _comparable(question: Question) -> tuple[object, ...]:
    named = tuple(metric.name for metric in question.metrics)
    return (named, question.columns, question.partitions, question.rest, question.clustered, question.origin)


def blocks_of(question: Question, cells: Ints) -> tuple[Block, ...]:
    """All rows, then each partition, then each slice's complement if rank metrics need it."""
    shared = np.arange(len(question.columns))
    behind = np.array([block for _, _, block in question.areas], dtype=np.int64)
    layout: list[tuple[Ints, int, bool]] = [(np.zeros(len(cells), dtype=np.int64), 1, True)]
    layout += [(cells[:, p], len(levels), True) for p, (_, levels) in enumerate(question.partitions)]
    if question.complements:
        for p, (_, levels) in enumerate(question.partitions):
            for level in range(len(levels)):
                layout.append((np.where(cells[:, p] == level, -1, 0), 1, False))
    return tuple(
        Block(codes, groups, np.concatenate([shared[: len(shared) * sums], len(shared) + np.flatnonzero(behind == b)]))
        for b, (codes, groups, sums) in enumerate(layout)
    )


def _check_partitions(partitions: Sequence[Partition], rows: int) -> None:
    names = [partition.name for partition in partitions]
    if len(set(names)) < len(names):
        raise ConfigurationError("two partitions have the same name", field="partitions", value=names)
    for partition in partitions:
        if partition.codes.shape != (rows,):
            raise DataError(
                f"does not say of each of {rows} rows which slice it is in",
                field=partition.name,
                value=partition.codes.shape,
                mend="Make the partition from the same rows",
            )
        if partition.codes.max() >= len(partition.levels) or partition.codes.min() < -1:
            raise DataError(
                f"has codes outside -1 to {len(partition.levels) - 1}",
                field=partition.name,
                value=(int(partition.codes.min()), int(partition.codes.max())),
                mend="Give every code a level",
            )


def _add_columns(models: Sequence[Sample], names: Sequence[str], order: Ints, columns: Floats, start: int) -> None:
    """Fill ``_ROWS_AT_ONCE`` rows of the columns that are functions of a row."""
    here = slice(start, start + _ROWS_AT_ONCE)
    rows = order[here]
    parts = [
        replace(sample, label=sample.label[rows], score=sample.score[rows], weight=sample.weight[rows], cluster=None)
        for sample in models
    ]
    for index, name in enumerate(names):
        model, _, base = name.rpartition("/")
        part = parts[int(model or 0)]
        values = column(base, part)
        columns[index, here] = values * part.weight if part.weighted else values


def _add_areas(
    pool: ThreadPoolExecutor,
    models: Sequence[Sample],
    question: Question,
    cell: Ints,
    cells: Ints,
    order: Ints,
    columns: Floats,
) -> dict[tuple[int, int, int], Floats]:
    """Areas of every model in every block, and their columns of influences.

    Args:
        pool: does the work.
        models, question: what is measured.
        cell, cells: cell of each row, ascending, and what the cells are.
        order: the rows in that order.
        columns: (areas, n) to fill.
    """
    rows = np.bincount(cell, minlength=len(cells))
    blocks = blocks_of(question, cells)
    ranked = sorted({model for model, _, _ in question.areas})
    rankings = dict(zip(ranked, pool.map(lambda model: _rankings(models[model], order), ranked), strict=True))
    corrected = not question.clustered

    def add(index: int) -> Floats:
        model, _, b = question.areas[index]
        block = blocks[b]
        codes: Ints | Codes = (
            np.repeat(block.codes, rows) if block.groups >= 1 << 15 else np.repeat(block.codes.astype(np.int16), rows)
        )
        return _area(rankings[model], codes, block.groups, corrected, columns[index])

    return dict(zip(question.areas, pool.map(add, range(len(question.areas))), strict=True))


def _rankings(sample: Sample, order: Ints) -> list[Ranking]:
    """One ranking of the rows, or of multiclass rows one a class."""
    weight = sample.weight[order] if sample.weighted else None
    label = sample.label[order]
    if sample.task != "multiclass":
        return [rank(label, sample.score[order], weight)]
    return [rank((label == k).astype(np.float64), sample.score[:, k][order], weight) for k in range(sample.classes)]


def _area(rankings: Sequence[Ranking], codes: Ints | Codes, groups: int, corrected: bool, column: Floats) -> Floats:
    """(groups,) areas, and the column of their influences. A multiclass area is the mean over the classes present."""
    if len(rankings) == 1:
        return grouped_auc(rankings[0], codes, groups, corrected=corrected, out=column)[0]
    parts = [grouped_auc(ranking, codes, groups, corrected=corrected) for ranking in rankings]
    values = np.stack([value for value, _ in parts])
    present = (~np.isnan(values)).sum(axis=0)
    column[:] = sum(part for _, part in parts) / np.append(np.maximum(present, 1), 1)[codes]
    return np.where(present > 0, np.nansum(values, axis=0) / np.maximum(present, 1), np.nan)
