import gc
import socket
import threading

import pytest

from builders.load import HOW_TO_ENABLE, server
from gauntlet.errors import ConfigurationError, DependencyError
from gauntlet.serving.load import Load, messages, run


@pytest.mark.parametrize(
    ("field", "settings"),
    [
        ("rate", {"rate": 0}),
        ("rate", {"rate": float("nan")}),
        ("seconds", {"seconds": -1}),
        ("timeout", {"timeout": float("inf")}),
        ("rate", {"rate": 0.1}),
        ("rate", {"rate": 1e9}),
        ("connections", {"connections": 0}),
        ("spacing", {"spacing": "bursts"}),
        ("method", {"method": "HEAD"}),
        ("path", {"path": "predict"}),
        ("path", {"path": "/a b"}),
        ("headers.content-length", {"headers": {"Content-Length": "1"}}),
        ("headers.x", {"headers": {"x": "a\r\nb: c"}}),
        ("headers.x y", {"headers": {"x y": "a"}}),
    ],
)
def test_a_load_that_no_run_could_be_is_refused(field, settings):
    with pytest.raises(ConfigurationError) as caught:
        Load(**({"rate": 10, "seconds": 1} | settings))
    assert caught.value.field.lower() == field
    assert caught.value.mend


def test_requests_are_whole_http():
    load = Load(rate=1, seconds=1, method="POST", path="/p?q=1", bodies=[b"{}", b"abc"], headers={"X-Key": "1"})
    assert messages(load, "::1", 80) == [
        b"POST /p?q=1 HTTP/1.1\r\nhost: [::1]:80\r\nx-key: 1\r\ncontent-length: 2\r\n\r\n{}",
        b"POST /p?q=1 HTTP/1.1\r\nhost: [::1]:80\r\nx-key: 1\r\ncontent-length: 3\r\n\r\nabc",
    ]
    assert messages(Load(rate=1, seconds=1, headers={"Host": "model.example"}), "127.0.0.1", 80) == [
        b"GET / HTTP/1.1\r\nhost: model.example\r\n\r\n"
    ]
    assert messages(Load(rate=1, seconds=1, method="POST"), "h", 1)[0].endswith(b"content-length: 0\r\n\r\n")


class TestOnTheWire:
    @pytest.fixture(autouse=True)
    def _needs_httptools(self):
        pytest.importorskip("httptools", reason=HOW_TO_ENABLE)

    @pytest.fixture
    def target(self):
        with server() as seen:
            yield seen

    def ask(self, target, path, **settings):
        load = Load(**({"rate": 500, "seconds": 0.3, "connections": 4, "timeout": 20.0, "path": path} | settings))
        return run(load, "127.0.0.1", target.port)

    @pytest.mark.parametrize("path", ["/ok", "/empty", "/chunked", "/announced", "/last"])
    def test_every_request_is_answered_and_counted_once(self, target, path):
        measured = self.ask(target, path)
        assert target.requests == {path: 150}
        assert measured.succeeded.sum() == 150
        assert measured.errors == {}
        assert (measured.latency > 0).all()

    def test_connections_are_kept(self, target):
        self.ask(target, "/ok")
        assert target.connections == 4

    def test_a_server_that_closes_after_each_answer_is_connected_to_again(self, target):
        self.ask(target, "/last")
        assert target.connections >= 150

    @pytest.mark.parametrize(("path", "kind"), [("/missing", "status 404"), ("/broken", "status 503")])
    def test_refusals_are_counted_by_status(self, target, path, kind):
        measured = self.ask(target, path)
        assert measured.errors == {kind: 150}

    @pytest.mark.parametrize(("path", "kind"), [("/reset", "cut"), ("/half", "cut"), ("/garbage", "malformed")])
    def test_broken_answers_are_errors_and_the_run_goes_on(self, target, path, kind):
        measured = self.ask(target, path, rate=100)
        assert measured.errors == {kind: 30}
        assert target.requests == {path: 30}

    def test_an_answer_that_nobody_asked_for_counts_for_nothing(self, target):
        measured = self.ask(target, "/twice", rate=100, connections=1)
        assert measured.succeeded.sum() == 30

    def test_good_and_bad_answers_are_told_apart(self, target):
        measured = self.ask(target, "/mixed", rate=300)
        assert sum(target.requests.values()) == 90
        assert measured.succeeded.sum() == 45
        assert measured.errors == {"status 503": 15, "cut": 30}

    def test_silence_is_a_timeout_at_its_full_time_and_none_is_dropped(self, target):
        measured = self.ask(target, "/silent", rate=60, timeout=0.3, connections=2)
        assert sum(measured.errors.values()) == 18
        assert set(measured.errors) <= {"timed out", "never sent"}
        assert target.requests["/silent"] <= measured.errors["timed out"]  # one cut at once may never arrive
        assert (measured.latency >= 0.3).all()

    def test_bodies_are_sent_in_turn_with_the_headers(self, target):
        bodies = [b"one", b"", b"three" * 10_000]
        self.ask(target, "/ok", method="POST", bodies=bodies, headers={"X-Version": "7"}, connections=1)
        assert target.bodies == [bodies[i % 3] for i in range(150)]
        assert all("x-version: 7\r\n" in head for head in target.heads)

    def test_nothing_listening_says_where_and_what_to_do(self):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
            with pytest.raises(DependencyError, match=rf"nothing listens on 127.0.0.1:{port}.*Start the server"):
                run(Load(rate=10, seconds=1), "127.0.0.1", port)

    def test_a_server_that_goes_away_is_counted_not_raised(self):
        """It takes the connections and closes them with its socket: from then on nothing can be opened."""
        with socket.create_server(("127.0.0.1", 0)) as listening:
            accepted = [None, None]

            def accept_two_and_leave():
                accepted[:] = [listening.accept()[0] for _ in accepted]
                accepted[0].recv(1000)
                listening.close()
                for connection in accepted:
                    connection.close()

            thread = threading.Thread(target=accept_two_and_leave, daemon=True)
            thread.start()
            port = listening.getsockname()[1]
            measured = run(Load(rate=40, seconds=0.5, connections=2, timeout=0.5), "127.0.0.1", port)
            thread.join(30)
        assert sum(measured.errors.values()) == 20
        assert set(measured.errors) <= {"cut", "never sent", "timed out"}

    def test_the_collector_works_again_afterwards(self, target):
        self.ask(target, "/ok", rate=20)
        assert gc.isenabled()
        assert gc.get_freeze_count() == 0
        gc.disable()
        try:
            self.ask(target, "/ok", rate=20)
            assert not gc.isenabled()
        finally:
            gc.enable()

    def test_it_runs_twice_in_one_process(self, target):
        assert self.ask(target, "/ok").errors == self.ask(target, "/ok").errors == {}
