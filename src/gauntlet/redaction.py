"""Addresses without what may be secret in them, alone or anywhere in a text."""

from __future__ import annotations

import re
from urllib.parse import unquote

HIDDEN = "***"
_OBJECTS = ("file", "gs", "s3", "s3a", "abfs", "abfss", "az", "adl", "hdfs", "pvc")
"""Schemes in whose paths ``;`` and ``#`` are letters like others."""
_END = r"\s'\"<>`"
_ENCODED = re.compile(rf"[A-Za-z][A-Za-z0-9+.-]*%3A%2F%2F[^{_END}&]+", re.IGNORECASE)
_ADDRESS = re.compile(rf"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*:)?//(?P<rest>[^{_END}]+)")
_BARE = re.compile(rf"(?<![\w/@.:-])[^{_END}/:@,;=()\[\]]+:[^{_END}/@]+@(?=[\w-])")
"""``user:password@`` of an address without a scheme."""
_QUERY = re.compile(rf"\?[^{_END}?#)]*=[^{_END}#)]*")
_NAMED = re.compile(
    r"\b(password|passwd|pwd|secret|token|access_token|api_?key|signature|sig)=[^\s&;,'\"*][^\s&;,'\")]*", re.IGNORECASE
)


def without_secrets(text: str) -> str:
    """The text, whose addresses lack user names, passwords, and the values of queries, fragments and path parameters.

    Of a query the names stay: they say what was asked. An address that is itself encoded, in another's query say, is
    shown decoded. Where it is not clear what is secret, more is hidden rather than less.

    >>> without_secrets("https://me:hunter2@mlflow.example:5000/x;v=1?token=abc&page=2#key")
    'https://mlflow.example:5000/x;***?token=***&page=***#***'
    >>> without_secrets("no answer from s3://KEY@bucket/a#1.csv, nor from postgresql://db/loans?password=x")
    'no answer from s3://bucket/a#1.csv, nor from postgresql://db/loans?password=***'
    """
    text = _ENCODED.sub(lambda found: unquote(found[0]), text)
    text = _ADDRESS.sub(_address, text)
    text = _BARE.sub("", text)
    text = _QUERY.sub(lambda found: "?" + _query(found[0][1:]), text)
    return _NAMED.sub(rf"\1={HIDDEN}", text)


def _address(found: re.Match[str]) -> str:
    scheme = found["scheme"] or ""
    rest, hash_sign, fragment = found["rest"].partition("#")
    if scheme[:-1].lower() in _OBJECTS:
        rest, hash_sign, fragment = found["rest"], "", ""
    rest, question, query = rest.partition("?")
    place = _without_user(rest)
    if scheme[:-1].lower() not in _OBJECTS:
        place = re.sub(r";[^/;]+", f";{HIDDEN}", place)
    shown = question + _query(query) if query else question
    return f"{scheme}//{place}{shown}{hash_sign}{HIDDEN if fragment else ''}"


def _without_user(rest: str) -> str:
    """Host and path. A password may hold a slash, which then looks like the beginning of the path."""
    authority = rest.partition("/")[0]
    user, at, _ = authority.rpartition("@")
    port = (authority[len(user) + 1 :] if at else authority).partition(":")[2]
    if (port and not port.isdigit() and "@" in rest) or ":" in user:
        return rest.rpartition("@")[2]
    if at:
        return _without_user(rest[len(user) + 1 :])
    head, encoded, _ = authority.lower().rpartition("%40")
    return rest[len(head) + len(encoded) :] if encoded else rest


def _query(query: str) -> str:
    """``a=1&b`` as ``a=***&***``."""
    parts = (part.partition("=") for part in query.split("&"))
    return "&".join(f"{name}={HIDDEN}" if equals else HIDDEN for name, equals, _ in parts)
