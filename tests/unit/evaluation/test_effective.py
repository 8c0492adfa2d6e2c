"""Effective sizes of shares: plain rows are themselves, and few rows of a kind are taken with caution."""

import numpy as np
import pytest
from scipy import stats

from gauntlet.evaluation.effective import binomial_size, implied_size
from gauntlet.evaluation.families import levels
from gauntlet.evaluation.metrics import resolve
from gauntlet.evaluation.panel import measure
from gauntlet.evaluation.sample import sample

ALONE, TOGETHER = np.array([1.959964]), np.array([3.3])


def share(flags, **columns):
    flags = np.asarray(flags, dtype=float)
    return levels(measure([sample(flags, flags, task="binary", **columns)], resolve(["selection_rate"], "binary")))


@pytest.mark.parametrize("hits", [0, 1, 30, 60])
def test_plain_rows_count_as_they_are(hits):
    family = share(np.arange(60) < hits)
    assert binomial_size(family, family.first, ALONE) == pytest.approx(60)
    assert binomial_size(family, family.first, TOGETHER) == pytest.approx(60)


def test_clusters_that_are_of_one_mind_count_once():
    units = np.arange(60) < 12
    family = share(np.repeat(units, 5), cluster=np.repeat(np.arange(60), 5))
    assert implied_size(family.first) == pytest.approx(60, rel=0.03)
    # t has the clusters' degrees of freedom.
    shrink = (1.959964 / stats.t.isf(0.025, 59)) ** 2
    assert binomial_size(family, family.first, ALONE) == pytest.approx(60 * shrink, rel=0.03)


def test_a_cluster_with_more_hits_may_be_yet_to_come():
    """One hit among 450 rows of 90 clusters shows no likeness within clusters: it could not."""
    few = share(np.arange(450) == 7, cluster=np.arange(450) % 90)
    assert implied_size(few.first) == pytest.approx(450, rel=0.05)
    assert binomial_size(few, few.first, ALONE) < 0.6 * 450
    assert binomial_size(few, few.first, TOGETHER) < binomial_size(few, few.first, ALONE)
    assert binomial_size(few, few.first, TOGETHER) > 90
    many = share(np.arange(450) % 2, cluster=np.arange(450) // 5)
    assert binomial_size(many, many.first, ALONE) > 0.8 * implied_size(many.first)


def test_weights_that_follow_the_label_keep_most_of_what_they_tell_and_few_hits_do_not():
    def weighted(hits):
        flags = np.arange(400) < hits
        family = share(flags, weight=np.where(flags, 0.2, 1.0))
        return (binomial_size(family, family.first, ALONE) / implied_size(family.first))[0]

    assert weighted(200) > 0.85
    assert weighted(3) < 0.6
