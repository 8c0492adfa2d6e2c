"""Two models' AUCs and the DeLong covariance between them, beside scikit-learn computing the two AUCs alone.

python benchmarks/paired_auc.py
"""

from __future__ import annotations

import time
from collections.abc import Callable

from environment import enter

enter("evaluation")  # from here on scikit-learn can be imported

import numpy as np  # noqa: E402
from machine import describe  # noqa: E402
from sklearn.metrics import roc_auc_score  # noqa: E402

from gauntlet.evaluation.auc import delong  # noqa: E402

ROWS = 1_000_000
REPEATS = 5


def simulate(rows: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(7)
    label = (rng.random(rows) < 0.2).astype(np.float64)
    signal = 1.3 * label + 0.6 * rng.normal(size=rows)
    scores = np.stack([1 / (1 + np.exp(-(signal + 0.8 * rng.normal(size=rows)))) for _ in range(2)])
    return label, scores


def fastest(run: Callable[[], object]) -> float:
    times = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    return min(times)


def main() -> None:
    label, scores = simulate(ROWS)
    print(describe(), f"{ROWS:,} rows, best of {REPEATS}", sep="\n")
    for name, both in (("continuous scores", scores), ("scores rounded to 3 digits", np.round(scores, 3))):
        areas, covariance = delong(label, both)
        theirs = np.array([roc_auc_score(label, score) for score in both])
        assert np.abs(areas - theirs).max() < 1e-12, (areas, theirs)
        error = np.sqrt(covariance[0, 0] + covariance[1, 1] - 2 * covariance[0, 1])
        ours_s = fastest(lambda both=both: delong(label, both))
        theirs_s = fastest(lambda both=both: [roc_auc_score(label, score) for score in both])
        print(f"{name}: AUC {areas[0]:.6f} and {areas[1]:.6f}, agreed to {np.abs(areas - theirs).max():.0e}")
        print(f"  gauntlet, both AUCs and their covariance (se of difference {error:.6f}): {ours_s:.3f} s")
        print(f"  scikit-learn, roc_auc_score twice, no covariance:                       {theirs_s:.3f} s")
        print(f"  ratio {ours_s / theirs_s:.2f}")


if __name__ == "__main__":
    main()
