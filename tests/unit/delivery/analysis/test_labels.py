"""Labels counted by version: only what is ours, since the rollout began, and has its label."""

import pyarrow as pa
import pytest

from gauntlet.delivery.analysis import labels
from gauntlet.delivery.analysis.labels import Count, OutcomesSource, Rows, with_labels
from gauntlet.delivery.analysis.plan import AnalysisPlan
from gauntlet.delivery.analysis.state import Outcomes
from gauntlet.errors import ConfigurationError, DataError
from gauntlet.settings import parse

BEGAN, NOW = 1_000_000.0, 1_007_200.0


def source(**values):
    return parse(OutcomesSource, {"uri": "labels.csv", "wrong": "wrong", **values}, field="outcomes")


def rows(shown="labels.csv", sparse=False, **columns):
    return Rows(pa.RecordBatch.from_pydict(columns), shown, sparse)


def count(*table, chosen=None, now=NOW):
    return Count(chosen or source(), "2", "1", BEGAN, now).outcomes(table)


def test_wrong_and_all_decisions_of_both_versions_are_counted():
    first = rows(version=["2", "2", "1", "1", "1"], at=[BEGAN] * 5, wrong=[True, False, True, False, False])
    second = rows(version=["2", "1"], at=[BEGAN + 1] * 2, wrong=[True, False])
    assert count(first, second) == Outcomes(2, 3, 1, 4)
    assert count() == Outcomes()


def test_what_is_not_of_this_rollout_is_not_counted():
    table = rows(
        version=["2", "2", "3", "2", "1"],
        at=[BEGAN - 1, BEGAN, BEGAN, NOW + 1, NOW],
        wrong=[True, True, True, True, True],
    )
    assert count(table) == Outcomes(1, 1, 1, 1), "neither before it, nor another version's, nor of the future"


def test_a_decision_counts_once_its_label_has_arrived_and_is_final():
    at = [BEGAN, BEGAN + 3600, BEGAN + 5400]
    table = rows(version=["2"] * 3, at=at, wrong=[True, None, True])
    assert count(table) == Outcomes(2, 2)
    assert count(table, chosen=source(matures_after_hours=1.0)) == Outcomes(1, 1)
    assert count(table, chosen=source(matures_after_hours=1.0), now=NOW + 1800) == Outcomes(2, 2)


@pytest.mark.parametrize(
    ("version", "at", "wrong"),
    [
        (["2", "1"], ["1970-01-12T13:46:40Z", "1970-01-12T14:46:40Z"], ["true", "False"]),
        (["2.0", "1"], ["1970-01-12 13:46:40", "1970-01-12 14:46:40"], ["1", "0"]),
        ([2, 1], [1_000_000, 1_003_600], [1, 0]),
        ([2.0, 1.0], ["1000000", "1003600.5"], [1.0, 0.0]),
        (["2", "1"], pa.array([10**12, 10**12 + 1], pa.timestamp("us", tz="UTC")), ["1.0", "0"]),
    ],
    ids=["texts", "texts without a zone", "integers", "doubles", "timestamps"],
)
def test_columns_may_be_written_as_writers_write_them(version, at, wrong):
    assert count(rows(version=version, at=at, wrong=wrong)) == Outcomes(1, 1, 0, 1)


@pytest.mark.parametrize(
    ("predicted", "actual"),
    [
        (["a", "b", "c"], ["a", "x", None]),
        ([1, 0, 1], [1.0, 1.0, None]),
        (["1", "0", "1"], ["1.0", "1", None]),
        ([True, False, True], [1, 1, None]),
        (["True", "false", "1"], [True, True, None]),
        ([1.5, 2.5, 3.5], ["1.50", "2", None]),
        (["007", "b", "c"], ["7", "B", None]),
    ],
    ids=["texts", "numbers", "numbers as text", "bools and numbers", "bools as text", "fractions", "mixed"],
)
def test_a_decision_is_wrong_where_it_is_not_the_label(predicted, actual):
    chosen = source(wrong=None, predicted="said", actual="was")
    assert count(rows(version=["2"] * 3, at=[BEGAN] * 3, said=predicted, was=actual), chosen=chosen) == Outcomes(1, 2)


