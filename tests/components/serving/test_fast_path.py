"""The door as an ASGI application: no port, messages by hand."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from gauntlet.serving.contract import Rows, contract_of
from gauntlet.serving.fast_path import predictions, with_fast_path
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

    def __init__(self, version: str = "7") -> None:
        self.registry = CollectorRegistry()
        self.service = Service(ServedModel("sha256:d", CONTRACT, {}, Doubling()), "loans", version, Limits(10, 100))
        metrics = Metrics("loans", version, "sha256:d", registry=self.registry)
        self.front = with_fast_path(self._behind, self.service, metrics)
        self.sent: list[Any] = []

    async def _behind(self, scope: Any, receive: Any, send: Any) -> None:
        await send("behind")

    def ask(self, path: str, *parts: bytes, method: str = "POST", kind: str = "http", gone: bool = False) -> list[Any]:
        messages = [{"type": "http.request", "body": part, "more_body": True} for part in parts]
        messages.append({"type": "http.disconnect"} if gone else {"type": "http.request"})
        self.sent = []

        async def receive() -> Any:
            return messages.pop(0)

        async def send(message: Any) -> None:
            self.sent.append(message)

        asyncio.run(self.front({"type": kind, "path": path, "method": method}, receive, send))
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
        (PATH, "GET", "http"),
        ("/v1/models/lawns:predict", "POST", "http"),
        ("/v2/models/loans/versions/8/infer", "POST", "http"),
        ("/v2/models/loans/infer/", "POST", "http"),
        ("", "", "lifespan"),
    ],
)
def test_what_is_no_prediction_goes_on(path: str, method: str, kind: str) -> None:
    door = Door()
    assert door.ask(path, method=method, kind=kind) == ["behind"]
    assert door.answered() == 0


def test_a_model_without_a_version_has_no_path_with_one() -> None:
    assert set(predictions(Door("").service)) == {PATH, "/v2/models/loans/infer"}
    assert "/v2/models/loans/versions/7/infer" in predictions(Door("7").service)


def test_too_long_a_body_is_read_to_its_end_and_refused() -> None:
    door = Door()
    start, body = door.ask(PATH, *[b" " * 60] * 4)
    assert start["status"] == 413
    assert "100 are allowed" in json.loads(body["body"])["error"]
    assert door.answered() == 1


def test_nothing_is_sent_to_a_caller_who_has_gone() -> None:
    door = Door()
    assert door.ask(PATH, b'{"inst', gone=True) == []
    assert door.answered() == 0
