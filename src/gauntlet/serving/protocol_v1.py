"""KServe's V1 protocol: ``POST /v1/models/NAME:predict``.

    {"instances": [{"age": 40, "job": "clerk"}, …]}     rows as objects
    {"instances": [[40, "clerk"], …]}                   rows as arrays, in the signature's order
    {"inputs": …}                                       the same, or {"age": [40, …], "job": ["clerk", …]}: columns

The response is ``{"predictions": [ … one per row … ]}``: a value, an array, or an object for a model that returns a
DataFrame.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gauntlet.serving.answer import Answer
from gauntlet.serving.contract import MOST_ROWS, InputContract, Rows, rows_from_columns, rows_from_records
from gauntlet.serving.errors import InvalidRequest, json_type, nearest

_KEYS = ("instances", "inputs")


def parse(payload: Any, contract: InputContract, *, most_rows: int = MOST_ROWS) -> Rows:
    """Parse and validate a request.

    Args:
        payload: its body, parsed from JSON.
        contract: the model's input contract.
        most_rows: limit of rows.

    Raises:
        InvalidRequest: it violates the protocol, or its rows violate the contract.
        TooLarge: more rows than allowed.
    """
    if not isinstance(payload, Mapping):
        raise InvalidRequest(f"expected an object, found {json_type(payload)}", field="request body", mend=_FORM)
    for key in payload:
        if key not in _KEYS:
            raise InvalidRequest("the protocol has no such key", field=key, mend=nearest(key, _KEYS, "keys"))
    if len(payload) != 1:
        problem = "has both instances and inputs" if payload else "has neither instances nor inputs"
        raise InvalidRequest(problem, field="request body", mend=_FORM)
    key, rows = next(iter(payload.items()))
    if isinstance(rows, list):
        return rows_from_records(contract, rows, most_rows=most_rows)
    if key == "inputs" and isinstance(rows, dict):
        for name, values in rows.items():
            if not isinstance(values, list):
                raise InvalidRequest(f"expected an array of values, found {json_type(values)}", field=name)
        return rows_from_columns(contract, rows, most_rows=most_rows)
    raise InvalidRequest(f"expected an array of rows, found {json_type(rows)}", field=key, mend=_FORM)


def respond(answer: Answer) -> dict[str, Any]:
    """Build the body of a response."""
    return {"predictions": answer.rows()}


_FORM = 'Send {"instances": [row, …]}, a row being an object of column and value'
