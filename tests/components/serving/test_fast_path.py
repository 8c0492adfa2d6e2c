"""The door as an ASGI application: no port, messages by hand."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from gauntlet.serving.connections import Share
from gauntlet.serving.contract import Rows, contract_of
from gauntlet.serving.fast_path import FastPath, predictions
from gauntlet.serving.loading import ServedModel
from gauntlet.serving.metrics import Metrics
from gauntlet.serving.service import Limits, Service

CONTRACT = contract_of(
    {"signature": {"inputs": '[{"name": "x", "type": "double"}]', "outputs": '[{"type": "double"}]'}}
)
PATH = "/v1/models/loans:predict"


class Doubling:
    def predict(self, rows: Rows) -> Any:
        return [2 * value for value in rows.columns["x"]]


class Door:
    """A front before an application that says who it is, and what it was told to send."""

    def __init__(self, version: str = "7", limits: Limits | None = None, **options: Any) -> None:
        self.registry = CollectorRegistry()
        self.service = Service(
            ServedModel("sha256:d", CONTRACT, {}, Doubling()), "loans", version, limits or Limits(10, 100)
        )
        self.metrics = Metrics("loans", version, "sha256:d", registry=self.registry)
        self.front = FastPath(self._behind, self.service, self.metrics, **options)
        self.sent: list[Any] = []
        self.left: list[Any] = []

    async def _behind(self, scope: Any, receive: Any, send: Any) -> None:
        await send("behind")

    def ask(
        self, path: str, *parts: bytes, method: str = "POST", kind: str = "http", gone: bool = False, **headers: str
    ) -> list[Any]:
        messages = [{"type": "http.request", "body": part, "more_body": True} for part in parts]
        messages.append({"type": "http.disconnect"} if gone else {"type": "http.request"})
        self.sent, self.left = [], messages

        async def receive() -> Any:
            return messages.pop(0)

        async def send(message: Any) -> None:
            self.sent.append(message)

        lines = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
        asyncio.run(self.front({"type": kind, "path": path, "method": method, "headers": lines}, receive, send))
        return self.sent

    def answered(self) -> float:
        return sum(
            sample.value
            for family in self.registry.collect()
            for sample in family.samples
            if sample.name == "gauntlet_requests_total"
        )


def test_a_body_in_parts_is_one_request() -> None:
    door = Door()
    start, body = door.ask(PATH, b'{"instances"', b": [[1.5], [2]]}")
    assert start["status"] == 200
    assert dict(start["headers"]) == {b"content-type": b"application/json", b"content-length": b"25"}
    assert json.loads(body["body"]) == {"predictions": [3.0, 4.0]}
    assert len(body["body"]) == 25
    assert door.answered() == 1


@pytest.mark.parametrize(
    ("path", "method", "kind"),
    [
        ("/v2/health/ready", "GET", "http"),
        ("/v2/models/loans/versions/7/ready", "HEAD", "http"),
        ("/metrics", "GET", "http"),
        ("", "", "lifespan"),
    ],
)
def test_health_metadata_and_metrics_go_on(path: str, method: str, kind: str) -> None:
    door = Door()
    assert door.ask(path, method=method, kind=kind) == ["behind"]
    assert door.answered() == 0


@pytest.mark.parametrize(
    ("path", "method", "status"),
    [
        (PATH, "GET", 405),
        (PATH, "DELETE", 405),
        ("/metrics", "POST", 405),
        ("/v1/models/lawns:predict", "POST", 404),
        ("/v2/models/loans/versions/8/infer", "POST", 404),
        ("/v2/models/loans/infer/", "POST", 404),
        ("/v2//health/ready", "GET", 404),
        ("/v2/repository/models/loans/unload", "POST", 404),
        ("/v1/models/loans:explain", "POST", 404),
        ("/openapi.json", "GET", 404),
        ("/metrics/", "GET", 404),
    ],
)
def test_nothing_else_reaches_the_framework(path: str, method: str, status: int) -> None:
    door = Door()
    assert door.ask(path, method=method)[0]["status"] == status
    assert door.answered() == 0


def test_a_model_without_a_version_has_no_path_with_one() -> None:
    assert set(predictions(Door("").service)) == {PATH, "/v2/models/loans/infer"}
    assert "/v2/models/loans/versions/7/infer" in predictions(Door("7").service)


@pytest.mark.parametrize(("headers", "read"), [({}, 2), ({"content_length": "240"}, 0)], ids=["chunked", "declared"])
def test_too_long_a_body_is_refused_as_soon_as_that_is_known(headers: dict[str, str], read: int) -> None:
    door = Door()
    start, body = door.ask(PATH, *[b" " * 60] * 4, **headers)
    assert start["status"] == 413
    assert "100 are allowed" in json.loads(body["body"])["error"]
    assert door.answered() == 1
    assert len(door.left) == 5 - read


def test_bodies_beyond_the_budget_are_to_come_again() -> None:
    door = Door(limits=Limits(10, 300_000, 100_000))
    held = Share(door.front.budget)
    assert held.take(150_000)
    start, _ = door.ask(PATH, *[b" " * 40_000] * 3)
    assert (start["status"], dict(start["headers"])[b"retry-after"]) == (503, b"1")
    assert (door.answered(), door.metrics.turned_away) == (0, {"bytes": 1})
    assert door.ask(PATH, b'{"instances": [1]}')[0]["status"] == 200  # small ones pass
    held.release()
    assert door.ask(PATH, b'{"instances": [1', b" " * 120_000, b"]}")[0]["status"] == 200
    assert door.front.budget.held == 0


def test_predictions_beyond_the_limit_are_to_come_again() -> None:
    start, body = Door(most_waiting=0).ask(PATH, b'{"instances": [1]}')
    assert (start["status"], dict(start["headers"])[b"retry-after"]) == (503, b"1")
    assert "wait for the model" in json.loads(body["body"])["error"]


def test_on_loopback_web_pages_are_refused() -> None:
    assert Door(local=True).ask(PATH, b'{"instances": [1]}', host="localhost:80")[0]["status"] == 200
    assert Door(local=True).ask(PATH, b'{"instances": [1]}', origin="http://localhost")[0]["status"] == 403
    assert Door().ask(PATH, b'{"instances": [1]}', origin="http://localhost")[0]["status"] == 200


def test_nothing_is_sent_to_a_caller_who_has_gone() -> None:
    door = Door()
    assert door.ask(PATH, b'{"inst', gone=True) == []
    assert door.answered() == 0
