"""The API contract against servers that keep it, and against one for each way to break it."""

from __future__ import annotations

import json
import threading
from typing import Any

import pytest

from builders.staging import (
    CONTRACT,
    POLICY,
    Answer,
    Asked,
    Cut,
    Staged,
    Wrong,
    as_it_should,
    fake_server,
    refused,
    scored,
    stage,
    with_body,
)
from gauntlet.errors import ConfigurationError
from gauntlet.serving.acceptance.address import parse_address
from gauntlet.serving.acceptance.case import ServedModel
from gauntlet.serving.acceptance.cases import MOST_COLUMNS, contract_cases
from gauntlet.serving.acceptance.client import Client
from gauntlet.serving.acceptance.conformance import CaseResult, check_neighbours, judge_cases, send_cases
from gauntlet.serving.acceptance.policy import ContractPolicy
from gauntlet.serving.contract import contract_of
from gauntlet.settings import parse
from gauntlet.verdict import Check, Status

ROW = {
    "amount": 2.0,
    "ratio": 0.5,
    "age": 40,
    "grade": 2,
    "region": "north",
    "member": True,
    "since": "2020-05-01T12:00:00",
}
SUBJECT = ServedModel(CONTRACT, "loans", [ROW, ROW | {"age": 41}])
LIMITS = parse(ContractPolicy, POLICY["contract"], field="policy.contract")


@pytest.fixture(scope="module")
def staged(tmp_path_factory: pytest.TempPathFactory) -> Staged:
    return stage(tmp_path_factory.mktemp("staging"))


def send(staged: Staged, wrong: Wrong, **policy: Any) -> tuple[CaseResult, ...]:
    limits = parse(ContractPolicy, POLICY["contract"] | policy, field="policy.contract")
    cases = contract_cases(SUBJECT, ("v1", "v2"), limits)
    with fake_server(staged, wrong) as server, Client(address(server.url), timeout=30) as client:
        return send_cases(client, cases, SUBJECT)


def address(url: str) -> Any:
    return parse_address(url, allow_remote=False)


def failed(findings: tuple[CaseResult, ...]) -> dict[str, Check]:
    return {check.name: check for check in judge_cases(findings) if check.status is not Status.PASS}


def test_a_server_that_keeps_the_contract_passes_every_check(staged: Staged) -> None:
    findings = send(staged, as_it_should)
    assert [(one.case.title, one.problem) for one in findings if one.problem] == []
    checks = judge_cases(findings)
    kinds = ["readiness and metadata", "accepted", "batch sizes", "wrong values", "missing values", "unknown fields"]
    kinds += ["malformed requests", "limits", "wrong names"]
    assert [check.name for check in checks] == [f"{protocol}: {kind}" for protocol in ("v1", "v2") for kind in kinds]
    assert sum(check.sample_size or 0 for check in checks) == len(findings) > 120


def broken(asked: Asked, right: Answer) -> Answer:
    return 500, "application/json", b'{"error":"internal"}'


def repeats(asked: Asked, right: Answer) -> Answer:
    said = json.loads(right[2])["error"]
    return with_body(right, {"error": f"{said} You sent {asked.body.decode(errors='replace')}"})


def in_html(asked: Asked, right: Answer) -> Answer:
    return right[0], "text/html", b"<html><body>age amount ratio Bad Request</body></html>"


def in_text(asked: Asked, right: Answer) -> Answer:
    return right[0], "text/plain", b"Bad Request"


def names_nothing(asked: Asked, right: Answer) -> Answer:
    return with_body(right, {"message": "Bad Request in stage 2"})  # "age" is part of two of its words


def silent(asked: Asked, right: Answer) -> Answer:
    return with_body(right, {})


def cut(asked: Asked, right: Answer) -> Answer:
    raise Cut


def takes_it(asked: Asked, right: Answer) -> Answer:
    return 200, "application/json", b'{"predictions": [0.5], "model_name": "loans", "outputs": []}'


def forbids(asked: Asked, right: Answer) -> Answer:
    return 403, right[1], right[2]


