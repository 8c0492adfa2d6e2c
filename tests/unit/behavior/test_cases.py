"""Golden cases: making their rows, and holding answers against what is known."""

from __future__ import annotations

import json

import numpy as np
import pyarrow as pa
import pytest

from builders.behavior import logistic, rows, subject_of, suite_of
from gauntlet.behavior.cases import bulk_rows, compare, inline_row, read_example
from gauntlet.data.snapshot import EXAMPLE_ID
from gauntlet.errors import ConfigurationError, DataError

PATH = "suite.golden.0"
ROW = {"income": 5000, "late": 0, "region": "north", "member": True}


def case_of(expect, row=None, **more):
    given = {"row": ROW if row is None else row} if "rows" not in more else {}
    return suite_of(json.dumps({"golden": [{"name": "a", "expect": expect, **given, **more}]})).golden[0]


def answered(expect, task="binary", threshold=None, formula=logistic, table=None):
    more = {} if table is None else {"rows": {"uri": "x", "sha256": "a" * 64}}
    case, subject = case_of(expect, **more), subject_of(formula, task, threshold)
    table = inline_row(case, subject, None, PATH) if table is None else table
    return compare(case, table, subject.answer(table), subject, PATH)


def test_a_row_has_the_models_columns_in_a_snapshots_types():
    table = inline_row(case_of({"class": "yes"}, {**ROW, "sex": "female", "region": None}), subject_of(), None, PATH)
    assert table.column_names == ["income", "late", "region", "member"]
    assert [str(field.type) for field in table.schema] == ["double", "int64", "string", "bool"]
    assert table.to_pylist() == [{**ROW, "income": 5000.0, "region": None}]


def test_a_missing_column_is_named_and_filled_only_when_asked():
    partial = {"income": 5000, "late": 0, "member": True}
    with pytest.raises(ConfigurationError, match=r"suite.golden.0.row: the model reads region, which is not given"):
        inline_row(case_of({"class": "yes"}, partial), subject_of(), {"region": "west"}, PATH)
    filled = case_of({"class": "yes"}, partial, fill="example")
    table = inline_row(filled, subject_of(), {"region": "west"}, PATH)
    assert table.column("region").to_pylist() == ["west"]
    nothing = inline_row(filled, subject_of(), {"region": float("nan")}, PATH)
    assert nothing.column("region").to_pylist() == [None]
    with pytest.raises(ConfigurationError, match=r"suite.golden.0.fill: the model has no input example"):
        inline_row(filled, subject_of(), None, PATH)
    with pytest.raises(ConfigurationError, match="input example has no region"):
        inline_row(filled, subject_of(), {"income": 1.0}, PATH)


SCORE = float(logistic({"income": np.array([5000.0]), "late": np.array([0])})[0])


@pytest.mark.parametrize(
    ("expect", "wrong"),
    [
        ({"class": "yes"}, ""),
        ({"class": "no"}, "class no"),
        ({"score": {"min": 0.7}}, ""),
        ({"score": {"min": SCORE, "max": SCORE}}, ""),
        ({"score": {"min": 0.9}}, "a score of at least 0.9"),
        ({"score": {"max": 0.5}}, "a score of at most 0.5"),
        ({"score": {"min": 0.1, "max": 0.5}}, "a score from 0.1 to 0.5"),
        ({"class": "no", "score": {"max": 0.5}}, "a score of at most 0.5 and class no"),
    ],
)
def test_an_answer_is_the_known_one_or_says_what_that_was(expect, wrong):
    found = answered(expect)
    assert found.wrong == (wrong,)
    assert found.scores[0] == pytest.approx(SCORE)
    assert found.decisions == ("class yes",)


def test_the_threshold_decides():
    assert answered({"class": "no"}, threshold=0.95).wrong == ("",)


def test_many_classes():
    def formula(columns):
        gold = logistic(columns)
        return np.stack([gold, (1 - gold) * 0.7, (1 - gold) * 0.3], axis=1)

    assert answered({"class": "gold"}, "multiclass", formula=formula).wrong == ("",)
    silver = answered({"class": "silver", "score": {"min": 0.5, "of": "silver"}}, "multiclass", formula=formula)
    assert silver.wrong == ("a score of at least 0.5 and class silver",)
    assert silver.scores[0] == pytest.approx(0.7 * (1 - SCORE))


