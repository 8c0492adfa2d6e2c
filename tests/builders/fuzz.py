"""Requests nobody should send, drawn by a seed: JSON of both protocols with faults, and bytes that are no HTTP.

Values hold the word ``hidden``, which no answer may repeat. The model's fault is planted where ``amount`` is 7.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random
from typing import Any

V1, V2 = "/v1/models/loans:predict", "/v2/models/loans/infer"
DATATYPES = {"amount": "FP64", "code": "INT64", "region": "BYTES", "member": "BOOL", "since": "BYTES"}
"""The columns of ``served_models.COLUMNS``."""

_NUMBERS = (
    0,
    -0.0,
    1,
    -1,
    1.5,
    2.0,
    1e308,
    -1e308,
    5e-324,
    2**31,
    2**53 + 1,
    2**63 - 1,
    2**63,
    -(2**63),
    2**64,
    10**30,
)
_DATES = (
    "2024-02-29",
    "2024-01-01T00:00:00Z",
    "2024-01-01T00:00:00+14:00",
    "2024-01-01T24:00:00",
    "1677-09-21T00:12:43.145224",
    "1677-09-21T00:12:43.145225",
    "2262-04-11T23:47:16.854775",
    "2262-04-11T23:47:16.854776",
    "2262-04-11T23:47:16.854775-00:01",
    "2262-04-12",
    "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59.999999-14:00",
    "1677-09-21",
    "2024-W01-1",
    "20240101",
    "2023-02-29",
    "2024-01-01T00:00:00.1234567891",
)
_TEXTS = (
    "hidden",
    "",
    "\ud800",
    "\udfff hidden",
    "\x00hidden",
    "hidden" * 200,
    "😀",
    "<script>hidden</script>",
    "NaN",
    "7",
    "null",
)
_RAW = (
    b"NaN",
    b"Infinity",
    b"-Infinity",
    b"1e999",
    b"-1e999",
    b"9" * 400,
    b"1" + b"0" * 5000,
    b"0.1e",
    b"01",
    b"tru",
    b"'hidden'",
)
_MARK = "@raw@"


@dataclass(frozen=True)
class Fuzzed:
    """A request.

    Attributes:
        path: its path.
        body: its body.
        planted: whether it reaches the model's planted fault.
    """

    path: str
    body: bytes
    planted: bool = False


def fuzzed(seed: int, count: int) -> Iterator[Fuzzed]:
    """So many requests."""
    random = Random(seed)
    for index in range(count):
        path = random.choice((V1, V2))
        rows = [_row(random) for _ in range(random.choice((1, 1, 2, 3)))]
        if index % 50 == 0:
            rows = [row | {"amount": 7} for row in rows]
            yield Fuzzed(path, json.dumps(_payload(random, path, rows)).encode(), True)
            continue
        faults = random.choice((0, 1, 1, 1, 2, 3))
        for _ in range(faults):
            row = random.choice(rows)
            row[random.choice(list(DATATYPES))] = _value(random)
        payload: Any = _payload(random, path, rows)
        if random.random() < 0.4:
            payload = _mangled(random, payload)
        body = json.dumps(payload).encode()
        while f'"{_MARK}"'.encode() in body:
            body = body.replace(f'"{_MARK}"'.encode(), random.choice(_RAW), 1)
        if random.random() < 0.2:
            body = _broken(random, body)
        yield Fuzzed(path, body)


def no_http(seed: int, count: int) -> Iterator[bytes]:
    """So many messages that are no HTTP, or odd HTTP."""
    random = Random(seed)
    methods = ("GET", "POST", "PUT", "DELETE", "OPTIONS", "TRACE", "CONNECT", "PATCH", "PRI", "get", "HIDDEN")
    targets = (
        V1, V2, "/", "*", "//", "/./metrics", "/../metrics", "/%6detrics", "/v2/%72epository/index", "http://x/metrics",
        "x:80", "/%00", "/%ff", "/%", "/v1/models/loans%3Apredict", "/" + "a" * 5000, "/v1/models/%2e%2e/x:predict", "",
    )  # fmt: skip
    lines = (
        "host: localhost", "content-length: 5", "content-length: -1", "content-length: 5, 6",
        "content-length: 99999999999999999999", "transfer-encoding: chunked", "transfer-encoding: gzip, chunked",
        "connection: upgrade", "upgrade: h2c",
        "upgrade: websocket", "expect: 100-continue", "expect: nothing", "content-encoding: gzip", " folded",
        "no colon",
        "x: \x00", "content-type: application/xml", "inference-header-content-length: 3", "x" * 300 + ": y", ": empty",
    )  # fmt: skip
    for _ in range(count):
        if random.random() < 0.2:
            yield random.randbytes(random.randrange(1, 400))
            continue
        version = random.choice(("HTTP/1.1",) * 6 + ("HTTP/1.0", "HTTP/2.0", "HTTP/0.9", "HTTP/x", ""))
        first = f"{random.choice(methods)} {random.choice(targets)} {version}"
        chosen = random.sample(lines, random.randrange(0, 5))
        end = random.choice(("\r\n", "\r\n", "\r\n", "\n", "\r"))
        body = random.choice(
            (b"", b"12345", b"5\r\nhello\r\n0\r\n\r\n", b"zz\r\n", b"ffffffffffffffff\r\n", random.randbytes(50))
        )
        yield end.join([first, *chosen, "", ""]).encode("latin-1") + body


def _row(random: Random) -> dict[str, Any]:
    return {
        "amount": random.choice((0.5, 1, -3.25)),
        "code": random.randrange(-5, 100),
        "region": random.choice(("north", "Ünal", None)),
        "member": random.random() < 0.5,
        "since": random.choice(("2024-01-01", None)),
    }


def _value(random: Random) -> Any:
    kind = random.randrange(7)
    if kind == 0:
        return random.choice(_NUMBERS)
    if kind == 1:
        return random.choice(_DATES)
    if kind == 2:
        return random.choice(_TEXTS)
    if kind == 3:
        return random.choice((None, True, False, [], {}, [1], {"key": "hidden"}, [[["hidden"]]]))
    if kind == 4:
        return _MARK
    deep: Any = "hidden"
    for _ in range(random.choice((3, 5, 20, 20, 900)) if kind == 5 else 1):
        deep = [deep]
    return deep if kind == 5 else "".join(chr(random.randrange(0x110000)) for _ in range(8))


def _payload(random: Random, path: str, rows: list[dict[str, Any]]) -> Any:
    if path == V1:
        form = random.randrange(4)
        if form == 0:
            return {"instances": rows}
        if form == 1:
            return {"instances": [list(row.values()) for row in rows]}
        if form == 2:
            return {"inputs": rows}
        return {"inputs": {name: [row[name] for row in rows] for name in DATATYPES}}
    nested = random.random() < 0.3
    tensors = []
    for name, datatype in DATATYPES.items():
        values = [row[name] for row in rows]
        shape = [len(rows), 1] if nested else [len(rows)]
        tensors.append(
            {"name": name, "shape": shape, "datatype": datatype, "data": [[v] for v in values] if nested else values}
        )
    return {"id": "request 1", "inputs": tensors}


def _mangled(random: Random, payload: Any) -> Any:
    """One place of the payload changed: a value, a key, a member too many or too few."""
    place, depth = payload, random.randrange(4)
    for _ in range(depth):
        children = [
            child
            for child in (place.values() if isinstance(place, dict) else place)
            if isinstance(child, dict | list) and child
        ]
        if not children:
            break
        place = random.choice(children)
    action = random.randrange(4)
    if isinstance(place, dict):
        key = random.choice(list(place))
        if action == 0:
            del place[key]
        elif action == 1:
            place[random.choice(("outputs", "parameters", "shape", "\ud800", "neddih", "x" * 500))] = _value(random)
        elif action == 2:
            value = _value(random)
            place[key] = json.loads(json.dumps(value).replace("hidden", "a name")) if key in ("name", "id") else value
        else:
            place["outputs"] = [{"name": random.choice(("\ud800", "y", 3, None))}]
    else:
        at = random.randrange(len(place))
        if action == 0:
            del place[at]
        elif action == 1:
            place.insert(at, _value(random))
        elif action == 2:
            place[at] = _value(random)
        else:
            place += place
    return payload


def _broken(random: Random, body: bytes) -> bytes:
    """Bytes cut off, changed, or a key given twice."""
    kind, at = random.randrange(5), random.randrange(len(body))
    if kind == 0:
        return body[:at]
    if kind == 1:
        return body[:at] + random.randbytes(3) + body[at + 3 :]
    if kind == 2:
        return body.replace(b'"amount":', b'"amount": 1, "amount":', 1).replace(
            b'"inputs":', b'"inputs": [], "inputs":', 1
        )
    if kind == 3:
        return random.choice((body.decode().encode("utf-16"), b"\xef\xbb\xbf" + body, body + body, b"[" * 5000 + body))
    return b""