@pytest.mark.parametrize(
    ("change", "words", "nearly_all"),
    [
        (broken, "answered 500: the server failed", True),
        (repeats, "repeats data of the request", False),
        (in_html, "answered 400 in HTML", True),
        (in_text, "something that is not JSON", True),
        (names_nothing, "does not name the field", False),
        (silent, "gives no reason", True),
        (cut, "no whole answer (RemoteDisconnected)", True),
        (takes_it, "was taken (status 200)", True),
        (forbids, "answered 403, not 400 or 422", True),
    ],
)
def test_every_way_to_refuse_badly_is_found(staged: Staged, change: Wrong, words: str, nearly_all: bool) -> None:
    findings = send(staged, refused(change))
    for protocol in ("v1", "v2"):
        check = failed(findings)[f"{protocol}: wrong values"]
        assert check.status is Status.FAIL
        assert words in check.reason
        assert check.measured == check.sample_size
    refusals = [one for one in findings if one.case.wants == "refusal"]
    assert all(one.problem for one in refusals) is nearly_all
    assert not any(one.problem for one in findings if one.case.wants == "answer")


def test_no_check_repeats_what_was_sent_or_answered(staged: Staged) -> None:
    said = " ".join(check.reason for check in failed(send(staged, refused(repeats))).values())
    assert said
    assert "731905" not in said
    assert "mark-qzx" not in said


def only(fragment: bytes, answer: Answer) -> Wrong:
    return lambda asked, right: answer if fragment in asked.path.encode() + asked.body else right


TAKEN = (200, "application/json", b'{"predictions":[0.5],"model_name":"loans","outputs":[]}')
CRASHED = (500, "application/json", b"{}")


@pytest.mark.parametrize(
    ("wrong", "check", "words"),
    [
        (only(b"never seen before", CRASHED), "v1: accepted", "unseen categories: answered 500"),
        (only(b"no_such_column", TAKEN), "v1: unknown fields", "a column: was taken"),
        (only(b"no_such_key", TAKEN), "v2: unknown fields", "a key of the body: was taken"),
        (only(b"-not-here", TAKEN), "v1: wrong names", "another model: was taken"),
        (only(b"not-a-version", TAKEN), "v2: wrong names", "another version: was taken"),
        (only(b"/v2/health/ready", (503, "text/plain", b"")), "v2: readiness and metadata", "answered 503"),
        (only(b"/v1/models/loans", (404, "text/plain", b"")), "v1: readiness and metadata", "answered 404, not 200"),
        (scored(lambda scores, rows: scores[:1]), "v1: batch sizes", "1 predictions for 2 rows"),
        (scored(lambda scores, rows: scores[:1]), "v2: batch sizes", "not one value for each of 2 rows"),
        (scored(lambda scores, rows: [float("nan")] * rows), "v1: accepted", "one row: the answer is not JSON"),
        (only(b"request-7", CRASHED), "v2: accepted", "an id: answered 500"),
        (only(b" " * 1000, TAKEN), "v1: limits", "200001 bytes: was taken"),
        (only(b"[" * 1000, CRASHED), "v1: malformed requests", "nested too deep: answered 500"),
    ],
)
def test_each_group_finds_what_it_is_for(staged: Staged, wrong: Wrong, check: str, words: str) -> None:
    found = failed(send(staged, wrong))
    assert words in found[check].reason


def test_too_many_rows_taken_is_found(staged: Staged) -> None:
    def wrong(asked: Asked, right: Answer) -> Answer:
        return TAKEN if right[0] == 413 else right

    found = failed(send(staged, wrong))
    assert sorted(found) == ["v1: limits", "v2: limits"]
    assert found["v1: limits"].measured == 2


