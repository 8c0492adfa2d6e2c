"""Impact of changed features on decisions: scores the candidate on stored and on recomputed features."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from gauntlet.errors import DataError
from gauntlet.evaluation.families import differences, levels
from gauntlet.evaluation.intervals import exact_shares, intervals
from gauntlet.evaluation.metrics import resolve
from gauntlet.evaluation.panel import measure
from gauntlet.evaluation.sample import sample
from gauntlet.features.policy import FeaturesPolicy
from gauntlet.features.replay import NEW, STORED
from gauntlet.features.wording import percent
from gauntlet.prediction.scores import as_scores
from gauntlet.training.target import Target
from gauntlet.verdict import Check, Status, decide

if TYPE_CHECKING:
    import pyarrow as pa

METRIC = {"binary": "auc", "multiclass": "accuracy", "regression": "rmse"}
IMPACT = "check_features.harm"
_CONFIDENCE = 0.95


@dataclass(frozen=True)
class MetricChange:
    """Change of one metric on the same rows.

    Attributes:
        title: its name for readers.
        recomputed, stored: its value on recomputed and on stored features.
        interval: of stored less recomputed, at 95%.
    """

    title: str
    recomputed: float
    stored: float
    interval: tuple[float, float]


@dataclass(frozen=True)
class Impact:
    """Effect on a model trained on recomputed features of serving it stored ones.

    Attributes:
        rows: rows scored twice.
        flips: rows with another decision; ``None`` for regression.
        interval: exact interval of the share of flips, at 95%; see ``evaluation.intervals.exact_shares``.
        mean_change: mean of score on stored less score on recomputed features.
        mean_size: mean of its absolute value.
        metric: change of the metric; ``None`` without labels, or where it is undefined.
    """

    rows: int
    flips: int | None
    interval: tuple[float, float]
    mean_change: float
    mean_size: float
    metric: MetricChange | None

    @property
    def share(self) -> float:
        """Share of rows with another decision; 0 for regression."""
        return (self.flips or 0) / self.rows

    @property
    def sentence(self) -> str:
        """The impact in one sentence."""
        if self.flips is None:
            sentence = f"The prediction moves by {self.mean_size:.4g} on average over {self.rows:,} stored rows"
        else:
            sentence = f"{percent(self.flips, self.rows)} of {self.rows:,} stored rows would get another decision"
        if self.metric is None:
            return sentence + "."
        before, after = f"{self.metric.recomputed:.3f}", f"{self.metric.stored:.3f}"
        if before == after:
            return f"{sentence}; {self.metric.title} on them stays at {before}."
        verb = "falls" if self.metric.stored < self.metric.recomputed else "rises"
        return f"{sentence}; {self.metric.title} on them {verb} from {before} to {after}."


@dataclass(frozen=True)
class Scoring:
    """Model and label for scoring features.

    Attributes:
        needed: the columns it takes.
        score: rows of these columns → whatever the model returns.
        target: what it predicts.
        labelled: whether the rows carry their label.
        cluster: column of cluster identifiers; ``None``: rows are independent.
    """

    needed: Sequence[str]
    score: Callable[[pa.Table], Any]
    target: Target
    labelled: bool
    cluster: str | None = None


def measure_impact(
    samples: Sequence[pa.Table], scoring: Scoring, shared: Mapping[str, str], policy: FeaturesPolicy
) -> Impact:
    """Score the same rows on stored and on recomputed features.

    Args:
        samples: as ``SpanReplay.sample``, of historical spans; at least one row.
        scoring: the model.
        shared: feature → its column in the store.
        policy: the decision threshold.

    Raises:
        DataError: the model cannot take what is stored.
    """
    import pyarrow as pa

    table = pa.concat_tables(samples, promote_options="permissive")
    scores = [
        as_scores(
            scoring.score(inputs),
            task=scoring.target.task,
            classes=scoring.target.classes,
            rows=table.num_rows,
        )
        for inputs in (_inputs(table, scoring.needed, {}), _inputs(table, scoring.needed, shared))
    ]
    clusters = _clusters(table.column(scoring.cluster)) if scoring.cluster in table.column_names else None
    flips, interval = _flips(scores, scoring.target.task, policy.threshold, clusters)
    change = scores[1] - scores[0]
    return Impact(
        rows=table.num_rows,
        flips=flips,
        interval=interval,
        mean_change=float(np.mean(change)),
        mean_size=float(np.mean(np.abs(change))),
        metric=_metric(table, scores, clusters, scoring, policy) if scoring.labelled else None,
    )


def impact_check(impact: Impact, policy: FeaturesPolicy) -> Check:
    """Check the share of flips against the policy; regression has none and passes."""
    if impact.flips is None:
        return Check("harm", Status.PASS, impact.sentence, impact.mean_size, sample_size=impact.rows, code=IMPACT)
    status = decide(impact.interval, bound=policy.max_flips, direction="max")
    return Check(
        "harm",
        status,
        impact.sentence,
        impact.share,
        impact.interval,
        policy.max_flips,
        "max",
        impact.rows,
        code=IMPACT,
    )


def _inputs(table: pa.Table, needed: Sequence[str], stored: Mapping[str, str]) -> pa.Table:
    """Columns that a model takes: stored where given, else recomputed, else raw."""
    import pyarrow as pa

    columns = {}
    for name in needed:
        sources = [STORED + stored[name]] if name in stored else [NEW + name, name]
        source = next((column for column in sources if column in table.column_names), None)
        if source is None:
            raise DataError(
                "the model takes this column, and neither the feature code nor the data gives it",
                field=name,
                mend="Give feature code that computes it, or a model that does without",
            )
        columns[name] = table.column(source)
    return pa.table(columns)


def _clusters(column: pa.ChunkedArray) -> NDArray[np.int64]:
    """Encode cluster identifiers; a row without one is a cluster of its own."""
    codes = column.combine_chunks().dictionary_encode().indices
    known = codes.fill_null(-1).to_numpy().astype(np.int64)
    return np.where(known < 0, len(known) + np.arange(len(known)), known)


def _flips(
    scores: Sequence[NDArray[np.float64]], task: str, threshold: float, clusters: NDArray[np.int64] | None
) -> tuple[int | None, tuple[float, float]]:
    if task == "regression":
        return None, (0.0, 1.0)
    first, second = ((score.argmax(axis=1) if score.ndim == 2 else score >= threshold) for score in scores)
    flipped = np.asarray(first != second, dtype=np.float64)
    share = sample(flipped, flipped, task="binary", cluster=clusters)
    family = levels(measure([share], resolve(["selection_rate"], "binary")))
    low, high = exact_shares(family, confidence=_CONFIDENCE)[0]
    return int(flipped.sum()), (float(low), float(high))


def _metric(
    table: pa.Table,
    scores: Sequence[NDArray[np.float64]],
    clusters: NDArray[np.int64] | None,
    scoring: Scoring,
    policy: FeaturesPolicy,
) -> MetricChange | None:
    target = scoring.target
    labels = target.encode(table.column(target.column).combine_chunks(), where="the history")
    if target.task == "binary" and len(np.unique(labels)) < 2:
        return None
    both = [sample(labels, score, task=target.task, cluster=clusters, threshold=policy.threshold) for score in scores]
    metrics = resolve([METRIC[target.task]], target.task, len(target.classes))
    family = differences(measure([both[1], both[0]], metrics))
    if family.second is None or not np.isfinite(family.value).all():
        return None
    low, high = intervals(family, confidence=_CONFIDENCE)[0]
    return MetricChange(
        metrics[0].title, float(family.second.value[0]), float(family.first.value[0]), (float(low), float(high))
    )
