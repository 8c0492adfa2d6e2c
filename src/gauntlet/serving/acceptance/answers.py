"""What is wrong with a reply, in one sentence that quotes nothing from it. No network here."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from gauntlet.serving.acceptance.case import Case
from gauntlet.serving.acceptance.client import Reply
from gauntlet.serving.contract import InputContract
from gauntlet.serving.errors import shortened

_REFUSED = (400, 422)
_TOO_LARGE = (400, 413, 422)


def problem(case: Case, reply: Reply, contract: InputContract, model: str) -> str:
    """Hold a reply against what its case wants.

    Args:
        case: what was asked.
        reply: what came back.
        contract: what the model takes.
        model: its name.

    Returns:
        A sentence without a full stop, or ``""`` when nothing is wrong.
    """
    if reply.failure:
        return f"no whole answer ({reply.failure})"
    if reply.status >= 500:
        return f"answered {reply.status}: the server failed over a request"
    if reply.kind == "text/html" or reply.body.lstrip()[:1] == b"<":
        return f"answered {reply.status} in HTML"
    if case.wants in ("answer", "ready", "metadata"):
        if reply.status != 200:
            return f"answered {reply.status}, not 200"
        return "" if case.wants == "ready" else _wrong_content(case, reply, contract, model)
    return _wrong_refusal(case, reply)


def predictions(case: Case, reply: Reply) -> Any:
    """The part of an answer that two equal questions share.

    Raises:
        ValueError, KeyError, TypeError: it is no answer.
    """
    answer = reply.json()
    return answer["predictions"] if case.protocol == "v1" else [(one["name"], one["data"]) for one in answer["outputs"]]


def _wrong_refusal(case: Case, reply: Reply) -> str:
    allowed = {"refusal": _REFUSED, "too large": _TOO_LARGE, "not found": (404,)}[case.wants]
    if reply.status < 400:
        return f"was taken (status {reply.status})"
    if reply.status not in allowed:
        return f"answered {reply.status}, not {' or '.join(map(str, allowed))}"
    try:
        texts = list(_texts(reply.json()))
    except ValueError:
        return f"answered {reply.status} in something that is not JSON"
    raw = reply.body.decode(errors="replace")
    if any(secret in text for secret in case.secrets for text in (raw, *texts)):
        return "the refusal repeats data of the request"
    if case.wants == "refusal" and not any(texts):
        return "the refusal gives no reason"
    if case.names and not any(_names(case.names, text) for text in texts):
        return "the refusal does not name the field"
    return ""


def _names(field: str, text: str) -> bool:
    """The text names the field, as a word of its own: ``message`` does not name ``age``."""
    return any(re.search(rf"(?<!\w){re.escape(name)}(?!\w)", text) for name in {field, shortened(field)})


def _wrong_content(case: Case, reply: Reply, contract: InputContract, model: str) -> str:
    if reply.kind != "application/json":
        return f"answered as {reply.kind}, not application/json"
    try:
        # RFC 8259 has no NaN, though Python would read one.
        answer = json.loads(reply.body, parse_constant=_refuse_constant)
    except ValueError:
        return "the answer is not JSON"
    try:
        if case.wants == "metadata":
            return _wrong_metadata(answer, contract, model)
        return _wrong_v1(case, answer) if case.protocol == "v1" else _wrong_v2(case, answer, model)
    except (KeyError, TypeError, AttributeError):
        return "the answer does not have the form of the protocol"


def _wrong_metadata(answer: Any, contract: InputContract, model: str) -> str:
    if answer["name"] != model:
        return "the metadata name another model"
    found = {one["name"]: one["datatype"] for one in answer["inputs"]}
    if list(found) != list(contract.by_name):
        return "the metadata list other columns than the signature"
    wrong = [name for name, datatype in found.items() if datatype not in contract.by_name[name].kind.datatypes]
    return f"the metadata give another type for {', '.join(map(shortened, wrong))}" if wrong else ""


def _wrong_v1(case: Case, answer: Any) -> str:
    given = answer["predictions"]
    if not isinstance(given, list):
        return "predictions is no array"
    return "" if len(given) == case.rows else f"{len(given)} predictions for {case.rows} rows"


def _wrong_v2(case: Case, answer: Any, model: str) -> str:
    if answer["model_name"] != model:
        return "the answer names another model"
    if case.identity and answer.get("id") != case.identity:
        return "the answer does not carry the request's id"
    if not answer["outputs"]:
        return "the answer has no outputs"
    for one in answer["outputs"]:
        if not (isinstance(one["name"], str) and isinstance(one["datatype"], str) and isinstance(one["data"], list)):
            return "an output lacks name, datatype or data"
        cells = 1
        for size in one["shape"]:
            cells *= size
        if one["shape"][0] != case.rows or len(one["data"]) not in (case.rows, cells):
            return f"an output has not one value for each of {case.rows} rows"
    return ""


def _texts(value: Any) -> Iterator[str]:
    """Every text in a JSON value, keys too."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield key
            yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)


def _refuse_constant(name: str) -> Any:
    raise ValueError(name)
