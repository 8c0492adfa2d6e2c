"""The serving tests, called as the executor calls them, against real model servers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from builders.artifacts import artifact, load_component
from builders.model_server import Server, serving
from builders.served_models import brought, train_one, with_every_type
from builders.training import ROLES, make_table
from gauntlet.lineage.record import LINEAGE_KEY
from gauntlet.model_digest import digest_model
from gauntlet.prediction.batch import predict_split
from gauntlet.verdict import Status, Verdict
from snapshots import write_snapshot

pytestmark = pytest.mark.servers

QUICK: dict[str, Any] = {"latency": None, "saturation": None, "footprint": None}
LOADED: dict[str, Any] = {
    "contract": None,
    "parity": None,
    "latency": {"rate": 40, "seconds": 4, "p50_ms": 10_000, "error_share": 0.2},
    "saturation": {"trial_seconds": 1, "budget_seconds": 3, "highest": 80},
    "footprint": {"every_seconds": 0.2, "growth_bytes_per_request": 1e9},
}
OF_TIME = ("latency", "failed requests under load", "highest rate", "memory growth")
"""Checks that a busy machine may spoil: made, and judged elsewhere without a clock."""


@pytest.fixture(scope="module", params=["binary", "multiclass", "regression"])
def trained(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimpleNamespace]:
    folder = tmp_path_factory.mktemp(request.param)
    train_one(request.param, folder)
    table = with_every_type(make_table(300, 5, request.param))
    snapshot = write_snapshot(folder / "data", {"test": table}, ROLES)
    predict_split(folder / "model", snapshot, folder / "predictions")
    with staged(folder) as one:
        yield one


@contextmanager
def staged(folder: Path) -> Iterator[SimpleNamespace]:
    with serving(folder / "model", folder / "scratch", "--max_rows", "500", "--max_bytes", "500000") as server:
        yield SimpleNamespace(folder=folder, server=server)


def run(one: SimpleNamespace, out: Path, *, digest: str = "", **policy: Any) -> SimpleNamespace:
    server: Server = one.server
    model = artifact("Model", one.folder / "model", digest=digest or digest_model(one.folder / "model"))
    data = artifact("Dataset", one.folder / "data"), artifact("Dataset", one.folder / "predictions")
    outputs = {"verdict": artifact("Artifact", out / "verdict"), "report": artifact("HTML", out / "report.html")}
    limits = {"contract": {"max_rows": 500, "max_bytes": 500_000}}
    load_component("serving", "check_serving")(
        url=f"http://127.0.0.1:{server.port}",
        model=model,
        snapshot=data[0],
        predictions=data[1],
        **outputs,
        model_name="loans",
        policy=limits | policy,
    )
    verdict = Verdict.read(out / "verdict")
    wrong = {check.name: check.reason for check in verdict.checks if check.status is not Status.PASS}
    return SimpleNamespace(verdict=verdict, wrong=wrong, page=(out / "report.html").read_text(), outputs=outputs)


def test_our_server_keeps_its_contract_and_answers_as_the_batch_did(trained: SimpleNamespace, tmp_path: Path) -> None:
    result = run(trained, tmp_path, **QUICK)
    assert result.wrong == {}
    assert result.verdict.status is Status.PASS
    parity = [check for check in result.verdict.checks if "parity" in check.name]
    assert len(parity) == 4
    assert {check.measured for check in parity} == {0.0}  # to the last bit
    assert "Served against offline scores" in result.page
    assert LINEAGE_KEY in result.outputs["verdict"].metadata


@pytest.mark.parametrize("trained", ["binary"], indirect=True)
def test_load_and_what_it_takes_are_measured(trained: SimpleNamespace, tmp_path: Path) -> None:
    result = run(trained, tmp_path, **LOADED)
    names = [check.name for check in result.verdict.checks]
    assert names == [
        "the server serves this model",
        "latency p50 (ms)",
        "latency p99 (ms)",
        "failed requests under load",
        "peak memory (MB)",
        "memory growth (bytes/request)",
        "cold start (s)",
        "highest rate kept (requests/s)",
    ]
    assert {name for name in result.wrong if not name.startswith(OF_TIME)} == set()
    for words in ("Latency at 40 requests/s", "The highest rate", "Memory under load"):
        assert words in result.page


def test_a_teams_own_model_is_held_to_the_same(tmp_path: Path) -> None:
    def scores(frame: Any) -> Any:
        signal = frame["amount"].fillna(0) / 10 + frame["code"] + 0.5 * (frame["region"] == "north") - frame["member"]
        return 1 / (1 + (-signal / 3).map(__import__("math").exp))

    columns = {"amount": "double?", "code": "long", "region": "string?", "member": "boolean"}
    brought(tmp_path / "model", scores, columns)
    snapshot = write_snapshot(tmp_path / "data", {"test": make_table(300, 5)}, ROLES)
    predict_split(tmp_path / "model", snapshot, tmp_path / "predictions")
    with staged(tmp_path) as one:
        assert run(one, tmp_path / "out", **QUICK).wrong == {}


def test_a_model_that_fails_over_an_unseen_category_is_found(tmp_path: Path) -> None:
    def scores(frame: Any) -> Any:
        known = {"north": 0.2, "south": 0.4, "east": 0.6, "west": 0.8, None: 0.5}
        return frame["region"].map(lambda name: known[name]).to_numpy(dtype=float)

    brought(tmp_path / "model", scores, {"region": "string?"})
    snapshot = write_snapshot(tmp_path / "data", {"test": make_table(300, 5)}, ROLES)
    predict_split(tmp_path / "model", snapshot, tmp_path / "predictions")
    with staged(tmp_path) as one:
        result = run(one, tmp_path / "out", **QUICK)
    assert set(result.wrong) == {"v1: accepted", "v2: accepted"}
    assert "unseen categories: answered 500" in result.wrong["v1: accepted"]


@pytest.mark.parametrize("trained", ["binary"], indirect=True)
def test_another_version_than_the_one_to_be_tested_is_found(trained: SimpleNamespace, tmp_path: Path) -> None:
    """The server still has the old model when the new one is to be tested."""
    folder = tmp_path / "new"
    train_one("binary", folder)
    (folder / "model" / "requirements.txt").write_text("changed\n")
    snapshot = write_snapshot(folder / "data", {"test": with_every_type(make_table(300, 5))}, ROLES)
    predict_split(folder / "model", snapshot, folder / "predictions")
    result = run(SimpleNamespace(folder=folder, server=trained.server), tmp_path / "out", **QUICK)
    assert "the server serves this model" in result.wrong
