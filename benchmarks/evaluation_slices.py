"""Two models, a million rows, a hundred slices, eight metrics: every interval at once; and beside Fairlearn.

    python benchmarks/evaluation_slices.py

The first part times Gauntlet on the whole task: estimates of both models, their paired differences and the gaps of
every slice to all rows, each family with simultaneous intervals.

The second part gives Fairlearn's ``MetricFrame`` and Gauntlet the same job: the same rows, one model, one partition,
the metrics both have, a 95 % interval for each group and metric. Fairlearn's intervals come from resamples, and are as
good as their number; Gauntlet's from the covariance, in one pass. The ratio is seconds over seconds, with the resamples
that were run. Multiplied up to the resamples that an interval is usually given, it is printed as an extrapolation.
"""

from __future__ import annotations

import argparse
import resource
import time
from collections.abc import Callable

from environment import enter

enter("evaluation")  # from here on Fairlearn and scikit-learn can be imported

import numpy as np  # noqa: E402
from fairlearn.metrics import MetricFrame, false_positive_rate, selection_rate, true_positive_rate  # noqa: E402
from machine import describe  # noqa: E402
from sklearn.metrics import accuracy_score, precision_score, roc_auc_score  # noqa: E402

from gauntlet.evaluation.families import differences, gaps, levels  # noqa: E402
from gauntlet.evaluation.intervals import intervals  # noqa: E402
from gauntlet.evaluation.metrics import resolve  # noqa: E402
from gauntlet.evaluation.panel import Panel, measure  # noqa: E402
from gauntlet.evaluation.sample import Sample, sample  # noqa: E402
from gauntlet.evaluation.slices import Partition, Slice  # noqa: E402

BUDGET_SECONDS = 3.0
REPEATS = 5
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


def fairlearn_frame(model: Sample, partition: Partition, resamples: int | None = None) -> MetricFrame:
    """The shared metrics of each group, with 95 % percentile intervals when there are resamples."""
    bootstrap = {"n_boot": resamples, "ci_quantiles": [0.025, 0.975], "random_state": 0} if resamples else {}
    return MetricFrame(
        metrics=SHARED,
        y_true=model.label,
        y_pred=(model.score >= model.threshold).astype(float),
        sensitive_features=partition.codes,
        **bootstrap,
    )


def same_job(model: Sample, partition: Partition) -> tuple[np.ndarray, np.ndarray]:
    """(groups, metrics) of what Fairlearn computes, and (groups, metrics, 2) intervals."""
    panel = measure([model], resolve(tuple(SHARED), "binary"), [partition])
    family = levels(panel, slices=panel.slices[1:])
    shape = (len(partition.levels), len(SHARED))
    return family.value.reshape(shape), intervals(family).reshape(*shape, 2)


def assert_agreement(panel: Panel, models: list[Sample], partition: Partition) -> float:
    """Every shared metric of every group of one partition, and the AUCs, against Fairlearn and scikit-learn."""
    frame = fairlearn_frame(models[0], partition)
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


def seconds(run: Callable[[], object], repeats: int) -> tuple[list[float], float]:
    """Wall-clock seconds of each repeat, and the processor's seconds of the cheapest."""
    walls, cpus = [], []
    for _ in range(repeats):
        before, start = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter()
        run()
        walls.append(time.perf_counter() - start)
        after = resource.getrusage(resource.RUSAGE_SELF)
        cpus.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return walls, min(cpus)


def whole_task(rows: int) -> None:
    models, partitions = simulate(rows)
    slices = sum(len(partition.levels) for partition in partitions)
    print(f"{rows:,} rows, 2 models, {len(partitions)} partitions, {slices} slices, {len(METRICS)} metrics")
    panel, count = evaluate(models, partitions)
    print(f"  agreement with Fairlearn and scikit-learn: within {assert_agreement(panel, models, partitions[3]):.0e}")
    walls, cpu = seconds(lambda: evaluate(models, partitions), REPEATS)
    print(f"  gauntlet: {count:,} simultaneous intervals (paired differences, gaps to all rows): "
          f"best {min(walls):.2f} s, slowest {max(walls):.2f} s of {REPEATS}; {cpu:.2f} s of processor")  # fmt: skip
    print(f"  budget {BUDGET_SECONDS:.0f} s: {'kept' if min(walls) <= BUDGET_SECONDS else 'exceeded'}")


def beside_fairlearn(rows: int, resamples: int) -> None:
    models, partitions = simulate(rows)
    model, partition = models[0], partitions[3]
    groups = len(partition.levels)
    print(f"the same job: {rows:,} rows, 1 model, {groups} groups, {len(SHARED)} metrics, 95 % intervals")
    value, ends = same_job(model, partition)
    points = fairlearn_frame(model, partition).by_group[list(SHARED)].to_numpy(dtype=np.float64)
    assert np.abs(value - points).max() < 1e-9
    start = time.perf_counter()
    frame = fairlearn_frame(model, partition, resamples)
    theirs = time.perf_counter() - start
    low, high = (part[list(SHARED)].to_numpy(dtype=np.float64) for part in frame.by_group_ci)
    width = float(np.median((high - low) / (ends[..., 1] - ends[..., 0])))
    assert 0.3 < width < 1.5, width  # both estimate the same spread; few resamples reach less far into the tails
    walls, _ = seconds(lambda: same_job(model, partition), REPEATS)
    ours = min(walls)
    print(f"  agreement: estimates within {np.abs(value - points).max():.0e}; "
          f"Fairlearn's intervals are {width:.2f} times as wide (median)")  # fmt: skip
    print(f"  fairlearn, {resamples} resamples: {theirs:.1f} s; gauntlet: {ours:.3f} s (best of {REPEATS})")
    print(f"  ratio as measured ({theirs:.1f} / {ours:.3f}): {theirs / ours:,.0f}")
    print(f"  extrapolated to {RESAMPLES} resamples ({theirs:.1f} × {RESAMPLES} / {resamples} s), not run: "
          f"{theirs * RESAMPLES / resamples / ours:,.0f}")  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=1_000_000, help="rows of the whole task")
    parser.add_argument("--peer-rows", type=int, default=20_000, help="rows of the job that Fairlearn does too")
    parser.add_argument("--resamples", type=int, default=100, help="resamples that Fairlearn is given")
    chosen = parser.parse_args()
    print(describe())
    whole_task(chosen.rows)
    beside_fairlearn(chosen.peer_rows, chosen.resamples)


if __name__ == "__main__":
    main()
