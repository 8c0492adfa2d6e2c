"""How far two distributions are apart: the measures of TFDV's comparators, as functions of arrays.

The gate takes its distances from TFDV itself. These say the same (a test compares them with TFDV's C++), many
replicates at a time, so that the noise in a distance can be simulated.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def l_infinity(first: Array, second: Array) -> Array:
    """Largest difference of any category's share.

    Args:
        first, second: shares, shape (..., k); each sums to 1 over the last axis.

    Returns:
        Shape (...), in [0, 1].

    >>> float(l_infinity(np.array([0.5, 0.5]), np.array([0.2, 0.8])).round(6))
    0.3
    """
    return np.asarray(np.abs(first - second).max(axis=-1))


def jensen_shannon(first: Array, second: Array) -> Array:
    """Jensen–Shannon divergence in bits.

    Lin, "Divergence measures based on the Shannon entropy", IEEE Transactions on Information Theory 37 (1991). Its
    square root is a metric (Endres and Schindelin, 2003).

    Args:
        first, second: shares, shape (..., k); each sums to 1 over the last axis.

    Returns:
        Shape (...), in [0, 1]: 0 for equal distributions, 1 for disjoint ones.

    >>> float(jensen_shannon(np.array([1.0, 0.0]), np.array([0.0, 1.0])))
    1.0
    """
    middle = (first + second) / 2
    divergence = (_entropy_terms(first, middle) + _entropy_terms(second, middle)) / 2
    return np.asarray(np.clip(divergence, 0.0, 1.0))


def _entropy_terms(shares: Array, middle: Array) -> Array:
    ratio = np.divide(shares, middle, out=np.ones_like(shares), where=shares > 0)
    return np.asarray((shares * np.log2(ratio)).sum(axis=-1))
