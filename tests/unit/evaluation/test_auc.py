import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gauntlet.data.integrity.power import _auc as leakage_auc
from gauntlet.evaluation.auc import grouped_auc, rank

SCORES = st.lists(st.tuples(st.booleans(), st.integers(0, 6)), min_size=2, max_size=40)


def auc_influence(label, score, weight=None):
    """AUC of all rows, and each row's influence on it."""
    areas, influence = grouped_auc(rank(label, score, weight), np.zeros(len(label), dtype=np.int64), 1)
    return float(areas[0]), influence


def auc(label, score, weight=None):
    return auc_influence(label, score, weight)[0]


def pairs_auc(label, score, weight):
    """The definition, pair by pair."""
    pos, neg = label == 1, label == 0
    wins = (score[pos][:, None] > score[neg]) + 0.5 * (score[pos][:, None] == score[neg])
    pair_weight = weight[pos][:, None] * weight[neg]
    return (wins * pair_weight).sum() / pair_weight.sum()


@given(SCORES, st.integers(0, 2**32 - 1))
def test_equals_its_definition_by_pairs_with_ties_and_weights(rows, seed):
    label = np.array([float(positive) for positive, _ in rows])
    score = np.array([level / 6 for _, level in rows])
    weight = np.random.default_rng(seed).integers(1, 5, len(rows)).astype(float)
    found = auc(label, score, weight)
    if label.min() == label.max():
        assert np.isnan(found)
    else:
        assert found == pytest.approx(pairs_auc(label, score, weight), abs=1e-12)


@given(SCORES)
def test_weights_are_copies_of_rows(rows):
    label = np.array([float(positive) for positive, _ in rows])
    score = np.array([level / 6 for _, level in rows])
    copies = np.arange(len(rows)) % 3 + 1
    repeated = auc(np.repeat(label, copies), np.repeat(score, copies))
    assert auc(label, score, copies.astype(float)) == pytest.approx(repeated, abs=1e-12, nan_ok=True)


def test_turning_scores_round_turns_the_area_round():
    rng = np.random.default_rng(0)
    label = (rng.random(200) < 0.4).astype(float)
    score = np.round(rng.random(200), 1)
    assert auc(label, 1 - score) == pytest.approx(1 - auc(label, score), abs=1e-12)


def test_constant_scores_are_a_coin():
    assert auc(np.array([0.0, 1.0, 1.0]), np.full(3, 0.3)) == 0.5


@given(SCORES)
def test_the_leakage_check_has_the_same_area_and_influence(rows):
    label = np.array([float(positive) for positive, _ in rows])
    score = np.array([level / 6 for _, level in rows])
    if label.min() < label.max():
        area, influence = leakage_auc(score, label)
        assert area == pytest.approx(auc(label, score), abs=1e-12)
        np.testing.assert_allclose(influence, auc_influence(label, score)[1], atol=1e-12)


def test_influence_is_the_derivative_in_the_weights():
    rng = np.random.default_rng(2)
    label = (rng.random(40) < 0.5).astype(float)
    score, weight = rng.random(40), rng.random(40) + 0.5
    value, influence = auc_influence(label, score, weight)
    step = 1e-6
    for i in range(40):
        moved = weight.copy()
        moved[i] *= 1 + step
        assert (auc(label, score, moved) - value) / step == pytest.approx(influence[i], abs=1e-6)
    assert influence[label == 1].sum() == pytest.approx(0, abs=1e-12)
    assert influence[label == 0].sum() == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("digits", [1, 12], ids=["ties", "no ties"])
def test_groups_are_their_own_samples(digits):
    rng = np.random.default_rng(3)
    n = 500
    label = (rng.random(n) < 0.3).astype(float)
    score, weight = np.round(rng.random(n), digits), rng.random(n) + 0.1
    codes = rng.integers(-1, 4, n)
    label[codes == 3] = 1.0
    areas, influence = grouped_auc(rank(label, score, weight), codes, 5)
    for group in range(3):
        inside = codes == group
        value, own = auc_influence(label[inside], score[inside], weight[inside])
        assert areas[group] == pytest.approx(value, abs=1e-12)
        np.testing.assert_allclose(influence[inside], own, atol=1e-14)
    assert np.isnan(areas[3]), "one class only"
    assert np.isnan(areas[4]), "no rows"
    assert not influence[(codes == 3) | (codes == -1)].any()
