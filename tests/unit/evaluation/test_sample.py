import numpy as np
import pytest

from gauntlet.errors import ConfigurationError, DataError
from gauntlet.evaluation.sample import same_rows, sample

LABEL, SCORE = [0, 1, 1, 0], [0.2, 0.7, 0.6, 0.4]


def test_weights_of_one_are_no_weights():
    assert not sample(LABEL, SCORE, task="binary", weight=[1, 1, 1, 1]).weighted
    assert sample(LABEL, SCORE, task="binary", weight=[2, 2, 2, 2]).weighted


def test_clusters_may_be_names():
    assert sample(LABEL, SCORE, task="binary", cluster=["b", "a", "b", "c"]).cluster.tolist() == [1, 0, 1, 2]


def test_sums_of_squares_are_taken_around_the_mean_label():
    assert sample([1e9, 1e9 + 2], [0, 0], task="regression").origin == 1e9 + 1


@pytest.mark.parametrize(
    ("field", "arguments"),
    [
        ("label", {"label": [0, 1, 2, 0]}),
        ("label", {"label": [0, 0.5, 1, 0]}),
        ("label", {"label": []}),
        ("label", {"label": ["no", "yes", "no", "no"]}),
        ("score", {"score": [0.2, 0.7, 1.6, 0.4]}),
        ("score", {"score": [0.2, 0.7, np.nan, 0.4]}),
        ("score", {"score": [0.2, 0.7]}),
        ("score", {"score": [[0.2], [0.7], [0.6], [0.4]]}),
        ("score", {"task": "multiclass", "score": [[0.2, 0.2]] * 4}),
        ("weight", {"weight": [1, -1, 1, 1]}),
        ("weight", {"weight": [0, 0, 0, 0]}),
        ("weight", {"weight": [1, 1]}),
        ("cluster", {"cluster": [1, 2]}),
        ("cluster", {"cluster": [[1], [2], [3], [4]]}),
    ],
)
def test_rows_that_cannot_be_judged_are_refused_by_name(field, arguments):
    with pytest.raises(DataError) as caught:
        sample(**{"label": LABEL, "score": SCORE, "task": "binary", **arguments})
    assert caught.value.field == field


@pytest.mark.parametrize("threshold", [0, 1, -0.1, 50])
def test_a_threshold_is_a_probability(threshold):
    with pytest.raises(ConfigurationError, match="threshold"):
        sample(LABEL, SCORE, task="binary", threshold=threshold)


@pytest.mark.parametrize(
    ("differs", "other"),
    [
        ("label", {"label": [0, 1, 0, 0]}),
        ("weight", {"weight": [1, 2, 1, 1]}),
        ("cluster", {"cluster": [1, 1, 2, 3]}),
        ("task", {"task": "regression"}),
    ],
)
def test_models_are_compared_on_the_same_rows_only(differs, other):
    first = sample(LABEL, SCORE, task="binary")
    second = sample(**{"label": LABEL, "score": SCORE, "task": "binary", **other})
    with pytest.raises(DataError, match="same rows") as caught:
        same_rows([first, second])
    assert caught.value.field == differs
    same_rows([second, second])
