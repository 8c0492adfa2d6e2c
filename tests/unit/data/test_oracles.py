"""Distances against SciPy's. Runs in the evaluation image's environment: that of the data has no SciPy."""

import numpy as np
import pytest
from scipy.spatial import distance

from gauntlet.data.distance import jensen_shannon, l_infinity


@pytest.mark.parametrize("concentration", [0.02, 1.0, 50.0])
def test_distances_of_shares(concentration):
    """From distributions with empty categories to nearly equal ones."""
    first, second = np.random.default_rng(1).dirichlet(np.full(12, concentration), (2, 20))
    for found, p, q in zip(jensen_shannon(first, second), first, second, strict=True):
        # Its root is SciPy's; of nearly equal distributions half of the digits are lost in it.
        assert found == pytest.approx(distance.jensenshannon(p, q, base=2) ** 2, rel=1e-6)
    for found, p, q in zip(l_infinity(first, second), first, second, strict=True):
        assert found == pytest.approx(distance.chebyshev(p, q), rel=1e-12)
