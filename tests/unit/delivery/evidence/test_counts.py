import math

import pytest

from gauntlet.delivery.evidence.counts import Counts
from gauntlet.errors import DataError


def test_possible_counts_are_taken():
    assert Counts(0, 0, 3, 3).stable_hits == 3
    assert Counts(1.0, 2.0, 0, 10**9).canary_requests == 2


@pytest.mark.parametrize(
    ("counts", "message"),
    [
        ((3, 2, 0, 0), "canary_hits: is more than the 2 requests"),
        ((0, 0, 3, 2), "stable_hits: is more than the 2 requests"),
        ((-1, 2, 0, 0), "canary_hits: must be a whole number"),
        ((0, 2.5, 0, 0), r"increase\(\) extrapolates"),
        ((0, 0, 0, math.nan), "stable_requests: must be a whole number"),
        ((0, math.inf, 0, 0), "canary_requests: must be a whole number"),
    ],
)
def test_impossible_counts_are_refused(counts, message):
    with pytest.raises(DataError, match=message):
        Counts(*counts)
