"""``check_serving`` as a whole, against a server that errs on request."""

from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import Any

import pytest

from builders.load import HOW_TO_ENABLE
from builders.staging import (
    POLICY,
    Answer,
    Asked,
    Staged,
    Wrong,
    as_it_should,
    fake_server,
    healthy,
    refused,
    scored,
    slow,
    stage,
)
from builders.verdicts import check
from gauntlet.errors import ConfigurationError, DataError, DependencyError
from gauntlet.serving.acceptance.gate import Examination, examine, summarise
from gauntlet.serving.acceptance.policy import ServingPolicy
from gauntlet.settings import parse
from gauntlet.verdict import Status, Verdict

UNDER_LOAD = {
    "contract": None,
    "parity": None,
    "latency": {"rate": 40, "seconds": 2, "p50_ms": 1, "p99_ms": None, "connections": 8},
    "footprint": {"every_seconds": 0.1},
    "saturation": None,
}


@pytest.fixture(scope="module")
def staged(tmp_path_factory: pytest.TempPathFactory) -> Staged:
    return stage(tmp_path_factory.mktemp("staging"))


def run(staged: Staged, wrong: Wrong = as_it_should, metrics: Any = None, **policy: Any) -> Examination:
    with fake_server(staged, wrong, metrics) as server:
        return ask(staged, server.url, **policy)


def ask(staged: Staged, url: str, *, name: str = "loans", **policy: Any) -> Examination:
    asked = parse(ServingPolicy, POLICY | policy, field="policy")
    return examine(url, staged.model, staged.snapshot, staged.predictions, asked, name=name)


def wrong_ones(found: Examination) -> dict[str, Status]:
    return {check.name: check.status for check in found.verdict.checks if check.status is not Status.PASS}


def test_a_good_server_passes_and_the_verdict_says_what_was_done(staged: Staged, tmp_path: Path) -> None:
    found = run(staged)
    assert wrong_ones(found) == {}
    assert found.verdict.status is Status.PASS
    assert found.verdict.gate == "check_serving"
    names = [check.name for check in found.verdict.checks]
    assert names[0] == "the server serves this model"
    assert "v1: bad requests fail no neighbours" in names
    assert names[-4:] == [
        f"{one}: parity with {rows} a request" for one in ("v1", "v2") for rows in ("one row", "many rows")
    ]
    assert len(names) == len(set(names))
    found.verdict.write(tmp_path / "verdict.json")
    assert Verdict.read(tmp_path / "verdict.json") == found.verdict
    assert found.verdict.facts["digest"] == staged.digest


def crashes(asked: Asked, right: Answer) -> Answer:
    return 500, "text/html", b"<html>Traceback: age 731905227</html>"


def test_each_trouble_fails_its_own_checks_and_no_others(staged: Staged) -> None:
    bad_input = wrong_ones(run(staged, refused(crashes)))
    assert set(bad_input.values()) == {Status.FAIL}
    assert "v1: wrong values" in bad_input
    assert not any("parity" in name for name in bad_input)
    rounding = wrong_ones(run(staged, scored(lambda scores, rows: [round(score, 3) for score in scores])))
    assert len(rounding) == 4
    assert all("parity" in name for name in rounding)
    other = run(staged, metrics=lambda turn: healthy("sha256:" + "0" * 64))
    assert wrong_ones(other) == {"the server serves this model": Status.FAIL}
    silent = run(staged, metrics=lambda turn: "")
    assert wrong_ones(silent) == {"the server serves this model": Status.ERROR}
    assert wrong_ones(run(staged, metrics=lambda turn: "", identity=False)) == {}


def test_one_protocol_is_tested_alone(staged: Staged) -> None:
    only_v2 = run(
        staged, lambda asked, right: crashes(asked, right) if ":predict" in asked.path else right, protocols=["v2"]
    )
    assert wrong_ones(only_v2) == {}
    assert not any(check.name.startswith("v1") for check in only_v2.verdict.checks)


def test_another_name_answers_nothing(staged: Staged) -> None:
    with fake_server(staged) as server:
        found = ask(staged, server.url, name="lawns")
    assert found.verdict.status is Status.ERROR  # neighbours could not be tested
    assert wrong_ones(found)["v1: parity with one row a request"] is Status.FAIL


