from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from threading import Thread
from typing import Any

import numpy as np
import pytest

from builders.served_models import brought
from gauntlet.errors import ConfigurationError
from gauntlet.model_digest import digest_model
from gauntlet.serving.answer import Answer, answer_of
from gauntlet.serving.contract import Rows
from gauntlet.serving.loading import ServedModel, open_served
from gauntlet.serving.score_counts import MISSING, OTHER, PROBABILITY_EDGES, ScoreCounts, known_values, score_counts

ModelOf = Callable[[str], Path]


def rows(**columns: Sequence[Any]) -> Rows:
    return Rows({name: list(values) for name, values in columns.items()}, len(next(iter(columns.values()))))


def column(values: Sequence[Any], name: str = "prediction") -> Answer:
    return Answer((name,), (np.asarray(values),), "column")


def test_a_score_on_an_edge_counts_as_at_most_it() -> None:
    counts = ScoreCounts([0.25, 0.5])
    for score in (0.25, 0.26, 0.5, 0.9):
        counts.add(rows(x=[1]), column([score]))
    assert counts.totals() == [1, 3, 4]


def test_many_rows_count_like_as_many_requests() -> None:
    scores = np.random.default_rng(7).random(500).astype(np.float32)
    regions = ["north", "south", None, "nowhere"] * 125
    together, apart = (ScoreCounts(PROBABILITY_EDGES, {"region": ["north", "south"]}) for _ in range(2))
    together.add(rows(region=regions), column(scores))
    for score, region in zip(scores, regions, strict=True):
        apart.add(rows(region=[region]), column([score]))
    assert together.totals() == apart.totals()
    assert together.by_slice() == apart.by_slice()
    assert together.totals()[-1] == 500
    assert {name: totals[-1] for name, totals in together.by_slice().items()} == {
        "region=north": 125,
        "region=south": 125,
        f"region={MISSING}": 125,
        f"region={OTHER}": 125,
    }


def test_the_score_of_two_columns_is_the_positive_classs() -> None:
    two = answer_of(np.array([[0.2, 0.8]]), rows=1, names=["yes", "no"])
    for positive, expected in [("", [0, 1]), ("no", [0, 1]), ("yes", [1, 1])]:
        counts = ScoreCounts([0.5], positive=positive)
        counts.add(rows(x=[1]), two)
        assert counts.totals() == expected


@pytest.mark.parametrize(
    "answer",
    [answer_of(np.array([[0.2, 0.3, 0.5]]), rows=1), column(["approve"]), column([True])],
    ids=["three classes", "a word", "a boolean"],
)
def test_what_has_no_one_score_is_not_counted(answer: Answer) -> None:
    counts = ScoreCounts([0.5])
    counts.add(rows(x=[1]), answer)
    assert counts.totals() == [0, 0]


def test_threads_lose_no_count() -> None:
    counts = ScoreCounts([0.5], {"x": ["a"]})

    def add() -> None:
        for _ in range(2000):
            counts.add(rows(x=["a"]), column([0.1]))

    threads = [Thread(target=add) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert counts.totals() == [8000, 8000]
    assert counts.by_slice()["x=a"] == [8000, 8000]


def served(folder: Path, use: Callable[[ServedModel], Any]) -> Any:
    with open_served(folder, digest_model(folder)) as model:
        return use(model)


def test_a_classifier_is_counted_by_hundredths_and_its_known_groups(model_of: ModelOf) -> None:
    counts = served(model_of("binary"), lambda model: score_counts(model, slice_columns=["region", "member"]))
    assert counts.edges == PROBABILITY_EDGES
    names = set(counts.by_slice())
    assert {"region=east", f"region={OTHER}", f"region={MISSING}", "member=True", "member=False"} <= names


def test_a_regression_is_counted_where_it_is_told_to_be(model_of: ModelOf) -> None:
    assert served(model_of("regression"), score_counts) is None
    assert served(model_of("regression"), lambda model: score_counts(model, [-1.0, 0.0, 1.0])).totals() == [0] * 4


def test_more_than_two_classes_are_not_counted(model_of: ModelOf) -> None:
    assert served(model_of("multiclass"), score_counts) is None
    with pytest.raises(ConfigurationError, match="score_edges: a multiclass model"):
        served(model_of("multiclass"), lambda model: score_counts(model, [0.5]))


@pytest.mark.parametrize(
    ("edges", "columns", "message"),
    [
        ([0.5, 0.5], [], "score_edges: must be finite, ascend"),
        ([0.5, float("inf")], [], "score_edges: must be finite"),
        ([number / 1000 for number in range(201)], [], "at most 200"),
        ([], ["amount"], "slice_columns: has no values known to the model"),
        ([], ["salary"], "slice_columns: is not an input of the model"),
        ([], ["region", "code", "member", "open", "grade"], "more than 4 columns"),
    ],
)
def test_what_cannot_be_counted_is_refused(
    model_of: ModelOf, edges: list[float], columns: list[str], message: str
) -> None:
    with pytest.raises(ConfigurationError, match=message):
        served(model_of("binary"), lambda model: score_counts(model, edges, columns))


def test_a_strangers_text_column_has_no_known_values(tmp_path: Path) -> None:
    folder = brought(
        tmp_path / "model", lambda frame: frame["amount"].to_numpy(), {"amount": "double", "who": "string"}
    )
    with pytest.raises(ConfigurationError, match="must not become labels"):
        served(folder, lambda model: known_values(model, "who"))
    with pytest.raises(ConfigurationError, match="needs edges"):
        served(folder, lambda model: score_counts(model, slice_columns=["who"]))
