"""The pool: what is sent again, what is not, and what becomes of connections, against servers that misbehave."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from gauntlet.delivery.targets.local.server.http_client import NoAnswer, Pool, get, message
from gauntlet.delivery.targets.local.server.http_server import Request

pytest.importorskip("httptools", reason="httptools is not installed: make test brings it")

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nX-Kind: a\r\nconnection: keep-alive\r\n\r\nok"
Script = list[bytes | float | None]
"""What a connection answers to its requests in turn: bytes, ``None`` to break off, seconds to wait."""


def talk(scripts: list[Script], ask: Callable[[Pool], Awaitable[None]], most: int = 64) -> list[list[bytes]]:
    """Requests by connection, as a server that follows the scripts has seen them."""
    seen: list[list[bytes]] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        mine: list[bytes] = []
        seen.append(mine)
        try:
            for told in scripts[len(seen) - 1]:
                mine.append((await reader.readuntil(b"\r\n\r\n")).split(b" HTTP")[0])
                if isinstance(told, float):
                    await asyncio.sleep(told)
                elif told is None:
                    break
                else:
                    writer.write(told)
        except asyncio.IncompleteReadError:
            pass
        finally:
            writer.close()

    async def run() -> None:
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        pool = Pool(server.sockets[0].getsockname()[1], most)
        await ask(pool)
        pool.close()
        server.close()
        serving = asyncio.all_tasks() - {asyncio.current_task()}
        for task in serving:
            task.cancel()
        await asyncio.gather(*serving, return_exceptions=True)
        await asyncio.sleep(0.01)  # for what was closed to be gone

    asyncio.run(run())
    return seen


def test_one_connection_is_kept_and_used_again():
    async def ask(pool):
        for path in ("/a", "/b"):
            reply = await pool.ask(get(path), 30)
            assert (reply.status, reply.headers, reply.body) == (200, [(b"x-kind", b"a")], b"ok")

    assert talk([[OK, OK]], ask) == [[b"GET /a", b"GET /b"]]


def test_what_met_a_server_closing_a_rested_connection_is_sent_once_more():
    async def ask(pool):
        for path in ("/a", "/b"):
            assert (await pool.ask(get(path), 30)).status == 200

    assert talk([[OK, None], [OK]], ask) == [[b"GET /a", b"GET /b"], [b"GET /b"]]


def test_what_a_fresh_connection_breaks_off_is_not_sent_again():
    async def ask(pool):
        with pytest.raises(NoAnswer):
            await pool.ask(get("/a"), 30)

    assert talk([[None], [OK]], ask) == [[b"GET /a"]]


def test_nor_is_what_was_begun_to_be_answered():
    async def ask(pool):
        await pool.ask(get("/a"), 30)
        with pytest.raises(NoAnswer):
            await pool.ask(get("/b"), 30)

    half = b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf"
    assert talk([[OK, half], [OK]], ask) == [[b"GET /a", b"GET /b"]]


@pytest.mark.parametrize(
    "answer",
    [b"nonsense\r\n\r\n", b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nxyz\r\n"],
    ids=["no HTTP", "no chunk"],
)
def test_what_is_no_answer_is_none(answer):
    async def ask(pool):
        with pytest.raises(NoAnswer, match="is not HTTP"):
            await pool.ask(get("/a"), 30)
        assert (await pool.ask(get("/b"), 30)).status == 200

    assert talk([[answer], [OK]], ask) == [[b"GET /a"], [b"GET /b"]]


def test_who_is_late_is_cut_and_the_connection_not_used_again():
    async def ask(pool):
        with pytest.raises(TimeoutError):
            await pool.ask(get("/a"), 0.05)
        assert (await pool.ask(get("/b"), 30)).status == 200

    assert talk([[600.0], [OK]], ask) == [[b"GET /a"], [b"GET /b"]]


def test_beyond_the_most_connections_requests_wait_and_their_waiting_counts():
    async def ask(pool):
        late, waiting = await asyncio.gather(pool.ask(get("/a"), 0.2), pool.ask(get("/b"), 0.1), return_exceptions=True)
        assert isinstance(late, TimeoutError)
        assert isinstance(waiting, TimeoutError)

    assert talk([[600.0]], ask, most=1) == [[b"GET /a"]]


@pytest.mark.parametrize("close", [b"connection: close\r\n", b""], ids=["said", "not said"])
def test_a_connection_that_the_server_ends_is_not_used_again(close):
    last = b"HTTP/1.1 200 OK\r\n" + close + b"content-length: 2\r\n\r\nok"

    async def ask(pool):
        for path in ("/a", "/b"):
            assert (await pool.ask(get(path), 30)).body == b"ok"

    assert talk([[last], [OK]], ask) == [[b"GET /a"], [b"GET /b"]]


def test_chunks_and_announcements_make_one_answer():
    told = b"HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"

    async def ask(pool):
        reply = await pool.ask(get("/a"), 30)
        assert (reply.status, reply.headers, reply.body) == (200, [], b"ok")

    talk([[told]], ask)


def test_nothing_listens():
    async def run() -> None:
        with pytest.raises(NoAnswer, match="nothing listens on port 9"):
            await Pool(9).ask(get("/"), 30)

    asyncio.run(run())


def test_a_request_is_sent_on_without_what_belonged_to_its_connection():
    headers = [(b"host", b"x"), (b"connection", b"close"), (b"te", b"x"), (b"content-length", b"9"), (b"a", b"b")]
    assert message(Request(b"POST", b"/p", headers, b"{}")) == (
        b"POST /p HTTP/1.1\r\nhost: x\r\na: b\r\ncontent-length: 2\r\n\r\n{}"
    )
    assert message(Request(b"HEAD", b"/p", headers)) == b"GET /p HTTP/1.1\r\nhost: x\r\na: b\r\n\r\n"
