"""The server as a process: real requests over loopback, metrics, refusal to start, draining."""

from __future__ import annotations

import json
import math
import re
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from builders.model_server import PATIENCE_SECONDS, Server, launch, listens, serving, wait_for
from builders.served_models import brought, train_one

pytestmark = pytest.mark.servers

OPTIONS = ["--max_bytes", "100000", "--max_rows", "50", "--slice_columns", "region"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return train_one("binary", tmp_path_factory.mktemp("loans"))


@pytest.fixture(scope="module")
def server(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(folder, tmp_path_factory.mktemp("server") / "tmp", *OPTIONS) as one:
        yield one


@pytest.fixture(scope="module")
def row(folder: Path) -> dict[str, Any]:
    example = json.loads((folder / "input_example.json").read_text())
    return dict(zip(example["columns"], example["data"][0], strict=True))


def test_both_protocols_answer_alike(server: Server, row: dict[str, Any]) -> None:
    status, v1 = server.ask("POST", "/v1/models/loans:predict", {"instances": [row] * 2})
    assert status == 200
    datatypes = {tensor["name"]: tensor["datatype"] for tensor in server.ask("GET", "/v2/models/loans")[1]["inputs"]}
    assert list(datatypes) == list(row)
    tensors = [
        {"name": name, "shape": [2], "datatype": datatypes[name], "data": [value] * 2} for name, value in row.items()
    ]
    for path in ("/v2/models/loans/infer", "/v2/models/loans/versions/7/infer"):
        status, v2 = server.ask("POST", path, {"id": "x", "inputs": tensors})
        assert (status, v2["model_name"], v2["model_version"], v2["id"]) == (200, "loans", "7", "x")
        assert [list(pair) for pair in zip(*(tensor["data"] for tensor in v2["outputs"]), strict=True)] == v1[
            "predictions"
        ]


@pytest.mark.parametrize(
    ("path", "body", "status", "message"),
    [
        ("/v1/models/loans:predict", b"{", 400, "is not JSON"),
        ("/v1/models/loans:predict", {"instances": [{"amount": "secret"}]}, 400, "code: row 0"),
        ("/v1/models/loans:predict", {"instances": []}, 400, "no rows"),
        ("/v1/models/loans:predict", {"instances": [{}] * 51}, 413, "51 rows; 50 are allowed"),
        ("/v1/models/loans:predict", b" " * 100_001, 413, "100000 are allowed"),
        ("/v2/models/loans/infer", {"inputs": [{"name": "secret"}]}, 400, "secret: has no datatype"),
        ("/v2/models/loans/infer", b"", 400, "is not JSON"),
        ("/v1/models/lawns:predict", {"instances": [{}]}, 404, "no such model"),
        ("/v2/models/loans/versions/8/infer", {}, 404, "no such model or version"),
    ],
)
def test_a_bad_request_is_told_why(server: Server, path: str, body: Any, status: int, message: str) -> None:
    actual, answer = server.ask("POST", path, body)
    assert actual == status
    assert message in answer["error"]


def raises_at_seven(frame: Any) -> Any:
    if (frame["amount"] == 7).any():
        raise KeyError("seven")
    return frame["amount"].to_numpy() + frame["code"].to_numpy()


def test_one_bad_request_does_not_fail_its_neighbours(server: Server, row: dict[str, Any]) -> None:
    good = [{"instances": [row | {"amount": amount}]} for amount in (-2.0, 0.3, 2.0)]
    bad = [(b"{", 400), ({"instances": [row | {"amount": "x"}]}, 400), ({"instances": [row] * 51}, 413)]
    assert_neighbours_are_well(server, good, bad)


def test_one_failure_of_a_strangers_model_does_not_fail_its_neighbours(tmp_path: Path) -> None:
    model = brought(tmp_path / "model", raises_at_seven, {"amount": "double", "code": "long"})
    with serving(model, tmp_path / "scratch") as server:
        good = [{"instances": [[0.5 + index, index]]} for index in range(3)]
        assert_neighbours_are_well(server, good, [({"instances": [[7, 1]]}, 500), ({"instances": [[1, None]]}, 400)])


def assert_neighbours_are_well(server: Server, good: list[Any], bad: list[tuple[Any, int]]) -> None:
    """Each good request is answered beside bad ones, all at once, as it is answered alone."""
    path = "/v1/models/loans:predict"
    expected = [(body, server.ask("POST", path, body)) for body in good]
    assert [status for _, (status, _) in expected] == [200] * len(good)
    assert len({json.dumps(answer) for _, (_, answer) in expected}) == len(good)
    wrong: list[Any] = []
    start = threading.Barrier(len(good) + len(bad))

    def ask(body: Any, right: Callable[[tuple[int, Any]], bool]) -> None:
        start.wait(PATIENCE_SECONDS)
        for _ in range(20):
            found = server.ask("POST", path, body)
            if not right(found):
                wrong.append((body, found))

    askers = [(body, lambda found, answer=answer: found == answer) for body, answer in expected]
    askers += [(body, lambda found, status=status: found[0] == status) for body, status in bad]
    threads = [threading.Thread(target=ask, args=asker) for asker in askers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_metrics_count_every_request_with_the_models_version(server: Server, row: dict[str, Any]) -> None:
    labels = {"model_name": "loans", "model_version": "7", "protocol": "v1"}

    def counts() -> list[float]:
        return [
            server.metric("gauntlet_requests_total", **labels, code="200"),
            server.metric("gauntlet_requests_total", **labels, code="400"),
            server.metric("gauntlet_request_errors_total", **labels, fault="caller"),
            server.metric("gauntlet_request_errors_total", **labels, fault="server"),
            server.metric("gauntlet_request_seconds_count", **labels),
            server.metric("gauntlet_rows_total", model_version="7"),
        ]

    before = counts()
    server.ask("POST", "/v1/models/loans:predict", {"instances": [row] * 3})
    server.ask("POST", "/v1/models/loans:predict", {"instances": [3]})
    assert [after - first for after, first in zip(counts(), before, strict=True)] == [1, 1, 1, 0, 2, 3]
    assert server.metric("gauntlet_model_info", digest=digest_of(server)) == 1
    assert server.metric("gauntlet_requests_in_flight") == 0


def test_scores_are_counted_where_they_fall_and_by_known_group(server: Server, row: dict[str, Any]) -> None:
    def bucket(le: str, **labels: str) -> float:
        return server.metric("gauntlet_slice_scores_bucket" if labels else "gauntlet_scores_bucket", le=le, **labels)

    score = server.ask("POST", "/v1/models/loans:predict", {"instances": [row]})[1]["predictions"][0][1]
    at, below = (f"{(math.ceil(score * 100) - less) / 100!r}" for less in (0, 1))
    before = bucket(below), bucket(at), bucket("+Inf"), bucket("+Inf", slice="region=(other)")
    server.ask("POST", "/v1/models/loans:predict", {"instances": [row, row]})
    server.ask("POST", "/v1/models/loans:predict", {"instances": [{"refused": 1}]})
    after = bucket(below), bucket(at), bucket("+Inf"), bucket("+Inf", slice="region=(other)")
    assert [one - other for one, other in zip(after, before, strict=True)] == [0, 2, 2, 0]
    server.ask("POST", "/v1/models/loans:predict", {"instances": [row | {"region": "invented"}]})
    assert bucket("+Inf", slice="region=(other)") == before[3] + 1
    assert "invented" not in server.ask("GET", "/metrics")[1]


def test_it_says_how_long_it_took_to_be_ready(server: Server) -> None:
    assert 0 < server.metric("gauntlet_ready_seconds", model_version="7") < PATIENCE_SECONDS


def digest_of(server: Server) -> str:
    return re.search(r'digest="(sha256:\w+)"', server.ask("GET", "/metrics")[1]).group(1)


def test_a_name_from_outside_becomes_no_series(server: Server) -> None:
    server.ask("POST", "/v1/models/invented:predict", {"instances": [{}]})
    assert "invented" not in server.ask("GET", "/metrics")[1]


def test_health_and_address(server: Server) -> None:
    for path in ("/v2/health/live", "/v2/health/ready", "/v2/models/loans/ready", "/v1/models/loans"):
        assert server.ask("GET", path)[0] == 200
    assert not listens(server, "127.0.0.2")  # only the address it was told


@pytest.mark.parametrize(
    "path", ["/v2/repository/models/loans/unload", "/v2/repository/models/loans/load", "/v1/models/loans:explain"]
)
def test_nobody_can_unload_the_model(server: Server, row: dict[str, Any], path: str) -> None:
    assert server.ask("POST", path, {})[0] == 404
    assert server.ask("GET", "/v2/models/loans/ready")[0] == 200
    assert server.ask("POST", "/v1/models/loans:predict", {"instances": [row]})[0] == 200


def test_another_model_than_expected_is_not_served(folder: Path, tmp_path: Path) -> None:
    for digest, code, message in [("sha256:" + "0" * 64, 3, "another model than expected"), ("", 2, "no digest")]:
        server = launch(folder, digest, tmp_path / str(code))
        assert server.process.wait(PATIENCE_SECONDS) == code
        assert message in (tmp_path / f"{code}.log").read_text()


def test_a_slow_answer_blocks_no_health_check_and_no_request_is_lost_at_sigterm(tmp_path: Path) -> None:
    def send(caller: socket.socket) -> None:
        body = b'{"instances": [-1]}'
        head = b"POST /v1/models/loans:predict HTTP/1.1\r\nhost: localhost\r\ncontent-length: %d\r\n\r\n"
        caller.sendall(head % len(body) + body)

    go = tmp_path / "go"

    def waits(frame: Any) -> Any:

        while frame["x"].iloc[0] > 0 and not go.exists():
            time.sleep(0.02)
        return frame["x"].to_numpy()

    model = brought(tmp_path / "model", waits, {"x": "double"})
    with serving(model, tmp_path / "scratch") as server:
        answers: list[Any] = []
        asking = threading.Thread(
            target=lambda: answers.append(server.ask("POST", "/v1/models/loans:predict", {"instances": [5]}))
        )
        asking.start()
        wait_for(lambda: server.metric("gauntlet_requests_in_flight") == 1)
        assert server.ask("GET", "/v2/health/ready")[0] == 200
        before = socket.create_connection(("127.0.0.1", server.port), PATIENCE_SECONDS)
        server.process.send_signal(signal.SIGTERM)
        time.sleep(0.2)
        during = socket.create_connection(("127.0.0.1", server.port), PATIENCE_SECONDS)
        send(during)
        wait_for(lambda: not listens(server))
        send(before)
        go.touch()
        asking.join(PATIENCE_SECONDS)
        assert answers == [(200, {"predictions": [5.0]})]
        for caller in (during, before):
            with caller:
                said = b"".join(iter(lambda: caller.recv(65536), b""))  # noqa: B023 - called before the next one
            assert said.startswith(b"HTTP/1.1 200 OK")
            assert b"connection: close" in said
            assert said.endswith(b'{"predictions":[-1.0]}')
        assert server.process.wait(PATIENCE_SECONDS) == 0
        assert list(server.scratch.glob("gauntlet-served-*")) == []
