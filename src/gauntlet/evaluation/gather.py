"""From rows to what remains of them: the weighted columns a set of metrics needs, summed by cell, and areas under
ROC curves, which need the rows."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np

from gauntlet.errors import ConfigurationError, DataError
from gauntlet.evaluation import moments
from gauntlet.evaluation.auc import grouped_auc, rank
from gauntlet.evaluation.columns import column, of_label
from gauntlet.evaluation.covariance import Block
from gauntlet.evaluation.metrics import Metric
from gauntlet.evaluation.moments import Moments
from gauntlet.evaluation.sample import Floats, Ints, Sample, same_rows
from gauntlet.evaluation.slices import Partition

_WORKERS = 2
"""Threads that rank models side by side; numpy's sorts and sums release the interpreter."""


@dataclass(frozen=True)
class Question:
    """What is measured: equal for all shards of one evaluation.

    Attributes:
        metrics: the metrics.
        models: number of models.
        partitions: name and levels of each partition.
        rest: complements of slices are measured too.
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
        wanted = ["one"]
        for metric in self.metrics:
            wanted += [*metric.columns, *(name for group in metric.support for name in group)]
        return tuple(dict.fromkeys(placed(name, model) for model in range(self.models) for name in wanted))

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
        return tuple((a, m, b) for a in range(self.models) for m in ranks for b in range(blocks))


def placed(name: str, model: int) -> str:
    """Name of a model's column in ``Question.columns``."""
    return name if of_label(name) else f"{model}/{name}"


@dataclass(frozen=True)
class Gathered:
    """What remains of a shard of rows.

    Attributes:
        question: what was measured.
        moments: sums and Gram matrices by cell of ``question.columns`` and, behind them, of one column of influences
            for each of ``question.areas``.
        areas: (model, metric, block) → (groups,) areas under the ROC curve.
    """

    question: Question
    moments: Moments
    areas: dict[tuple[int, int, int], Floats]


def gather(
    models: Sequence[Sample], metrics: Sequence[Metric], partitions: Sequence[Partition] = (), *, rest: bool = False
) -> Gathered:
    """Sum up the rows of a shard; see ``panel.measure`` for the arguments."""
    same_rows(models)
    first = models[0]
    _check_partitions(partitions, first.rows)
    shape = tuple((partition.name, partition.levels) for partition in partitions)
    question = Question(
        tuple(metrics), len(models), shape, rest, first.weighted, first.cluster is not None, first.origin
    )
    cell, cells = moments.find_cells([partition.codes for partition in partitions], first.rows)
    order = np.argsort(cell.astype(np.uint16) if len(cells) < 1 << 16 else cell, kind="stable")
    columns = np.empty((first.rows, len(question.columns) + len(question.areas)))
    for index, name in enumerate(question.columns):
        model, _, base = name.rpartition("/")
        values = column(base, models[int(model or 0)])
        columns[:, index] = (values * first.weight if first.weighted else values)[order]
    areas: dict[tuple[int, int, int], Floats] = {}
    blocks = blocks_of(question, cells)

    def rank_one(model: int) -> None:
        _rank(models[model], model, question, blocks, cell[order], order, columns, areas)

    with ThreadPoolExecutor(_WORKERS) as pool:
        list(pool.map(rank_one, sorted({model for model, _, _ in question.areas})))
    cluster = None if first.cluster is None else first.cluster[order]
    return Gathered(question, moments.collect(columns, cell[order], cells, cluster), areas)


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
    return Gathered(replace(first.question, weighted=weighted), moments.merge(first.moments, second.moments), {})


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


def _rank(
    sample: Sample,
    model: int,
    question: Question,
    blocks: Sequence[Block],
    cell: Ints,
    order: Ints,
    columns: Floats,
    areas: dict[tuple[int, int, int], Floats],
) -> None:
    """Fill in one model's areas and their columns of influences. A multiclass area is the mean over classes."""
    weight = sample.weight[order] if sample.weighted else None
    label = sample.label[order]
    classes = range(sample.classes) if sample.task == "multiclass" else (1,)
    scores = [(sample.score if sample.score.ndim == 1 else sample.score[:, k])[order] for k in classes]
    targets = [(label == k).astype(np.float64) for k in classes]
    rankings = [rank(score) for score in scores]
    for position, key in enumerate(question.areas, start=len(question.columns)):
        if key[0] != model:
            continue
        block = blocks[key[2]]
        codes = block.codes[cell]
        parts = [
            grouped_auc(ranking, target, weight, codes, block.groups, corrected=sample.cluster is None)
            for ranking, target in zip(rankings, targets, strict=True)
        ]
        if len(parts) == 1:
            areas[key], columns[:, position] = parts[0]
            continue
        values = np.stack([value for value, _ in parts])
        present = (~np.isnan(values)).sum(axis=0)
        areas[key] = np.where(present > 0, np.nansum(values, axis=0) / np.maximum(present, 1), np.nan)
        columns[:, position] = sum(part for _, part in parts) / np.append(np.maximum(present, 1), 1)[codes]
