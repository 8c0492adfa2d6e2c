"""Served scores against offline ones, and which rows are asked about."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from builders.predictions import write_predictions
from builders.staging import (
    CONTRACT,
    Answer,
    Asked,
    Staged,
    Wrong,
    as_it_should,
    fake_server,
    scored,
    stage,
    table,
)
from gauntlet.data.snapshot import Snapshot
from gauntlet.errors import DataError
from gauntlet.serving.acceptance.address import parse_address
from gauntlet.serving.acceptance.bodies import decode, json_rows
from gauntlet.serving.acceptance.client import Client
from gauntlet.serving.acceptance.parity import Parity, compare, judge_parity, judge_refused, measure_parity
from gauntlet.serving.acceptance.policy import ParityPolicy
from gauntlet.serving.acceptance.sampling import Offline, choose_rows, read_offline
from gauntlet.settings import parse
from gauntlet.verdict import Status
from snapshots import write_snapshot

POLICY = parse(ParityPolicy, {"rows": 100, "single_rows": 10, "rows_per_request": 30}, field="policy.parity")


@pytest.fixture(scope="module")
def staged(tmp_path_factory: pytest.TempPathFactory) -> Staged:
    return stage(tmp_path_factory.mktemp("staging"))


@pytest.fixture(scope="module")
def offline(staged: Staged) -> Offline:
    return read(staged)


def read(staged: Staged, **changed: Any) -> Offline:
    arguments = {"model": staged.digest, "rows": POLICY.rows} | changed
    return read_offline(staged.predictions, Snapshot.open(staged.snapshot), CONTRACT, **arguments)


def measure(staged: Staged, offline: Offline, wrong: Wrong, protocol: str = "v1") -> tuple[Parity, Parity]:
    with fake_server(staged, wrong) as server, Client(parse_address(server.url, allow_remote=False), timeout=30) as one:
        return measure_parity(one, CONTRACT, offline, POLICY, protocol=protocol, model="loans", seed=3)


def judged(parity: Parity, tolerance: float = 1e-6) -> Any:
    return judge_parity(parity, tolerance=tolerance, confidence=0.95)


@pytest.mark.parametrize("protocol", ["v1", "v2"])
def test_a_server_that_scores_as_the_batch_did_passes(staged: Staged, offline: Offline, protocol: str) -> None:
    single, many = measure(staged, offline, as_it_should, protocol)
    assert 10 <= single.rows <= 20
    assert many.rows == len(offline.ids) >= 100
    for parity in (single, many):
        check = judged(parity)
        assert (check.status, check.measured, check.sample_size) == (Status.PASS, 0.0, parity.rows)
    assert "at most 2." in judged(many).reason  # 1 − 0.05^(1/110) is 2.7 %


@pytest.mark.parametrize("protocol", ["v1", "v2"])
def test_one_wrong_row_is_found_and_named(staged: Staged, offline: Offline, protocol: str) -> None:
    target = offline.scores[17]
    wrong = scored(lambda scores, rows: [0.9 * score if score == target else score for score in scores])
    _, many = measure(staged, offline, wrong, protocol)
    assert many.differing == 1
    assert [one.example_id for one in many.worst] == [offline.ids[17]]
    assert many.worst[0].difference == pytest.approx(0.1 * target)
    check = judged(many)
    assert check.status is Status.FAIL
    assert offline.ids[17] in check.reason


def test_rounding_is_a_difference_beyond_the_tolerance_and_none_within(staged: Staged, offline: Offline) -> None:
    _, many = measure(staged, offline, scored(lambda scores, rows: [round(score, 4) for score in scores]))
    assert judged(many).status is Status.FAIL
    assert 0 < many.largest <= 0.5e-4
    _, again = measure(staged, offline, scored(lambda scores, rows: [round(score, 7) for score in scores]))
    assert judged(again).status is Status.PASS
    assert again.largest > 0


def test_answers_in_another_order_are_found_where_there_are_many(staged: Staged, offline: Offline) -> None:
    single, many = measure(staged, offline, scored(lambda scores, rows: scores[::-1]))
    assert judged(single).status is Status.PASS
    assert judged(many).status is Status.FAIL
    assert many.differing > 50


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ((503, "application/json", b"{}"), "answered 503"),
        ((200, "application/json", b"[]"), "the answer is no answer of the protocol"),
        ((200, "application/json", b'{"predictions": [0.5, 0.5]}'), "gave an output of shape"),
        ((200, "application/json", b'{"predictions": ["high"]}'), "the answer"),
        ((200, "application/json", b"<html>"), "the answer is not JSON"),
    ],
)
def test_rows_without_an_answer_fail(staged: Staged, offline: Offline, answer: Answer, words: str) -> None:
    single, _ = measure(staged, offline, lambda asked, right: answer)
    check = judged(single)
    assert check.status is Status.FAIL
    assert check.sample_size == 0
    assert words in check.reason


def test_one_failed_request_fails_its_rows_alone(staged: Staged, offline: Offline) -> None:
    def wrong(asked: Asked, right: Answer) -> Answer:
        return (500, "application/json", b"{}") if asked.turn == 2 else right

    with fake_server(staged, wrong) as server, Client(parse_address(server.url, allow_remote=False), timeout=30) as one:
        single, _ = measure_parity(one, CONTRACT, offline, POLICY, protocol="v1", model="loans", seed=3)
    assert (single.unanswered, single.differing) == (1, 0)
    assert judged(single).status is Status.FAIL


def offline_of(scores: Any, task: str, classes: tuple[str, ...] = ()) -> Offline:
    return Offline(tuple(f"r{i}" for i in range(len(scores))), ({},) * len(scores), np.asarray(scores), task, classes)


def test_a_difference_is_relative_where_scores_are_large_and_absolute_where_they_are_not() -> None:
    one = offline_of([1e6, 1e-9, -4.0], "regression")
    found = compare("x", one, np.array([1e6 + 1, 2e-9, -4.0]), tolerance=1e-8)
    assert found.differences == pytest.approx([1e-6, 1e-9, 0.0])
    assert found.differing == 1
    assert found.worst[0].example_id == "r0"


def test_of_several_classes_the_largest_difference_counts() -> None:
    one = offline_of([[0.2, 0.8], [0.5, 0.5]], "multiclass", ("a", "b"))
    found = compare("x", one, np.array([[0.2, 0.7], [0.5, 0.5]]), tolerance=1e-6)
    assert found.differences == pytest.approx([0.1, 0.0])
    assert (found.worst[0].offline, found.worst[0].served) == (0.8, 0.7)


BINARY = ("late", "paid")


@pytest.mark.parametrize(
    ("protocol", "answer"),
    [
        ("v1", {"predictions": [0.7, 0.1]}),
        ("v1", {"predictions": [[0.3, 0.7], [0.9, 0.1]]}),
        ("v1", {"predictions": [{"paid": 0.7, "late": 0.3}, {"paid": 0.1, "late": 0.9}]}),
        ("v2", {"outputs": [{"name": "score", "data": [0.7, 0.1]}]}),
        ("v2", {"outputs": [{"name": "paid", "data": [0.7, 0.1]}, {"name": "late", "data": [0.3, 0.9]}]}),
        ("v2", {"outputs": [{"name": "p-0", "data": [0.3, 0.9]}, {"name": "p-1", "data": [0.7, 0.1]}]}),
    ],
)
def test_every_form_of_an_answer_reads_as_the_same_scores(protocol: str, answer: Any) -> None:
    assert decode(protocol, answer, task="binary", classes=BINARY, rows=2) == pytest.approx([0.7, 0.1])


def test_columns_of_different_lengths_are_no_answer() -> None:
    answer = {"outputs": [{"name": "a", "data": [0.5]}, {"name": "b", "data": [0.5, 0.5]}]}
    with pytest.raises(DataError, match="different lengths"):
        decode("v2", answer, task="binary", classes=BINARY, rows=2)


# -- which rows ------------------------------------------------------------------------------------------------------


def test_rows_are_spread_and_hold_every_end_and_every_gap(staged: Staged) -> None:
    snapshot = Snapshot.open(staged.snapshot)
    rows = snapshot.table("test")
    columns = [one.name for one in CONTRACT.inputs]
    chosen = choose_rows(snapshot, "test", columns, 10)
    assert {(2 * i + 1) * 20 for i in range(10)} <= set(chosen)
    assert len(chosen) < 40
    for name in columns:
        column = rows.column(name)
        taken = column.take(chosen)
        assert (taken.null_count > 0) == (column.null_count > 0)
        known, every = taken.drop_null().to_pylist(), column.drop_null().to_pylist()
        assert (min(known), max(known)) == (min(every), max(every))


def test_rows_are_the_same_however_the_split_is_cut(tmp_path: Path) -> None:
    rows = table(300)
    whole = write_snapshot(tmp_path / "whole", {"test": rows}, {"label": "label"})
    parts = write_snapshot(tmp_path / "parts", {"test": rows}, {"label": "label"}, rows_per_part=70)
    columns = [one.name for one in CONTRACT.inputs]
    assert choose_rows(whole, "test", columns, 25) == choose_rows(parts, "test", columns, 25)
    assert choose_rows(whole, "test", columns, 1000) == list(range(300))


def test_rows_and_scores_belong_together(staged: Staged, offline: Offline) -> None:
    snapshot = Snapshot.open(staged.snapshot).table("test")
    index = {name: i for i, name in enumerate(snapshot.column("example_id").to_pylist())}
    for example_id, row in zip(offline.ids, offline.rows, strict=True):
        assert row["age"] == snapshot.column("age")[index[example_id]].as_py()
    assert offline.refused == ()
    assert judge_refused(offline).status is Status.PASS


def test_values_are_of_the_signatures_types(offline: Offline) -> None:
    row = offline.rows[0]
    assert {name: type(value) for name, value in row.items() if value is not None} | {"since": str} == {
        "amount": float, "ratio": float, "age": int, "grade": int, "region": str, "member": bool, "since": str,
    }  # fmt: skip
    assert json.loads(json.dumps(row)) == row


def test_predictions_of_another_model_are_refused(staged: Staged) -> None:
    with pytest.raises(DataError, match="the predictions are of another model"):
        read(staged, model="sha256:other")


@pytest.mark.parametrize("wrong", ["snapshot", "rows", "ids"])
def test_predictions_of_other_rows_are_refused(staged: Staged, tmp_path: Path, wrong: str) -> None:
    snapshot = Snapshot.open(staged.snapshot)
    count = 399 if wrong == "rows" else 400
    predictions = write_predictions(
        tmp_path / "predictions",
        np.zeros(count),
        np.zeros(count),
        example_ids=[f"{'other' if wrong == 'ids' else 'test'}-{row:08d}" for row in range(count)],
        snapshot="sha256:other" if wrong == "snapshot" else snapshot.digest,
        model=staged.digest,
    )
    with pytest.raises(DataError, match="another snapshot" if wrong == "snapshot" else "hold other rows"):
        read_offline(predictions, snapshot, CONTRACT, model=staged.digest, rows=50)


def test_rows_that_the_signature_refuses_are_a_finding(tmp_path: Path) -> None:
    rows = table(50)
    ages = rows.column("age").to_pylist()
    gaps = pa.array([None if i in (3, 30) else age for i, age in enumerate(ages)])
    index = rows.schema.get_field_index("age")
    staged = stage_scored(tmp_path, rows.set_column(index, "age", gaps))
    found = read(staged)
    assert found.refused == ("test-00000003", "test-00000030")
    assert len(found.ids) == len(found.rows) == len(found.scores) == 48
    check = judge_refused(found)
    assert (check.status, check.measured, check.sample_size) == (Status.FAIL, 2.0, 50)
    assert "test-00000003" in check.reason


def test_a_split_of_which_no_row_can_be_asked_is_refused(tmp_path: Path) -> None:
    rows = table(20)
    none = pa.array([None] * 20, pa.int64())
    staged = stage_scored(tmp_path, rows.set_column(rows.schema.get_field_index("age"), "age", none))
    with pytest.raises(DataError, match="in every row looked at"):
        read(staged)


def stage_scored(folder: Path, rows: pa.Table) -> Staged:
    """As ``stage``, for rows that the model itself could not score."""
    whole = stage(folder / "whole", table(rows.num_rows))
    snapshot = write_snapshot(folder / "snapshot", {"test": rows}, {"label": "label"})
    ids = [f"test-{row:08d}" for row in range(rows.num_rows)]
    labels, scores = np.zeros(rows.num_rows), np.full(rows.num_rows, 0.5)
    predictions = write_predictions(
        folder / "predictions", labels, scores, example_ids=ids, snapshot=snapshot.digest, model=whole.digest
    )
    return Staged(whole.model, folder / "snapshot", predictions, whole.digest)


def test_a_column_that_is_absent_or_of_another_type_says_which() -> None:
    rows = table(5)
    with pytest.raises(DataError, match="age: the model takes this column"):
        json_rows(CONTRACT, rows.drop_columns(["age"]))
    texts = rows.set_column(rows.schema.get_field_index("age"), "age", pa.array(["old"] * 5))
    with pytest.raises(DataError, match="age: the signature asks for long"):
        json_rows(CONTRACT, texts)
