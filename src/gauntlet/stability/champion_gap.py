"""Gap between candidate and champion, for comparison with the retraining variance."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from gauntlet.evaluation.families import differences
from gauntlet.evaluation.inputs import Scored
from gauntlet.evaluation.intervals import intervals
from gauntlet.evaluation.metrics import names, resolve
from gauntlet.evaluation.pairing import require_same_rows, require_same_signature
from gauntlet.evaluation.panel import measure
from gauntlet.evaluation.performance import to_sample
from gauntlet.stability.agreement import Agreement, EvaluationRows, agreement
from gauntlet.stability.policy import StabilityPolicy


@dataclass(frozen=True)
class ChampionGap:
    """Difference of candidate and champion on the same rows.

    Attributes:
        differences: metric → (candidate − champion, interval from the rows alone).
        agreement: their agreement.
    """

    differences: Mapping[str, tuple[float, tuple[float, float]]]
    agreement: Agreement


def measure_gap(challenger: Scored, champion: Scored, policy: StabilityPolicy) -> ChampionGap:
    """Measure the gap between two models.

    Raises:
        DataError: their targets or their rows differ.
    """
    require_same_signature(challenger, champion)
    require_same_rows(challenger, champion)
    task, classes = challenger.manifest.task, len(challenger.manifest.classes)
    models = [to_sample(model, policy.threshold) for model in (challenger, champion)]
    family = differences(measure(models, resolve(names(task), task, classes)))
    ends = intervals(family, confidence=policy.confidence)
    gaps = {
        metric.name: (float(value), (float(low), float(high)))
        for metric, value, (low, high) in zip(family.metrics, family.value, ends, strict=True)
        if value == value
    }
    rows = EvaluationRows(task, policy.threshold, challenger.weights, challenger.clusters)
    pair = agreement(("candidate", "champion"), challenger.scores, champion.scores, rows, policy.confidence)
    return ChampionGap(gaps, pair)
