import math

import numpy as np
import pytest

from gauntlet.delivery.evidence.combination import panel_log_e, update_panel
from gauntlet.delivery.evidence.counts import Counts
from gauntlet.delivery.evidence.scores import TOLERANCE, counts, edges, histogram_edges, names
from gauntlet.delivery.evidence.sequential import Test, begin
from gauntlet.errors import DataError

EVEN = (np.arange(1000) + 0.5) / 1000


def above(scores, cuts):
    """How many scores lie above each edge."""
    return [int((np.asarray(scores) > cut).sum()) for cut in cuts]


def test_edges_are_deciles():
    cuts = edges(EVEN)
    np.testing.assert_allclose(cuts, np.arange(1, 10) / 10, atol=0.001)
    assert max(abs(np.array(above(EVEN, cuts)) - np.arange(900, 0, -100))) <= 1


def test_equal_scores_share_an_edge_and_the_highest_has_none():
    assert edges([0.0] * 50 + [1.0] * 50) == (0.0,)
    assert edges([0.0] * 95 + [1.0] * 5) == (0.0,)
    with pytest.raises(DataError, match="nearly all scores are the same"):
        edges([0.3] * 50)


def test_both_sides_of_every_edge_are_counted():
    found = counts(((3, 1), 4), ((50, 20), 60), (0.25, 0.5))
    above, below = names(0.25)
    assert found[above] == Counts(3, 4, 50, 60)
    assert found[below] == Counts(1, 4, 10, 60)
    assert len(found) == 4


def test_edges_close_together_keep_their_names():
    assert len({*names(0.1), *names(0.1 + 1e-15)}) == 4


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_a_score_that_is_none_is_refused(bad):
    with pytest.raises(DataError, match="must be finite"):
        edges([bad] * 20)


def test_too_few_scores_have_no_deciles():
    with pytest.raises(DataError, match="fewer scores than the 10 bins"):
        edges([0.1] * 9)


@pytest.mark.parametrize(("shift", "found"), [(0.0, False), (0.04, False), (0.15, True), (-0.15, True)])
def test_scores_that_moved_are_found_in_either_direction(shift, found):
    cuts = edges(EVEN)
    moved = np.clip(EVEN + shift, 0, 1)
    interval = counts((above(moved, cuts), 1000), ([9 * hits for hits in above(EVEN, cuts)], 9000), cuts)
    panel = {name: begin(Test(delta=TOLERANCE), baseline=(0, 0)) for name in interval}
    for _ in range(2):
        panel = update_panel(panel, interval)
    assert (panel_log_e(panel) > math.log(20)) is found


def histogram(values, bounds):
    return {bound: float(sum(value <= bound for value in values)) for bound in (*bounds, math.inf)}


def test_edges_of_a_histogram_are_its_boundaries_nearest_above_the_quantiles():
    tenths = [number / 10 for number in range(1, 10)]
    even = [number / 1000 for number in range(1, 1001)]
    assert histogram_edges(histogram(even, tenths)) == tuple(tenths)
    assert histogram_edges(histogram(even, tenths), bins=4) == (0.3, 0.5, 0.8)


@pytest.mark.parametrize(
    ("values", "edges"),
    [
        ([0.05] * 95 + [0.55] * 5, (0.1,)),  # nearly all in the first bucket
        ([0.05] * 2 + [0.95] * 98, (0.9,)),  # nearly all above the last boundary
        ([0.25] * 50 + [0.35] * 50, (0.3,)),
    ],
)
def test_where_most_scores_share_a_bucket_few_edges_are_left(values, edges):
    assert histogram_edges(histogram(values, [number / 10 for number in range(1, 10)])) == edges


@pytest.mark.parametrize(("values", "message"), [([0.25] * 100, "between two boundaries"), ([0.2] * 9, "fewer scores")])
def test_a_histogram_that_tells_nothing_has_no_edges(values, message):
    with pytest.raises(DataError, match=message):
        histogram_edges(histogram(values, [0.1, 0.3, 0.5]))
