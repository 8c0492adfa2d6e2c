import numpy as np
import pytest

from gauntlet.evaluation.auc import delong
from gauntlet.evaluation.sample import sample
from gauntlet.evaluation.score_table import area, merge, tabulate
from gauntlet.evaluation.seeds import combine


def test_score_tables_of_shards_make_the_areas_of_the_whole():
    rng = np.random.default_rng(5)
    label, score, weight = (rng.random(300) < 0.3).astype(float), np.round(rng.random(300), 2), rng.random(300) + 0.1
    parts = [sample(label[s], score[s], task="binary", weight=weight[s]) for s in (slice(0, 90), slice(90, 300))]
    found = area(merge(*map(tabulate, parts)))
    value, covariance = delong(label, score[None], weight)
    assert found == pytest.approx((value[0], covariance[0, 0]), rel=1e-10)


def test_seed_variance_alone_has_its_own_degrees_of_freedom():
    assert combine(0.0, 100.0, 0.2, 4, models=2) == pytest.approx((0.08, 3.0))
