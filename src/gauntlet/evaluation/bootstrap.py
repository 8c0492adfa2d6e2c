"""Poisson bootstrap for metrics without an influence function: mergeable, and the same however the rows are sharded."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gauntlet.evaluation.sample import Floats


def poisson_weights(units: ArrayLike, *, seed: int, replicates: range) -> NDArray[np.uint8]:
    """(len(units), len(replicates)) Poisson(1) counts, a pure function of (seed, unit, replicate).

    Args:
        units: (n,) identifiers of the sampling units: strings or integers. Rows of one cluster share the cluster's
            identifier and so its counts.
        seed: any integer.
        replicates: which replicates, so that they can be made in chunks.
    """
    raise NotImplementedError


def bootstrap(statistic: Callable[[Floats], float], units: ArrayLike, *, seed: int, replicates: int = 1000) -> Floats:
    """(replicates,) values of ``statistic(counts)``, which takes (n,) replicate weights; NaN where it is undefined."""
    raise NotImplementedError


def bootstrap_interval(values: Floats, *, confidence: float = 0.95) -> tuple[float, float]:
    """Percentile interval of replicate values.

    Raises:
        DataError: more than 5% of replicates are undefined (dropping them would hide it).
    """
    raise NotImplementedError
