"""Bodies that are refused before, while or after they are parsed."""

from __future__ import annotations

import json
import time

import pytest

from gauntlet.serving.errors import InvalidRequest, TooLarge
from gauntlet.serving.json_body import SMALL_BYTES, parse_body

MEBI = 1 << 20


def parse(body: bytes, *, rows: int = 1000, columns: int = 3) -> object:
    return parse_body(body, most_bytes=4 * MEBI, most_rows=rows, columns=columns)


@pytest.mark.parametrize(
    "unit",
    [
        b"[],",
        b"{},",
        b'{"a":1},',
        b"1,",
        b'"",',
        b'"\\"",',
        b"[[],[]],",
        b'[1,"x"],',
        b'"a\\\\",',
        b"[1,2,3],",
        b'"ab":1,',
    ],
)
def test_more_values_than_the_rows_allowed_are_refused_before_they_are_parsed(unit: bytes) -> None:
    body = b'{"instances": [' + unit * (4 * MEBI // len(unit) - 20) + b"[]]}"
    began = time.process_time()
    with pytest.raises(TooLarge, match="holds more values than 1000 rows of 3 columns, the most allowed"):
        parse(body)
    assert time.process_time() - began < 0.5


@pytest.mark.parametrize(
    "payload",
    [
        {"instances": [{"amount": 1.25, "age": 40, "text": 'a, [b] {c} \\ " ,' * 40}] * 1000},
        {"instances": [[1.25, 40, "Ünal"]] * 1000},
        {"inputs": {"amount": [1.25] * 1000, "age": [4] * 1000, "text": ['"a",[' * 40] * 1000}},
        {"inputs": [{"name": "x", "shape": [1000, 1], "datatype": "FP64", "data": [[1.5]] * 1000}] * 3},
    ],
    ids=["objects", "arrays", "columns", "tensors"],
)
def test_as_many_rows_as_allowed_pass_whatever_their_text_holds(payload: object) -> None:
    for body in (json.dumps(payload), json.dumps(payload, ensure_ascii=False, separators=(",", ":"))):
        assert parse(body.encode() + b" " * SMALL_BYTES) == payload


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b'{"instances": [], "instances": []}', "instances: is given twice"),
        (b'{"instances": [{"a": 1}, {"a": 1, "b": 2, "a": 1}]}', "a: row 1: is given twice"),
        (b'{"inputs": [[1], {"\\u0061": 1, "a": 2}]}', "a: row 1: is given twice"),
        (b'{"inputs": {"a": [1], "a": [2]}}', "a: is given twice"),
        (b'{"inputs": [{"name": "a", "datatype": "FP64", "name": "b"}]}', r"inputs\[0\].name: is given twice"),
        (b'{"inputs": [{"parameters": {"x": 1, "x": 2}}]}', "request body: has a key twice"),
        (b'[{"a": 1, "a": 2}]', "request body: has a key twice"),
    ],
)
def test_a_key_given_twice_is_named_with_its_row(body: bytes, message: str) -> None:
    with pytest.raises(InvalidRequest, match=f"{message}. Give every key once"):
        parse(body)


@pytest.mark.parametrize("padding", [b"", b" " * SMALL_BYTES], ids=["small", "large"])
@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "is not JSON at line 1"),
        (b"{'a': 1}", "is not JSON at line 1, column"),
        (b"[" * 100_000, "is nested too deeply"),
        (b'{"a":' * 50_000, "is nested too deeply"),
        (b"9" * 5000, "integer of hundreds of digits"),
        (b"\xff\xfe[\x00]\x00", "is not JSON in UTF-8, from byte"),
        (b'["\xed\xa0\x80"]', "is not JSON in UTF-8, from byte"),
        (b'["\x01"]', "is not JSON at line 1"),
        (b'[{"a": 1, "a": 2}, ', "is not JSON at line 1"),
        (b"[1] [2]", "is not JSON at line 1"),
        (b"[+1]", "is not JSON"),
        (b"[.5]", "is not JSON"),
        (b"[0x10]", "is not JSON"),
    ],
)
def test_what_is_no_json(padding: bytes, body: bytes, message: str) -> None:
    with pytest.raises(InvalidRequest, match=f"request body: .*{message}"):
        parse(padding + body, rows=1_000_000)


def test_a_byte_order_mark_is_passed_over() -> None:
    assert parse(b'\xef\xbb\xbf{"instances": [1]}') == {"instances": [1]}


def test_long_integers_are_short_in_a_large_body() -> None:
    began = time.process_time()
    with pytest.raises(InvalidRequest, match="hundreds of digits"):
        parse(b"[" + b",".join([b"9" * 4000] * 1000) + b"]")
    assert time.process_time() - began < 0.5
