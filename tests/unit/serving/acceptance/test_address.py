import pytest

from gauntlet.errors import ConfigurationError
from gauntlet.serving.acceptance.address import Address, parse_address


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("http://127.0.0.1:8080", Address("127.0.0.1", 8080)),
        ("http://127.7.7.7:8080/", Address("127.7.7.7", 8080)),
        ("http://localhost", Address("localhost", 80)),
        ("http://[::1]:9000/serving/loans/", Address("::1", 9000, "/serving/loans")),
    ],
)
def test_an_address_on_this_machine_is_taken(url: str, address: Address) -> None:
    assert parse_address(url, allow_remote=False) == address
    assert parse_address(str(address), allow_remote=False) == address


@pytest.mark.parametrize(
    "url",
    [
        "http://10.0.0.7:8080",
        "http://0.0.0.0:8080",
        "http://loans.example:8080",
        "http://localhost.example:8080",
        "http://127.0.0.1.example:8080",
        "http://[::ffff:10.0.0.7]:80",
    ],
)
def test_any_other_is_refused_unless_allowed(url: str) -> None:
    with pytest.raises(ConfigurationError, match="not on this machine") as caught:
        parse_address(url, allow_remote=False)
    assert "allow_remote" in str(caught.value)
    assert parse_address(url, allow_remote=True).port in (80, 8080)


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("https://127.0.0.1:8080", "without TLS"),
        ("127.0.0.1:8080", "no address"),
        ("http://", "no address"),
        ("http://127.0.0.1:port", "is no URL"),
        ("http://127.0.0.1:99999", "is no URL"),
        ("http://user:pass@127.0.0.1", "more than host, port and path"),
        ("http://127.0.0.1/?a=1", "more than host, port and path"),
        ("", "no address"),
    ],
)
def test_what_is_no_address_says_so(url: str, words: str) -> None:
    with pytest.raises(ConfigurationError, match=words) as caught:
        parse_address(url, allow_remote=True)
    assert caught.value.field == "url"
