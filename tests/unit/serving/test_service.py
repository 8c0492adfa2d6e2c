from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gauntlet.errors import DataError
from gauntlet.model_digest import digest_model
from gauntlet.serving.contract import Rows, contract_of
from gauntlet.serving.loading import ServedModel, open_served
from gauntlet.serving.score_counts import ScoreCounts
from gauntlet.serving.service import Limits, Service

CONTRACT = contract_of(
    {"signature": {"inputs": '[{"name": "x", "type": "double"}]', "outputs": '[{"name": "y", "type": "double"}]'}}
)


class Doubling:
    """A model of one line that can be made to fail."""

    def __init__(self, failure: Exception | None = None) -> None:
        self.failure = failure

    def predict(self, rows: Rows) -> Any:
        if self.failure is not None:
            raise self.failure
        return 2 * np.array(rows.columns["x"])


def service(failure: Exception | None = None, limits: Limits | None = None) -> Service:
    return Service(ServedModel("sha256:d", CONTRACT, {}, Doubling(failure)), "m", "7", limits or Limits())


def test_an_answer_in_each_protocol() -> None:
    reply = service().predict_v1(b'{"instances": [{"x": 1}, [2.5]]}')
    assert (reply.status, json.loads(reply.body), reply.rows) == (200, {"predictions": [2.0, 5.0]}, 2)
    tensor = {"name": "x", "shape": [2], "datatype": "FP32", "data": [1, 2.5]}
    reply = service().predict_v2(json.dumps({"id": "a", "inputs": [tensor]}).encode())
    assert reply.status == 200
    assert json.loads(reply.body) == {
        "model_name": "m",
        "model_version": "7",
        "id": "a",
        "outputs": [{"name": "y", "shape": [2], "datatype": "FP64", "data": [2.0, 5.0]}],
    }


def test_scores_are_counted_of_what_was_answered_alone() -> None:
    counts = ScoreCounts([2.0])
    counting = replace(service(), scores=counts)
    counting.predict_v1(b'{"instances": [{"x": 1}, [2.5]]}')
    counting.predict_v1(b'{"instances": [{"x": "no number"}]}')
    replace(service(DataError("fails")), scores=counts).predict_v1(b'{"instances": [{"x": 1}]}')
    assert counts.totals() == [1, 2]


@pytest.mark.parametrize(
    ("body", "status", "message"),
    [
        (b"", 400, "request body: is not JSON at line 1, column 1"),
        (b'{"instances": [secret]}', 400, "request body: is not JSON at line 1, column 16"),
        (b"\xff\xfe\x00", 400, "request body: is not JSON"),
        (b"[" * 200_000, 400, "request body: is nested too deeply"),
        (b'{"instances": [' + b"9" * 5000 + b"]}", 400, "request body: is not JSON"),
        (b'{"instances": [NaN]}', 400, "x: row 0: expected a number (double), found NaN"),
        (b'{"instances": [1e999]}', 400, "x: row 0: expected a number (double), found infinity"),
        (b'{"instances": [{"x": "secret"}]}', 400, "x: row 0: expected a number (double), found string"),
        (b'{"instances": [1, 2, 3, 4]}', 413, "the request holds 4 rows; 3 are allowed"),
        (b" " * 400_001, 413, "request body: has 400001 bytes; 400000 are allowed"),
    ],
    ids=["empty", "words", "not UTF-8", "nested", "digits", "NaN", "1e999", "type", "rows", "bytes"],
)
def test_a_bad_request_is_the_callers(body: bytes, status: int, message: str) -> None:
    for method in (service(limits=Limits(3, 400_000)).predict_v1,):
        reply = method(body)
        assert (reply.status, reply.rows) == (status, 0)
        assert message in json.loads(reply.body)["error"]
        assert b"secret" not in reply.body


@pytest.mark.parametrize("failure", [DataError("the model failed to score", value="KeyError"), KeyError("secret")])
def test_a_failing_model_is_the_servers_and_tells_no_data(failure: Exception, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        reply = service(failure).predict_v1(b'{"instances": [1]}')
    assert reply.status == 500
    assert "failed" in json.loads(reply.body)["error"]
    assert "KeyError" in caplog.text
    assert "secret" not in caplog.text + reply.body.decode()


def test_metadata_says_what_the_model_takes() -> None:
    document = json.loads(service().metadata().body)
    assert document["inputs"] == [{"name": "x", "datatype": "FP64", "shape": [-1]}]
    assert (document["name"], document["versions"]) == ("m", ["7"])


@contextmanager
def opened(folder: Path) -> Iterator[Service]:
    with open_served(folder, digest_model(folder)) as model:
        yield Service(model, "loans")


def test_both_protocols_give_one_answer(model_of: Callable[[str], Path]) -> None:
    with opened(model_of("binary")) as loans:
        example = json.loads((model_of("binary") / "input_example.json").read_text())
        v1 = json.loads(loans.predict_v1(json.dumps({"instances": example["data"]}).encode()).body)["predictions"]
        tensors = [
            {"name": column.name, "shape": [1], "datatype": column.kind.datatypes[0], "data": [value]}
            for column, value in zip(loans.model.contract.inputs, example["data"][0], strict=True)
        ]
        v2 = json.loads(loans.predict_v2(json.dumps({"inputs": tensors}).encode()).body)["outputs"]
        assert [tensor["name"] for tensor in v2] == ["late", "paid"]
        assert [[tensor["data"][0] for tensor in v2]] == v1
