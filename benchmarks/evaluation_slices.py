"""Two models, a million rows, a hundred slices, eight metrics: every interval at once, beside Fairlearn's bootstrap.

Gauntlet is timed on the whole task: estimates of both models, their paired differences and the gaps of every slice to
the reference, each family with simultaneous intervals. Fairlearn's ``MetricFrame`` is timed on one partition, one model
and a few resamples at the same number of rows, on the metrics both have; what the whole task would take is an
extrapolation, and printed as one.

Run: PYTHONPATH=src .environments/bench-evaluation/bin/python benchmarks/evaluation_slices.py
"""

from __future__ import annotations

import argparse
import time

import numpy as np
from fairlearn.metrics import MetricFrame, false_positive_rate, selection_rate, true_positive_rate
from machine import describe
from sklearn.metrics import accuracy_score, precision_score, roc_auc_score

from gauntlet.evaluation.families import differences, gaps
from gauntlet.evaluation.intervals import intervals
from gauntlet.evaluation.metrics import resolve
from gauntlet.evaluation.panel import Panel, measure
from gauntlet.evaluation.sample import Sample, sample
from gauntlet.evaluation.slices import Partition, Slice

METRICS = (
    "auc", "log_loss", "brier", "accuracy", "selection_rate", "true_positive_rate", "false_positive_rate", "precision",
)  # fmt: skip
SHARED = {
    "accuracy": accuracy_score,
    "selection_rate": selection_rate,
    "true_positive_rate": true_positive_rate,
    "false_positive_rate": false_positive_rate,
    "precision": precision_score,
}
LEVELS = {"sex": 2, "race": 5, "age": 6, "region": 10, "channel": 3, "tenure": 8}
CROSSED = (("sex", "race"), ("sex", "age"), ("race", "channel"), ("sex", "region"))
RESAMPLES = 1000
"""What a 95 % percentile interval is usually given."""


def simulate(rows: int) -> tuple[list[Sample], list[Partition]]:
    rng = np.random.default_rng(11)
    label = (rng.random(rows) < 0.25).astype(np.float64)
    signal = 1.3 * label - 0.6 + 0.6 * rng.normal(size=rows)
    models = [sample(label, 1 / (1 + np.exp(-(signal + 0.8 * rng.normal(size=rows)))), task="binary") for _ in range(2)]
    columns = {name: rng.integers(0, count, rows) for name, count in LEVELS.items()}
    partitions = [
        Partition(name, codes, tuple(f"{name}{k}" for k in range(LEVELS[name]))) for name, codes in columns.items()
    ]
    for a, b in CROSSED:
        levels = tuple(f"{i}, {j}" for i in range(LEVELS[a]) for j in range(LEVELS[b]))
        partitions.append(Partition(f"{a} × {b}", columns[a] * LEVELS[b] + columns[b], levels))
    return models, partitions


def evaluate(models: list[Sample], partitions: list[Partition]) -> tuple[Panel, int]:
    panel = measure(models, resolve(METRICS, "binary"), partitions)
    paired = intervals(differences(panel), simultaneous=True)
    against_all = intervals(gaps(panel, reference="all"), simultaneous=True)
    return panel, len(paired) + len(against_all)


def assert_agreement(panel: Panel, models: list[Sample], partition: Partition) -> float:
    """Every shared metric of every group of one partition, and the AUCs, against Fairlearn and scikit-learn."""
    frame = MetricFrame(
        metrics=SHARED,
        y_true=models[0].label,
        y_pred=(models[0].score >= models[0].threshold).astype(float),
        sensitive_features=partition.codes,
    )
    worst = 0.0
    for code, level in enumerate(partition.levels):
        ours = panel.value[0, panel.slice_index(Slice(partition.name, level))]
        for name in SHARED:
            worst = max(worst, abs(ours[panel.metric_index(name)] - frame.by_group.loc[code, name]))
        inside = partition.codes == code
        area = roc_auc_score(models[0].label[inside], models[0].score[inside])
        worst = max(worst, abs(ours[panel.metric_index("auc")] - area))
    assert worst < 1e-9, worst
    return worst


def time_fairlearn(model: Sample, partition: Partition, resamples: int) -> float:
    """Seconds that ``resamples`` resamples add to one MetricFrame of one partition and one model."""
    arguments = {
        "metrics": SHARED,
        "y_true": model.label,
        "y_pred": (model.score >= model.threshold).astype(float),
        "sensitive_features": partition.codes,
    }
    start = time.perf_counter()
    MetricFrame(**arguments)
    plain = time.perf_counter() - start
    start = time.perf_counter()
    MetricFrame(**arguments, n_boot=resamples, ci_quantiles=[0.025, 0.975], random_state=0)
    return time.perf_counter() - start - plain


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--resamples", type=int, default=2, help="resamples that Fairlearn is timed on")
    chosen = parser.parse_args()
    models, partitions = simulate(chosen.rows)
    slices = sum(len(partition.levels) for partition in partitions)
    print(describe())
    print(f"{chosen.rows:,} rows, 2 models, {len(partitions)} partitions, {slices} slices, {len(METRICS)} metrics")
    panel, count = evaluate(models, partitions)
    print(f"agreement with Fairlearn and scikit-learn: within {assert_agreement(panel, models, partitions[3]):.0e}")
    times = []
    for _ in range(5):
        start = time.perf_counter()
        evaluate(models, partitions)
        times.append(time.perf_counter() - start)
    ours = min(times)
    print(f"gauntlet: {count:,} simultaneous intervals (paired differences, gaps to all rows) in {ours:.2f} s "
          f"(best of {len(times)}; slowest {max(times):.2f} s)")  # fmt: skip
    theirs = time_fairlearn(models[0], partitions[3], chosen.resamples)
    each = theirs / chosen.resamples
    print(f"fairlearn: {chosen.resamples} resamples of 1 partition ({len(partitions[3].levels)} groups), 1 model, "
          f"{len(SHARED)} metrics: {theirs:.1f} s, {each:.2f} s a resample")  # fmt: skip
    whole = each * RESAMPLES * len(partitions) * len(models)
    print(f"  extrapolated to {RESAMPLES} resamples × {len(partitions)} partitions × 2 models: {whole:,.0f} s")
    print(f"  ratio, extrapolated: {whole / ours:,.0f}")
    print(
        f"  ratio, 1 partition and 1 model at {RESAMPLES} resamples to our whole task: {each * RESAMPLES / ours:,.0f}"
    )


if __name__ == "__main__":
    main()