def test_a_regression():
    found = answered({"score": {"min": 4900, "max": 5100}}, "regression", formula=lambda columns: columns["income"])
    assert found.wrong == ("",)
    assert found.decisions is None


@pytest.fixture
def bulk():
    table = rows(4)
    scores = logistic({name: table.column(name).to_numpy(zero_copy_only=False) for name in ("income", "late")})
    return table.append_column("answer", pa.array(np.where(scores >= 0.5, "yes", "no"))).append_column(
        "score", pa.array(scores)
    )


def test_bulk_answers_are_held_row_by_row(bulk):
    expect = {"class_column": "answer", "score": {"column": "score", "tolerance": 0.01}}
    assert answered(expect, table=bulk).wrong == ("",) * 4
    other = bulk.set_column(
        bulk.schema.get_field_index("score"), "score", pa.array([0.0, *bulk["score"].to_pylist()[1:]])
    )
    found = answered(expect, table=other)
    assert found.wrong[0] == "a score from -0.01 to 0.01"
    assert found.wrong[1:] == ("",) * 3
    assert found.names == ("row-0", "row-1", "row-2", "row-3")
    assert answered({"class_column": "answer"}, formula=lambda c: 1 - logistic(c), table=bulk).wrong.count("") == 0


@pytest.mark.parametrize(
    ("expect", "change", "words"),
    [
        ({"class_column": "anwser"}, {}, "the file lacks the column anwser of expected answers"),
        ({"class_column": "answer"}, {"answer": ["yes", None, "no", "no"]}, "row 2 has no expected answer in answer"),
        (
            {"score": {"column": "score", "tolerance": 0.1}},
            {"score": ["a", "b", "c", "d"]},
            "row 1 expects a score that is no number",
        ),
    ],
)
def test_bulk_answers_that_are_none(bulk, expect, change, words):
    for name, values in change.items():
        bulk = bulk.set_column(bulk.schema.get_field_index(name), name, pa.array(values))
    with pytest.raises(DataError, match=words):
        answered(expect, table=bulk)


def test_a_bulk_class_that_the_model_does_not_know(bulk):
    other = bulk.set_column(bulk.schema.get_field_index("answer"), "answer", pa.array(["yes", "maybe", "no", "no"]))
    with pytest.raises(ConfigurationError, match="the model has no such class; found 'maybe'"):
        answered({"class_column": "answer"}, table=other)


def test_bulk_rows_get_a_snapshots_types():
    table = pa.table({"income": [5000], "late": [1.0], "region": ["north"], "member": [1]})
    found = bulk_rows(table, ["income", "late", "member"], subject_of(), {}, PATH)
    assert found.column("income").to_pylist() == [5000.0]
    assert found.column("late").type == pa.int64()
    assert found.column("member").to_pylist() == [True]
    assert found.column(EXAMPLE_ID).to_pylist() == ["row 1"]


def test_bulk_rows_that_lack_a_column_or_hold_another_type():
    table = pa.table({"income": ["much"], "late": [1]})
    with pytest.raises(DataError, match=r"suite.golden.0.rows: column income of the file is string, not float"):
        bulk_rows(table, ["income"], subject_of(), {}, PATH)
    with pytest.raises(DataError, match=r"suite.golden.0.rows: the file lacks the column region"):
        bulk_rows(table, ["late", "region"], subject_of(), {}, PATH)
    assert bulk_rows(table, ["late", "region"], subject_of(), {"region": "west"}, PATH)["region"].to_pylist() == [
        "west"
    ]


def test_a_models_example_is_read_where_there_is_one(tmp_path):
    assert read_example(tmp_path) is None
    (tmp_path / "MLmodel").write_text("saved_input_example_info: {type: dataframe, artifact_path: example.json}")
    assert read_example(tmp_path) is None
    (tmp_path / "example.json").write_text('{"columns": ["a", "b"], "data": [[1, "x"]]}')
    assert read_example(tmp_path) == {"a": 1, "b": "x"}
    (tmp_path / "MLmodel").write_text("saved_input_example_info: {type: ndarray, artifact_path: example.json}")
    assert read_example(tmp_path) is None
