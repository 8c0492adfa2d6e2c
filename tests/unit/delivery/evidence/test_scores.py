import math

import numpy as np
import pytest

from gauntlet.delivery.evidence.combination import panel_log_e, update_panel
from gauntlet.delivery.evidence.counts import Counts
from gauntlet.delivery.evidence.scores import TOLERANCE, counts, edges, exceedances, names
from gauntlet.delivery.evidence.sequential import Test, begin
from gauntlet.errors import DataError

EVEN = (np.arange(1000) + 0.5) / 1000


def test_edges_are_deciles():
    cuts = edges(EVEN)
    np.testing.assert_allclose(cuts, np.arange(1, 10) / 10, atol=0.001)
    assert (
        exceedances(EVEN, cuts) == tuple(range(900, 0, -100))
        or max(abs(np.array(exceedances(EVEN, cuts)) - np.arange(900, 0, -100))) <= 1
    )


def test_equal_scores_share_an_edge_and_the_highest_has_none():
    assert edges([0.0] * 50 + [1.0] * 50) == (0.0,)
    assert edges([0.0] * 95 + [1.0] * 5) == (0.0,)
    with pytest.raises(DataError, match="nearly all scores are the same"):
        edges([0.3] * 50)


def test_scores_on_an_edge_are_not_above_it():
    assert exceedances([0.1, 0.2, 0.2, 0.3], [0.2]) == (1,)
    assert exceedances([], [0.2]) == (0,)


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
        exceedances([0.1, bad], [0.5])
    with pytest.raises(DataError, match="must be finite"):
        edges([bad] * 20)


def test_too_few_scores_have_no_deciles():
    with pytest.raises(DataError, match="fewer scores than the 10 bins"):
        edges([0.1] * 9)


@pytest.mark.parametrize(("shift", "found"), [(0.0, False), (0.04, False), (0.15, True), (-0.15, True)])
def test_scores_that_moved_are_found_in_either_direction(shift, found):
    cuts = edges(EVEN)
    moved = np.clip(EVEN + shift, 0, 1)
    interval = counts((exceedances(moved, cuts), 1000), ([9 * hits for hits in exceedances(EVEN, cuts)], 9000), cuts)
    panel = {name: begin(Test(delta=TOLERANCE), baseline=(0, 0)) for name in interval}
    for _ in range(2):
        panel = update_panel(panel, interval)
    assert (panel_log_e(panel) > math.log(20)) is found
