"""Router and host as processes, with stub servers: who answers, what is counted, what callers see of trouble."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import threading
import time
from collections import Counter

import pytest

from builders.local import ROW, Running, ask, hosting, release, stub, wait_for
from gauntlet.delivery.analysis.increments import SAME_START, increments
from gauntlet.delivery.rollout.state import begin
from gauntlet.delivery.targets.local import transitions
from gauntlet.delivery.targets.local.client.host_client import Client
from gauntlet.delivery.targets.local.client.service import open_place
from gauntlet.errors import ConfigurationError, DependencyError
from gauntlet.serving.load import Load, run


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory):
    with hosting(tmp_path_factory.mktemp("local") / "loans") as one:
        yield one


@pytest.fixture
def v1(host: Running):
    return host.installed(stub(host.folder, "1", score=0.25))


@pytest.fixture
def v2(host: Running, v1):
    """Beside version 1, ready, with no requests."""
    candidate = stub(host.folder, "2", score=0.75)
    host.client.change(lambda now: transitions.deploy(now, candidate, v1))
    wait_for(lambda: host.client.state().revisions["2"].ready)
    return candidate


def metric(host: Running, name: str, **labels: str) -> float:
    for line in host.client.metrics().splitlines():
        if line.startswith(name + "{") and all(f'{key}="{value}"' in line for key, value in labels.items()):
            return float(line.rsplit(" ", 1)[1])
    raise AssertionError(f"no series {name} {labels}")


def test_an_empty_folder_answers_503(tmp_path):
    with hosting(tmp_path / "empty") as host:
        assert host.service.handle.current() is None
        answered = host.ask()
        assert (answered.status, answered.version) == (503, "none")
        assert answered.json == {"error": "no version serves yet"}


def test_an_answer_says_which_version_it_is_from(host, v1):
    answered = host.ask()
    assert (answered.status, answered.version, answered.json) == (200, "1", {"predictions": [0.25]})
    assert host.service.handle.current() == v1
    with pytest.raises(ConfigurationError, match="version 1 serves here already"):
        host.service.handle.install(release("9"))


def test_a_version_without_weight_answers_nobody(host, v2):
    assert {host.ask().version for _ in range(200)} == {"1"}


@pytest.mark.parametrize("percent", [1, 30, 100])
def test_in_blocks_of_100_requests_the_weights_are_exact(host, v1, v2, percent):
    host.client.change(lambda now: transitions.weigh(now, v2, v1, percent))
    seen = Counter(host.ask().version for _ in range(300))
    assert seen == Counter({version: 3 * share for version, share in (("1", 100 - percent), ("2", percent)) if share})
    assert metric(host, "gauntlet_router_weight", version="2") == percent


def test_every_series_exists_from_the_start_and_counts(tmp_path):
    with hosting(tmp_path / "loans") as host:
        host.installed(stub(tmp_path, "1"))
        for code in ("200", "400", "413", "500", "502", "503", "504"):
            assert metric(host, "gauntlet_router_requests_total", version="1", code=code) == 0
        assert metric(host, "gauntlet_router_errors_total", version="1") == 0
        host.ask()
        stub(tmp_path, "1", status=500)
        host.ask()
        stub(tmp_path, "1", status=418)
        host.ask()
        for code in ("200", "418", "500"):
            assert metric(host, "gauntlet_router_requests_total", version="1", code=code) == 1
        assert metric(host, "gauntlet_router_errors_total", version="1") == 1
        assert metric(host, "gauntlet_router_seconds_bucket", version="1", le="+Inf") == 3
        assert metric(host, "gauntlet_router_in_flight", version="1") == 0
        told = host.service.counter_source.read(begin("loans", release("2"), release("1"), 0.0))
        assert told.candidate == {}
        counters = told.stable[f"router-{host.client.state().incarnation}"]
        assert (counters.requests, counters.errors, counters.in_flight) == (3, 1, 0)
        assert counters.latency[float("inf")] == 3


def test_scores_that_begin_anew_with_their_server_leave_the_router_s_counters_alone(host, v1, v2):
    rollout = begin("loans", v2, v1, 0.0)

    def pods():
        return host.service.counter_source.read(rollout).stable

    host.ask()
    first = wait_for(lambda: len(pods()) == 2 and pods())
    (router,) = set(first) - {"server"}
    assert (first[router].scores, first["server"].requests, first["server"].latency) == ({}, 0, {})
    assert first["server"].scores[float("inf")] > 0
    since = time.time()
    wait_for(lambda: time.time() > first["server"].started + 2 * SAME_START, "until its start and the next differ")
    os.kill(host.client.state().revisions["1"].pid, signal.SIGKILL)
    wait_for(lambda: len(pods()) == 1)
    wait_for(lambda: len(pods()) == 2)
    answered = int(first["server"].scores[float("inf")]) + 2
    for _ in range(answered):
        host.ask()
    after = pods()
    assert after["server"].scores[float("inf")] == answered, "more than before, and all of it is new"
    grown = increments(first, after, since=since)
    assert grown["server"].scores[float("inf")] == answered
    assert grown[router].requests == answered, "the router went on"


def test_what_a_version_was_asked_is_known_when_it_has_left(host, v1, v2):
    rollout = begin("loans", v2, v1, 0.0)
    router = f"router-{host.client.state().incarnation}"
    before = host.service.counter_source.read(rollout).candidate[router].requests
    host.client.change(lambda now: transitions.weigh(now, v2, v1, 30))
    seen = Counter(host.ask().version for _ in range(100))
    host.client.change(lambda now: transitions.roll_back(now, v1))
    wait_for(lambda: "2" not in host.client.state().revisions)
    pods = host.service.counter_source.read(rollout).candidate
    assert set(pods) == {router}, "its server's scores are gone with it"
    assert pods[router].requests - before == seen["2"] == 30


def test_who_is_late_costs_the_caller_a_504(host, v1):
    stub(host.folder, "1", seconds=600)
    assert host.ask().status == 504
    stub(host.folder, "1")
    assert host.ask().status == 200


def test_a_dead_server_costs_502_or_503_until_it_is_back(host, v1):
    before = host.client.state().revisions["1"]
    host.ask()
    os.kill(before.pid, signal.SIGKILL)
    codes = {host.ask().status for _ in range(20)}
    assert codes & {502, 503}
    wait_for(lambda: host.ask().status == 200)
    after = host.client.state().revisions["1"]
    assert (after.restarts, after.pid != before.pid) == (before.restarts + 1, True)


def test_a_server_that_refuses_the_model_has_failed_and_says_why(host, v1):
    bad = stub(host.folder, "3", exit=3, says="digest: another model than expected.")
    host.client.change(lambda now: transitions.deploy(now, bad, v1))
    failed = wait_for(lambda: host.client.state().revisions["3"].failed)
    assert failed == "digest: another model than expected."
    host.client.change(lambda now: transitions.weigh(now, bad, v1, 100))
    assert dict(host.client.state().weights) == {"1": 100}, "who never answered gets nobody"
    assert {host.ask().version for _ in range(100)} == {"1"}
    stub(host.folder, "3", score=1.0)
    host.client.restart("3")
    wait_for(lambda: dict(host.client.state().weights) == {"3": 100})
    assert host.ask().version == "3"


def test_a_server_that_never_becomes_ready_has_failed_after_five_starts(host, v1):
    bad = stub(host.folder, "4", exit=1, says="out of memory")
    host.client.change(lambda now: transitions.deploy(now, bad, v1))
    failed = wait_for(lambda: host.client.state().revisions["4"].failed)
    assert failed == "its server ended 5 times without having been ready; the last time: out of memory"


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/metrics", 404),
        ("GET", "/%6detrics", 404),
        ("POST", "/v2/repository/models/model/unload", 404),
        ("POST", "/v2/%72epository/models/model/unload", 404),
        ("GET", "//metrics", 404),
        ("GET", "/v2/models/../../metrics", 404),
        ("DELETE", "/v2/models/model", 405),
        ("GET", "/v1/models/model:predict", 405),
        ("GET", "/v2/%6dodels/model/versions/1", 200),
        ("POST", "/v1/models/model%3Apredict", 200),
    ],
)
def test_what_belongs_to_whoever_runs_it_is_closed_to_callers(host, v1, method, path, status):
    assert host.ask(path=path, method=method).status == status


def test_requests_on_one_connection_are_answered_in_order(host, v1):
    def request(rows: int, *lines: str) -> bytes:
        body = json.dumps({"instances": [1] * rows}).encode()
        head = ["POST /v1/models/model:predict HTTP/1.1", "host: x", f"content-length: {len(body)}", *lines]
        return "\r\n".join([*head, "", ""]).encode() + body

    with socket.create_connection(("127.0.0.1", host.port), timeout=60) as caller:
        caller.sendall(request(1) + request(2) + request(3, "connection: close"))
        said = b"".join(iter(lambda: caller.recv(65536), b""))
    assert [part.split(b"\r\n")[0] for part in said.split(b'{"predictions": ')[1:]] == [
        b"[0.25]}HTTP/1.1 200 OK",
        b"[0.25, 0.25]}HTTP/1.1 200 OK",
        b"[0.25, 0.25, 0.25]}",
    ]


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"nonsense\r\n\r\n", b"400"),
        (b"GET / HTTP/1.1\r\nhost: x\r\nx: " + b"y" * 70_000 + b"\r\n\r\n", b"431"),
        (b"GET / HTTP/1.1\r\nx: " + b"y" * 2_000_000, b"431"),
        (b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 20000000\r\n\r\n" + b"0" * 20_000_000, b"413"),
        (b"POST / HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\ncontent-length: 20000000\r\n\r\n", b"413"),
        (b"POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n500000\r\n" + b"0" * 5_242_880, b"413"),
        (b"POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n1;x=" + b"y" * 400_000, b"431"),
        (b"GET / HTTP/1.1\r\nhost: evil.example\r\n\r\n", b"403"),
        (b"GET / HTTP/1.1\r\nhost: x\r\norigin: http://localhost\r\n\r\n", b"403"),
        (b"GET http://elsewhere/ HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n", b"404"),
    ],
    ids=[
        "no HTTP",
        "head too long",
        "head without end",
        "body too long",
        "told so",
        "chunked",
        "chunk extension",
        "page",
        "origin",
        "proxy",
    ],
)
def test_what_is_no_request_is_refused_and_reaches_nobody(host, v1, sent, status):
    before = host.client.metrics().count("\n")
    with socket.create_connection(("127.0.0.1", host.port), timeout=60) as caller:
        caller.sendall(sent)
        assert caller.recv(65536).split()[1] == status
    assert host.client.metrics().count("\n") == before


def test_a_caller_that_waits_before_sending_its_body_is_told_to_go_on(host, v1):
    with socket.create_connection(("127.0.0.1", host.port), timeout=60) as caller:
        head = (
            b"POST /v1/models/model:predict HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\ncontent-length: %d\r\n\r\n"
        )
        caller.sendall(head % len(ROW))
        assert caller.recv(65536) == b"HTTP/1.1 100 Continue\r\n\r\n"
        caller.sendall(ROW)
        assert caller.recv(65536).startswith(b"HTTP/1.1 200 OK")


def test_head_is_answered_without_a_body(host, v1):
    answered = ask(host.port, None, "/v2/models/model/versions/1", "HEAD")
    assert (answered.status, answered.body, answered.headers["content-length"]) == (200, b"", "2")


def test_no_request_is_lost_while_weights_change_and_servers_come_and_go(host, v1):
    load = Load(rate=150, seconds=6, connections=16, method="POST", path="/v1/models/model:predict", bodies=(ROW,))
    measured = []
    loading = threading.Thread(target=lambda: measured.append(run(load, "127.0.0.1", host.port)))
    loading.start()
    for round_ in range(6):
        candidate = stub(host.folder, f"c{round_}", score=0.5, seconds=0.05)
        stable = host.service.handle.current()
        host.client.change(lambda now, c=candidate, s=stable: transitions.deploy(now, c, s))
        wait_for(lambda c=candidate: host.service.handle.ready(c))
        for percent in (10, 50, 100):
            host.client.change(lambda now, c=candidate, s=stable, p=percent: transitions.weigh(now, c, s, p))
            time.sleep(0.1)
        if round_ % 2:
            host.client.change(lambda now, s=stable: transitions.roll_back(now, s))
        else:
            host.client.change(lambda now, c=candidate, s=stable: transitions.promote(now, c, s))
    loading.join()
    assert measured[0].errors == {}
    assert measured[0].succeeded.all()


# -- the document ------------------------------------------------------------------------------------------------


def admin_port(host: Running) -> int:
    return int(json.loads((host.folder / "host.json").read_text())["admin"].rsplit(":", 1)[1])


def bearer(host: Running) -> dict[str, str]:
    return {"authorization": f"Bearer {(host.folder / 'host.token').read_text()}"}


def test_the_admin_port_takes_changes_from_who_can_read_the_token_alone(host, v1):
    admin, path = admin_port(host), "/v1/revisions/1/restart"
    assert (host.folder / "host.token").stat().st_mode & 0o777 == 0o600
    for wrong in ({}, {"authorization": "Bearer x"}, {"authorization": bearer(host)["authorization"][7:]}):
        assert ask(admin, None, path, "POST", **wrong).status == 401
        assert ask(admin, b"{}", "/v1/desired", "PUT", **wrong).status == 401
        assert ask(admin, None, "/v1/mirror", "GET", **wrong).status == 401
    assert ask(admin, None, path, "POST", **bearer(host)).status == 202
    for page in ({"host": f"evil.example:{admin}"}, {"origin": f"http://127.0.0.1:{admin}"}, {"host": "x"}):
        assert ask(admin, None, path, "POST", **bearer(host), **page).status == 403
        assert ask(admin, None, "/v1/state", "GET", **page).status == 403
        assert ask(admin, None, "/metrics", "GET", **page).status == 403
    token = host.folder / "host.token"
    told = token.read_text()
    try:
        for other in ("another", "two\nlines", ""):
            token.write_text(other)
            with pytest.raises(ConfigurationError, match=r"host.token: is not the token of the host.*gauntlet serve"):
                host.client.restart("1")
    finally:
        token.write_text(told)


def test_a_change_made_from_an_old_document_is_refused(host, v1):
    admin, owner = admin_port(host), bearer(host)
    now = host.client.state().desired
    body = json.dumps({**now.to_document(), "generation": now.generation + 1}).encode()
    for match, status in [(None, 428), ("nonsense", 428), (str(now.generation - 1), 412), (f'"{now.generation}"', 200)]:
        headers = owner if match is None else {"if-match": match, **owner}
        assert ask(admin, body, "/v1/desired", "PUT", **headers).status == status
    for wrong in (b"no JSON", b"{}", b"[" * 100_000, body):  # the last has the generation that is there already
        headers = {"if-match": str(now.generation + 1), **owner}
        assert ask(admin, wrong, "/v1/desired", "PUT", **headers).status == 400
    assert ask(admin, None, "/v1/elsewhere", "GET", **owner).status == 404
    assert ask(admin, None, "/v1/revisions/77/restart", "POST", **owner).status == 404


def test_a_second_host_of_a_folder_is_refused(host):
    second = subprocess.run(host.command, capture_output=True, text=True, check=False, timeout=60)
    assert second.returncode == 2
    assert "is served by another process already" in second.stderr


def test_after_kill_9_no_server_is_left_and_the_next_host_goes_on(tmp_path):
    with hosting(tmp_path / "loans") as host:
        v1 = host.installed(stub(tmp_path, "1"))
        v2 = stub(tmp_path, "2")
        host.client.change(lambda now: transitions.weigh(now, v2, v1, 10))
        wait_for(lambda: dict(host.client.state().weights) == {"1": 90, "2": 10})
        before = host.client.state()
        host.kill()
        with pytest.raises(DependencyError, match=r"Start one: gauntlet serve .*loans"):
            open_place(str(host.folder))
        wait_for(lambda: not any(_lives(one.pid) for one in before.revisions.values()))
        host.start()
        assert host.client.state().desired == before.desired
        wait_for(lambda: dict(host.client.state().weights) == {"1": 90, "2": 10})
        assert host.client.state().incarnation != before.incarnation
        pids = [one.pid for one in host.client.state().revisions.values()]
        assert host.end() == 0
        assert not any(_lives(pid) for pid in pids)
        assert not list((host.folder / "scratch").iterdir())


def test_another_host_that_listens_where_one_did_is_not_taken_for_it(host, v1):
    about = host.folder / "host.json"
    told = about.read_text()
    about.write_text(json.dumps({**json.loads(told), "incarnation": "another"}))
    try:
        with pytest.raises(DependencyError, match="another one listens where it did"):
            host.client.state()
    finally:
        about.write_text(told)


def test_no_host_says_how_to_start_one(tmp_path):
    with pytest.raises(DependencyError, match=r"no host answers \(there is no host.json\).*gauntlet serve"):
        open_place(str(tmp_path))
    (tmp_path / "host.json").write_text("{")
    with pytest.raises(DependencyError, match="cannot be read"):
        Client(tmp_path).url()


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
