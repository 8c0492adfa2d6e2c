from __future__ import annotations

import pytest

from gauntlet.serving.local_only import foreign, is_loopback


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.1:8080", "localhost", "LOCALHOST:1", "[::1]", "[::1]:8080"])
def test_loopback_under_its_own_names(host: str) -> None:
    assert not foreign([(b"host", host.encode())], strict=True)
    assert not foreign([(b"host", host.encode())])


@pytest.mark.parametrize(
    "headers",
    [
        [(b"host", b"evil.example")],
        [(b"host", b"evil.example:8080")],
        [(b"host", b"localhost.evil.example")],
        [(b"host", b"127.0.0.1.nip.io:8080")],
        [(b"host", b"127.0.0.1"), (b"host", b"evil.example")],
        [(b"host", b"evil.example.")],
        [(b"host", b"127.0.0.1"), (b"origin", b"http://127.0.0.1")],
        [(b"origin", b"null")],
    ],
)
def test_web_pages_are_foreign(headers: list[tuple[bytes, bytes]]) -> None:
    assert foreign(headers)
    assert foreign(headers, strict=True)


@pytest.mark.parametrize("host", [b"x", b"loans:80", b"192.168.1.4:80", b"[fe80::1]:80", b"app.localhost", b""])
def test_names_that_no_page_can_have_pass_unless_strictly_loopback_is_asked_for(host: bytes) -> None:
    assert not foreign([(b"host", host)])
    assert foreign([(b"host", host)], strict=True)


def test_which_addresses_are_loopback() -> None:
    assert [is_loopback(host) for host in ("127.0.0.1", "127.9.9.9", "::1", "localhost")] == [True] * 4
    assert [is_loopback(host) for host in ("0.0.0.0", "::", "10.0.0.1", "example.org")] == [False] * 4