def test_one_decision_of_a_cluster_is_counted_the_first_in_the_table():
    chosen = source(cluster="customer")
    table = [
        rows(version=["3", "2", "1", "2"], at=[BEGAN] * 4, wrong=[True, False, True, True], customer=[7, 7, 7, 8]),
        rows(version=["2", "1"], at=[BEGAN] * 2, wrong=[True, False], customer=[8, 9]),
    ]
    assert count(*table, chosen=chosen) == Outcomes(1, 2, 0, 1)


def test_who_stands_for_a_cluster_stays_while_labels_arrive():
    chosen = source(cluster="customer")
    same = {"version": ["2", "1"], "at": [BEGAN, BEGAN], "customer": ["a", "a"]}
    assert count(rows(**same, wrong=pa.array([None, True])), chosen=chosen) == Outcomes()
    assert count(rows(**same, wrong=[False, True]), chosen=chosen) == Outcomes(0, 1)


def test_too_many_clusters_are_refused(monkeypatch):
    monkeypatch.setattr(labels, "MOST_CLUSTERS", 2)
    table = rows(version=["2"] * 3, at=[BEGAN] * 3, wrong=[True] * 3, customer=[1, 2, 3])
    with pytest.raises(DataError, match=r"labels.csv: customer: has more than 2 values"):
        count(table, chosen=source(cluster="customer"))


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"version": ["2"], "at": [BEGAN]}, r"labels.csv: wrong: there is no such column; found \['at', 'version'\]"),
        ({"version": [None, "2"], "at": [BEGAN] * 2, "wrong": [1, 1]}, "labels.csv: version: is empty in some rows"),
        ({"version": ["2"], "at": pa.nulls(1), "wrong": [True]}, "labels.csv: at: is empty in some rows"),
        ({"version": ["2"], "at": ["noon"], "wrong": [True]}, "labels.csv: at: is not a timestamp"),
        ({"version": ["2"], "at": [BEGAN * 1e6], "wrong": [True]}, "at: is not in seconds since 1970"),
        ({"version": ["2"], "at": [BEGAN], "wrong": [0.5]}, r"wrong: is not true or false in every row; found \[0.5\]"),
        ({"version": ["2"], "at": [BEGAN], "wrong": ["maybe"]}, "wrong: is not true or false"),
    ],
)
def test_a_table_that_is_not_as_declared_is_named_with_its_column(columns, message):
    with pytest.raises(DataError, match=message):
        count(rows(**columns))


def test_a_format_that_leaves_out_what_is_missing_may_have_no_label_yet_but_not_never():
    early = rows(version=["2"], at=[BEGAN], sparse=True)
    late = rows(version=["2"], at=[BEGAN], wrong=[True], sparse=True)
    assert count(early, late) == Outcomes(1, 1)
    with pytest.raises(DataError, match="wrong: there is no such column"):
        count(early)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"wrong": None}, "either wrong, or both"),
        ({"predicted": "said"}, "either wrong, or both"),
        ({"predicted": "said", "actual": "was"}, "either wrong, or both"),
        ({"wrong": None, "actual": "was"}, "either wrong, or both"),
        ({"matures_after_hours": -1}, "matures_after_hours"),
        ({"uri": ""}, "outcomes.uri"),
    ],
)
def test_a_source_says_in_one_way_what_is_wrong(values, message):
    with pytest.raises(ConfigurationError, match=message):
        source(**values)


def test_metrics_and_source_go_together():
    asked, silent = (
        parse(AnalysisPlan, {"metrics": metrics}, field="analysis") for metrics in (["errors", "outcomes"], ["errors"])
    )
    assert with_labels(silent, None) is silent
    assert with_labels(asked, source()) is asked
    with pytest.raises(ConfigurationError, match=r"analysis\.metrics: names outcomes, and nothing counts them"):
        with_labels(asked, None)
    with pytest.raises(ConfigurationError, match="outcomes: labels would be read for nothing"):
        with_labels(silent, source())


def test_one_decision_a_cluster_is_an_independent_one_unless_the_plan_knows_better():
    asked = parse(AnalysisPlan, {"metrics": ["errors", "outcomes"]}, field="analysis")
    assert with_labels(asked, source(cluster="customer")).outcomes.phi == 1.0
    known = parse(AnalysisPlan, {"metrics": ["errors", "outcomes"], "outcomes": {"phi": 2}}, field="analysis")
    assert with_labels(known, source(cluster="customer")).outcomes.phi == 2.0
