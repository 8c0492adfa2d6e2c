"""Evaluates labels and scores in memory with the gates, in one call: for notebooks and scripts.

The pipeline does the same from the folder that ``batch_predict`` writes, in ``evaluate_performance`` and
``evaluate_slices``, with the same policies.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from numpy.typing import ArrayLike

from gauntlet.data.columns import reduce_type
from gauntlet.errors import ConfigurationError, DataError
from gauntlet.evaluation.inputs import Scored
from gauntlet.evaluation.performance import Performance, judge_performance
from gauntlet.evaluation.policies import PerformancePolicy, SlicesPolicy
from gauntlet.evaluation.sample import Task, sample
from gauntlet.evaluation.slices_gate import SlicesResult, judge_slices
from gauntlet.prediction.format import Manifest
from gauntlet.settings import parse
from gauntlet.verdict import Status, Verdict, worst


@dataclass(frozen=True)
class Evaluation:
    """Result of ``evaluate``.

    Attributes:
        performance: is the model good enough? Its ``verdict``, and every metric with an interval (``estimates``).
        slices: is it good for everybody? Its ``verdict``, and every slice with its metrics; ``None`` without slices.
    """

    performance: Performance
    slices: SlicesResult | None

    @property
    def verdicts(self) -> tuple[Verdict, ...]:
        """One verdict per gate."""
        verdicts = (self.performance.verdict, None if self.slices is None else self.slices.verdict)
        return tuple(verdict for verdict in verdicts if verdict is not None)

    @property
    def status(self) -> Status:
        """The worst of what was asked for; advisory checks are in the verdicts."""
        return worst(verdict.enforceable for verdict in self.verdicts)


def evaluate(
    label: ArrayLike,
    score: ArrayLike,
    *,
    task: Task = "binary",
    slices: Mapping[str, Any] | None = None,
    weight: ArrayLike | None = None,
    cluster: ArrayLike | None = None,
    performance_policy: Mapping[str, Any] | None = None,
    slices_policy: Mapping[str, Any] | None = None,
) -> Evaluation:
    """Hold one model's predictions against what is demanded of them, on all rows and slice by slice.

    Args:
        label, score, task, slices, weight, cluster: as in ``predictions_of``.
        performance_policy: fields of ``PerformancePolicy``; by default the model must beat the trivial one.
        slices_policy: fields of ``SlicesPolicy``; by default what ``fairness.DEFAULT_LIMITS`` says.

    Raises:
        ConfigurationError: an unknown key, metric or column, or a policy for slices without slices.
        DataError: arrays that are no labels, scores, weights or columns, or all rows have the same label.
    """
    predictions = predictions_of(label, score, task=task, slices=slices, weight=weight, cluster=cluster)
    performance = parse(PerformancePolicy, performance_policy, field="performance_policy")
    by_slice = parse(SlicesPolicy, slices_policy, field="slices_policy")
    if not slices and slices_policy:
        raise ConfigurationError(
            "there is no column to slice by", field="slices_policy", mend='Give slices={"column": values}'
        )
    return Evaluation(
        judge_performance(predictions, performance), judge_slices(predictions, by_slice) if slices else None
    )


def predictions_of(
    label: ArrayLike,
    score: ArrayLike,
    *,
    task: Task = "binary",
    classes: Sequence[str] = (),
    slices: Mapping[str, Any] | None = None,
    weight: ArrayLike | None = None,
    cluster: ArrayLike | None = None,
) -> Scored:
    """Check one model's predictions and hold them as the gates take them.

    Args:
        label: (n,) binary 0 or 1; multiclass the class index; regression the value.
        score: (n,) probabilities of class 1, or a regression's predictions; multiclass (n, K) probabilities.
        task: ``binary | multiclass | regression``.
        classes: names of the classes, for messages; their numbers by default.
        slices: column → (n,) values (an array, a list, a pandas or Arrow column) to slice by.
        weight: (n,) non-negative example weights.
        cluster: (n,) identifiers of what rows share (a person with several rows): intervals respect it.

    Raises:
        ConfigurationError: another number of classes than the scores have.
        DataError: arrays of unequal length or wrong shape, values that are missing or out of range, or a slice column
            of no type that a snapshot has.

    >>> import numpy as np
    >>> from gauntlet.evaluation import ChampionPolicy, compare, predictions_of
    >>> rng = np.random.default_rng(0)
    >>> label = rng.random(3000) < 0.4
    >>> champion = np.clip(0.3 + 0.4 * label + 0.3 * rng.standard_normal(3000), 0, 1)
    >>> challenger = np.clip(champion + 0.02 * rng.standard_normal(3000), 0, 1)
    >>> policy = ChampionPolicy.model_validate({"primary": {"metric": "auc", "margin": 0.005}})
    >>> print(compare(predictions_of(label, challenger), predictions_of(label, champion), policy).verdict.summary)
    AUC is 0.0001 better than the champion's (0.8321 against 0.8320; 95% interval −0.0020 to 0.0021): not worse by more
    than the margin of 0.005.
    """
    rows = sample(label, score, task=task, weight=weight, cluster=cluster)
    named = tuple(classes) or tuple(str(number) for number in range(rows.classes))
    if len(named) != rows.classes:
        raise ConfigurationError(
            f"must name {rows.classes} classes", field="classes", value=list(named), mend="Name one a score"
        )
    columns = {name: _column(name, values, rows.rows) for name, values in (slices or {}).items()}
    return Scored(
        manifest=Manifest(
            task=task,
            classes=named,
            rows=rows.rows,
            slice_columns=tuple(columns),
            clustered=rows.cluster is not None,
            snapshot="",
            split="",
            model="",
        ),
        example_ids=_numbered(rows.rows),
        labels=rows.label,
        scores=rows.score,
        weights=rows.weight if rows.weighted else None,
        clusters=rows.cluster,
        columns=columns,
    )


def _numbered(rows: int) -> Any:
    """Identities of rows that have none: their positions, so that models scored in one order can be paired."""
    import pyarrow as pa

    return pa.chunked_array([pa.array([str(number) for number in range(rows)], pa.string())])


def _column(name: str, values: Any, rows: int) -> Any:
    """A slice column in a snapshot's types."""
    import pyarrow as pa

    try:
        array = values if isinstance(values, pa.Array | pa.ChunkedArray) else pa.array(values, from_pandas=True)
    except (pa.ArrowInvalid, pa.ArrowTypeError, TypeError) as error:
        raise DataError(
            "cannot be sliced by", field=f"slices.{name}", value=str(error), mend="Give one type of value"
        ) from error
    if len(array) != rows:
        raise DataError(
            f"has another length than label ({rows})",
            field=f"slices.{name}",
            value=len(array),
            mend="Give one per row",
        )
    whole = array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array
    whole = pa.concat_arrays(whole.chunks) if isinstance(whole, pa.ChunkedArray) else whole
    return pa.chunked_array([reduce_type(whole, f"slices.{name}")])