def test_nothing_asked_is_no_pass(staged: Staged) -> None:
    found = run(staged, contract=None, parity=None, identity=False)
    assert found.verdict.status is Status.ERROR
    assert found.verdict.summary == "Nothing was tested."


def test_headers_go_with_every_request(staged: Staged) -> None:
    """A gateway would route by them."""
    found = run(staged, headers={"x-team": "loans"})
    assert wrong_ones(found) == {}


def test_an_address_elsewhere_is_never_contacted(staged: Staged) -> None:
    with pytest.raises(ConfigurationError, match="not on this machine"):
        ask(staged, "http://loans.example:8080")


def test_nobody_there_is_a_dependency_that_may_come(staged: Staged) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        with pytest.raises(DependencyError, match="does not answer") as caught:
            ask(staged, f"http://127.0.0.1:{free.getsockname()[1]}")
    assert caught.value.retryable


def test_artifacts_that_do_not_belong_together_are_told_before_anybody_is_asked(staged: Staged, tmp_path: Path) -> None:
    other = stage(tmp_path)
    (other.model / "notes.txt").write_text("another model")
    mixed = Staged(other.model, staged.snapshot, staged.predictions, "")
    with pytest.raises(DataError, match="another model"):
        ask(mixed, "http://127.0.0.1:1")


class TestUnderLoad:
    @pytest.fixture(autouse=True)
    def _needs_httptools(self) -> None:
        pytest.importorskip("httptools", reason=HOW_TO_ENABLE)

    def test_a_slow_server_does_not_pass(self, staged: Staged) -> None:
        found = run(staged, slow(0.05), **UNDER_LOAD)
        latency = wrong_ones(found)["latency p50 (ms)"]
        assert latency in (Status.FAIL, Status.ERROR)  # an error where this machine is too busy to measure
        assert found.latency is not None
        assert found.latency.measured.service.min() >= 0.05

    def test_what_the_server_takes_is_seen_under_load(self, staged: Staged) -> None:
        def leaking(turn: int) -> str:
            return healthy(staged.digest, memory=1e9 + 1e6 * turn)

        found = run(staged, metrics=leaking, **UNDER_LOAD)
        assert found.footprint is not None
        assert found.footprint.requests in (80, 160)  # twice, where this machine was too busy at first
        assert wrong_ones(found)["memory growth (bytes/request)"] is Status.FAIL
        peak = next(check for check in found.verdict.checks if check.name == "peak memory (MB)")
        assert peak.status is Status.PASS

    def test_the_search_for_the_highest_rate_is_bounded(self, staged: Staged) -> None:
        search = {"trial_seconds": 1, "budget_seconds": 2, "highest": 100}
        found = run(staged, **UNDER_LOAD | {"saturation": search, "footprint": None})
        assert found.saturation is not None
        assert len(found.saturation.summaries) <= 2
        assert "highest rate kept (requests/s)" in {check.name for check in found.verdict.checks}

    def test_the_load_is_of_real_rows_in_the_first_protocol(self, staged: Staged) -> None:
        bodies: list[bytes] = []

        def wrong(asked: Asked, right: Answer) -> Answer:
            if asked.method == "POST":
                assert asked.path == "/v2/models/loans/infer"
                bodies.append(asked.body)
            return right

        load = {"rate": 20, "seconds": 1, "rows_per_request": 3}
        found = run(staged, wrong, **UNDER_LOAD | {"latency": load, "footprint": None, "protocols": ["v2"]})
        assert found.latency is not None
        assert found.latency.measured.succeeded.all()
        assert {tensor["shape"][0] for body in bodies for tensor in json.loads(body)["inputs"]} == {3}
        assert len(set(bodies)) > 10


def test_a_summary_names_what_is_wrong_by_how_wrong_it_is() -> None:
    checks = [check(name, Status(name), gate="check_serving") for name in ("pass", "error", "inconclusive", "fail")]
    assert (
        summarise(checks) == "Of 4 checks 1 failed: fail; 1 could not be made: error; 1 could not tell: inconclusive."
    )
    assert summarise(checks[:1]) == "The server does what was asked of it: 1 checks passed."