def test_two_ways_to_say_the_same_must_be_answered_alike(staged: Staged) -> None:
    def wrong(asked: Asked, right: Answer) -> Answer:
        """Reads rows given as arrays in another order."""
        if not asked.body.startswith(b'{"instances":[['):
            return right
        return right if right[0] != 200 else with_body(right, {"predictions": [0.123]})

    found = failed(send(staged, wrong))
    assert list(found) == ["v1: accepted"]
    assert "rows as arrays: answered otherwise than 'one row'" in found["v1: accepted"].reason


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda m: m | {"name": "other"}, "name another model"),
        (lambda m: m | {"inputs": m["inputs"][1:]}, "other columns than the signature"),
        (lambda m: m | {"inputs": [{**m["inputs"][0], "datatype": "BYTES"}, *m["inputs"][1:]]}, "type for amount"),
        (lambda m: {"name": "loans"}, "form of the protocol"),
    ],
)
def test_metadata_that_say_something_else_are_found(staged: Staged, change: Any, words: str) -> None:
    def wrong(asked: Asked, right: Answer) -> Answer:
        return with_body(right, change(json.loads(right[2]))) if asked.path == "/v2/models/loans" else right

    found = failed(send(staged, wrong))
    assert list(found) == ["v2: readiness and metadata"]
    assert words in found["v2: readiness and metadata"].reason


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("model_name", "other", "names another model"),
        ("id", "mine", "does not carry the request's id"),
        ("outputs", [], "has no outputs"),
        ("outputs", [{"name": "score", "data": [1.0], "shape": [1]}], "form of the protocol"),
        ("outputs", [{"name": 3, "datatype": "FP64", "data": [1.0], "shape": [1]}], "lacks name, datatype or data"),
    ],
)
def test_v2_answers_must_have_their_form(staged: Staged, key: str, value: Any, words: str) -> None:
    def wrong(asked: Asked, right: Answer) -> Answer:
        if right[0] != 200 or not asked.path.endswith("/infer"):
            return right
        return with_body(right, json.loads(right[2]) | {key: value})

    assert words in " ".join(one.problem for one in send(staged, wrong) if one.case.group == "v2: accepted")


def test_a_waived_case_is_left_out_and_a_pattern_that_matches_none_is_refused(staged: Staged) -> None:
    wrong = only(b"never seen before", CRASHED)
    findings = send(staged, wrong, waive=["*: accepted/unseen*"])
    assert failed(findings) == {}
    assert not any(one.case.name == "unseen categories" for one in findings)
    with pytest.raises(ConfigurationError, match="waive nothing"):
        send(staged, wrong, waive=["v1: accepted/no such case"])


def test_of_a_wide_model_columns_are_chosen_over_the_whole_signature() -> None:
    columns = [{"name": f"c{i}", "type": "double", "required": True} for i in range(1000)]
    wide = contract_of({"signature": {"inputs": json.dumps(columns)}})
    subject = ServedModel(wide, "m", [{f"c{i}": 1.0 for i in range(1000)}])
    cases = contract_cases(subject, ("v1",), LIMITS)
    named = {case.names for case in cases if case.group == "v1: wrong values"}
    assert MOST_COLUMNS / 2 < len(named) <= MOST_COLUMNS
    assert {"c0", "c975"} <= named


def test_a_model_of_one_column_has_its_cases_too() -> None:
    one = contract_of({"signature": {"inputs": json.dumps([{"name": "x", "type": "double"}])}})
    cases = contract_cases(ServedModel(one, "m", [{"x": 1.5}]), ("v1", "v2"), LIMITS)
    assert {"v1: wrong values", "v2: wrong values"} <= {case.group for case in cases}
    assert len({case.title for case in cases}) == len(cases)


# -- neighbours ------------------------------------------------------------------------------------------------------


def neighbours(staged: Staged, wrong: Wrong) -> Check:
    cases = contract_cases(SUBJECT, ("v1",), LIMITS)
    with fake_server(staged, wrong) as server:
        found = check_neighbours(lambda: Client(address(server.url), timeout=30), cases, SUBJECT)
    assert found is not None
    return found


def test_good_requests_are_answered_among_bad_ones(staged: Staged) -> None:
    check = neighbours(staged, as_it_should)
    assert (check.status, check.measured, check.sample_size) == (Status.PASS, 0, 50)


def poisoned(answer: Answer) -> Wrong:
    """A server that scores requests together: a bad one spoils the next good one."""
    spoiled, lock = [False], threading.Lock()

    def wrong(asked: Asked, right: Answer) -> Answer:
        with lock:
            was, spoiled[0] = spoiled[0], right[0] >= 400
        return answer if was and right[0] == 200 else right

    return wrong


@pytest.mark.parametrize(
    ("answer", "words"), [(CRASHED, "answered 500"), ((200, "application/json", b'{"predictions":[0.1]}'), "otherwise")]
)
def test_a_bad_request_that_spoils_another_is_found(staged: Staged, answer: Answer, words: str) -> None:
    check = neighbours(staged, poisoned(answer))
    assert check.status is Status.FAIL
    assert words in check.reason


def test_neighbours_of_a_server_that_answers_nothing_are_an_error(staged: Staged) -> None:
    assert neighbours(staged, only(b"predict", CRASHED)).status is Status.ERROR
