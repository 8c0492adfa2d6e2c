"""Validates responses; faults are described in one sentence that quotes nothing of the response. No network here."""

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
    """Describe the fault of a response to a case.

    Args:
        case: the request.
        reply: the response.
        contract: the model's input contract.
        model: its name.

    Returns:
        A sentence without a full stop; ``""`` if there is no fault.
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
    """Predictions of a response, which are equal for equal requests.

    Raises:
        ValueError, KeyError, TypeError: it has none.
    """
    answer = reply.json()
    return (
        answer["predictions"]
        if case.protocol == "v1"
        else [(output["name"], output["data"]) for output in answer["outputs"]]
    )


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
    """Whether a text names a field as a whole word: ``message`` does not name ``age``."""
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
    datatypes = {column["name"]: column["datatype"] for column in answer["inputs"]}
    if list(datatypes) != list(contract.by_name):
        return "the metadata list other columns than the signature"
    wrong = [name for name, datatype in datatypes.items() if datatype not in contract.by_name[name].kind.datatypes]
    return f"the metadata give another type for {', '.join(map(shortened, wrong))}" if wrong else ""


def _wrong_v1(case: Case, answer: Any) -> str:
    scores = answer["predictions"]
    if not isinstance(scores, list):
        return "predictions is no array"
    return "" if len(scores) == case.rows else f"{len(scores)} predictions for {case.rows} rows"


def _wrong_v2(case: Case, answer: Any, model: str) -> str:
    if answer["model_name"] != model:
        return "the answer names another model"
    if case.identity and answer.get("id") != case.identity:
        return "the answer does not carry the request's id"
    if not answer["outputs"]:
        return "the answer has no outputs"
    for output in answer["outputs"]:
        if not (
            isinstance(output["name"], str) and isinstance(output["datatype"], str) and isinstance(output["data"], list)
        ):
            return "an output lacks name, datatype or data"
        cells = 1
        for size in output["shape"]:
            cells *= size
        if output["shape"][0] != case.rows or len(output["data"]) not in (case.rows, cells):
            return f"an output has not one value for each of {case.rows} rows"
    return ""


def _texts(value: Any) -> Iterator[str]:
    """All strings in a JSON value, keys included."""
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
