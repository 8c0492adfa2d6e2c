"""Makes the cases of the API contract of docs/serving.md from a model's signature. No network here.

Requests to be refused hold unique markers in place of data, so that a response which repeats its request is recognised.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any

from gauntlet.errors import ConfigurationError
from gauntlet.serving.acceptance.bodies import Row, dumps, predict_path, tensors
from gauntlet.serving.acceptance.case import Case, Maker, ServedModel
from gauntlet.serving.acceptance.policy import ContractPolicy
from gauntlet.serving.acceptance.refusals import MARKS, column_faults, marked
from gauntlet.serving.contract import InputContract

MOST_COLUMNS = 40
"""Most columns, spread over the signature, that are tested one by one."""
_UNKNOWN = "no_such_column"


def contract_cases(subject: ServedModel, protocols: Sequence[str], policy: ContractPolicy) -> tuple[Case, ...]:
    """Make all cases, in sending order.

    Args:
        subject: the served model.
        protocols: the protocols.
        policy: the server's limits, and waived cases.

    Raises:
        ConfigurationError: a pattern of ``waive`` matches no case.
    """
    cases = [case for protocol in protocols for case in _cases(subject, protocol, policy)]
    for pattern in policy.waive:
        if not any(fnmatchcase(case.title, pattern) for case in cases):
            raise ConfigurationError(
                "matches no case, so it would waive nothing",
                field="policy.contract.waive",
                value=pattern,
                mend="Write CHECK/CASE as the report names them",
            )
    return tuple(case for case in cases if not any(fnmatchcase(case.title, pattern) for pattern in policy.waive))


def _cases(subject: ServedModel, protocol: str, policy: ContractPolicy) -> Iterator[Case]:
    make = Maker(subject, protocol)
    yield from _metadata(make)
    yield from _accepted(make)
    yield from _batches(make, policy)
    yield from _columns(make)
    yield from _malformed(make)
    yield from _limits(make, policy)
    yield from _wrong_names(make)


def _metadata(make: Maker) -> Iterator[Case]:
    group, model = "readiness and metadata", make.subject.model
    if make.protocol == "v1":
        yield make.get(group, "the model is ready", f"/v1/models/{model}", "ready")
        return
    yield make.get(group, "the server lives", "/v2/health/live", "ready")
    yield make.get(group, "the server is ready", "/v2/health/ready", "ready")
    yield make.get(group, "the model is ready", f"/v2/models/{model}/ready", "ready")
    yield make.get(group, "the model's columns", f"/v2/models/{model}", "metadata")


def _accepted(make: Maker) -> Iterator[Case]:
    group, row, contract = "accepted", make.row, make.contract
    yield make.answer(group, "one row", [row])
    integers = {name: int(row[name]) for name, kind in _kinds(contract, "double", "float") if _is_whole(row[name])}
    if integers:
        yield make.answer(group, "integers for numbers", [{**row, **integers}], same_as="one row")
    optional = [model_input.name for model_input in contract.inputs if not model_input.required]
    if optional:
        yield make.answer(group, "nulls", [{**row, **dict.fromkeys(optional)}])
    if len(optional) > 0 and len(optional) < len(contract.inputs):
        absent = {name: value for name, value in row.items() if name not in optional}
        yield make.answer(group, "absent optional columns", [absent], same_as="nulls")
    texts = [name for name, _ in _kinds(contract, "string")]
    if texts:
        yield make.answer(group, "unseen categories", [{**row, **dict.fromkeys(texts, "never seen before")}])
    yield from _forms_v1(make, group) if make.protocol == "v1" else _forms_v2(make, group)


def _forms_v1(make: Maker, group: str) -> Iterator[Case]:
    row = make.row
    array = dumps({"instances": [[row[model_input.name] for model_input in make.contract.inputs]]})
    yield make.predict(group, "rows as arrays", array, "answer", rows=1, same_as="one row")
    columns = dumps({"inputs": {model_input.name: [row[model_input.name]] for model_input in make.contract.inputs}})
    yield make.predict(group, "columns", columns, "answer", rows=1, same_as="one row")


def _forms_v2(make: Maker, group: str) -> Iterator[Case]:
    body = make.encode([make.row], id="request-7")
    yield make.predict(group, "an id", body, "answer", rows=1, same_as="one row", identity="request-7")
    tall = [{**tensor, "shape": [1, 1], "data": [tensor["data"]]} for tensor in tensors(make.contract, [make.row])]
    yield make.predict(group, "shape [rows, 1]", dumps({"inputs": tall}), "answer", rows=1, same_as="one row")


def _batches(make: Maker, policy: ContractPolicy) -> Iterator[Case]:
    group, rows = "batch sizes", make.subject.rows
    for name, count in (("1 row", 1), ("2 rows", 2), (f"{policy.many_rows} rows", policy.many_rows)):
        yield make.answer(group, name, _repeated(rows, min(count, policy.max_rows)))
    if _fits(make, rows[0], policy.max_rows, policy):
        yield make.answer(group, f"{policy.max_rows} rows, the limit", _repeated(rows, policy.max_rows))


def _columns(make: Maker) -> Iterator[Case]:
    """Cases with one fault in one column of one row, between valid rows."""
    good = marked(make.contract, make.row)
    every = make.contract.inputs
    step = max(1, -(-len(every) // MOST_COLUMNS))
    for model_input in every[::step]:
        for fault in column_faults(model_input, make.protocol):
            rows = [good, {**good, model_input.name: fault.value}, good]
            body = (
                make.encode(rows)
                if make.protocol == "v1"
                else _with_datatype(make, rows, model_input.name, fault.datatype)
            )
            yield make.refusal("wrong values", f"{model_input.name}: {fault.name}", body, model_input.name)
        if model_input.required:
            rows = [good, {**good, model_input.name: None}, good]
            yield make.refusal("missing values", f"{model_input.name}: null", make.encode(rows), model_input.name)
            without = {name: value for name, value in good.items() if name != model_input.name}
            if make.protocol == "v2" and not without:
                continue  # without columns there is none to name
            yield make.refusal(
                "missing values", f"{model_input.name}: no column", make.encode([without] * 2), model_input.name
            )
    if make.protocol == "v1":
        unknown = make.encode([good, {**good, _UNKNOWN: good[every[0].name]}])
    else:
        more = {"name": _UNKNOWN, "shape": [1], "datatype": "BYTES", "data": [MARKS[0]]}
        unknown = dumps({"inputs": [*tensors(make.contract, [good]), more]})
    yield make.refusal("unknown fields", "a column", unknown, _UNKNOWN)
    yield make.refusal("unknown fields", "a key of the body", make.encode([good], no_such_key=MARKS[0]), "no_such_key")


def _malformed(make: Maker) -> Iterator[Case]:
    group, good = "malformed requests", marked(make.contract, make.row)
    whole = make.encode([good])
    bodies: dict[str, bytes] = {
        "empty": b"",
        "cut off": whole[: len(whole) * 3 // 4],
        "not JSON": f"age={MARKS[0]}".encode(),
        "not UTF-8": b'{"instances": "\xff\xfe"}',
        "nested too deep": b"[" * 100_000,
        "null": b"null",
        "an array": dumps([good]),
        "a text": dumps(MARKS[0]),
        "an empty object": b"{}",
    }
    key = "instances" if make.protocol == "v1" else "inputs"
    bodies |= {
        f"no {key}": dumps({"id": MARKS[0]}) if make.protocol == "v2" else dumps({"signature_name": MARKS[0]}),
        f"{key} is null": dumps({key: None}),
        f"{key} is a text": dumps({key: MARKS[0]}),
        f"{key} is empty": dumps({key: []}),
    }
    bodies |= _misshaped_v1(make, good) if make.protocol == "v1" else _misshaped_v2(make, good)
    for name, body in bodies.items():
        yield make.refusal(group, name, body)


def _misshaped_v1(make: Maker, good: Row) -> dict[str, bytes]:
    values = [good[model_input.name] for model_input in make.contract.inputs]
    return {
        "a row too long": dumps({"instances": [[*values, MARKS[0]]]}),
        # For a single column, a row may be the bare value, and null a missing one.
        "a row is no row": dumps({"instances": [good, None if len(values) > 1 else {_UNKNOWN: MARKS[0]}]}),
        "columns of different lengths": dumps(
            {
                "inputs": {
                    model_input.name: [good[model_input.name]] * (1 + (i == 0))
                    for i, model_input in enumerate(make.contract.inputs)
                }
            }
        )
        if len(values) > 1
        else dumps({"inputs": {}}),
    }


def _misshaped_v2(make: Maker, good: Row) -> dict[str, bytes]:
    first, *rest = tensors(make.contract, [good])

    def changed(**keys: Any) -> bytes:
        return dumps({"inputs": [{**first, **keys}, *rest]})

    return {
        "less data than the shape says": changed(shape=[2]),
        "more data than the shape says": changed(data=first["data"] * 3),
        "a negative shape": changed(shape=[-1]),
        "no shape": changed(shape=None),
        "no data": changed(data=None),
        "an unknown datatype": changed(datatype="FP7"),
        "no name": changed(name=None),
        "a column twice": dumps({"inputs": [first, first, *rest]}),
        # A server may have to score the row to know its outputs, and a model may fail on markers.
        "an unknown output": make.encode([make.row], outputs=[{"name": _UNKNOWN}]),
    }


def _limits(make: Maker, policy: ContractPolicy) -> Iterator[Case]:
    good = marked(make.contract, make.row)
    path = predict_path(make.protocol, make.subject.model)
    bodies = {f"{policy.max_bytes + 1} bytes": b" " * (policy.max_bytes + 1)}
    if _fits(make, good, policy.max_rows + 1, policy):
        bodies[f"{policy.max_rows + 1} rows"] = make.encode([good] * (policy.max_rows + 1))
    for name, body in bodies.items():
        yield Case(f"{make.protocol}: limits", name, "POST", path, body, "too large", secrets=MARKS)


def _wrong_names(make: Maker) -> Iterator[Case]:
    group, stranger, body = f"{make.protocol}: wrong names", f"{make.subject.model}-not-here", make.encode([make.row])
    yield Case(group, "another model", "POST", predict_path(make.protocol, stranger), body, "not found")
    if make.protocol == "v2":
        version = f"/v2/models/{make.subject.model}/versions/not-a-version/infer"
        yield Case(group, "another version", "POST", version, body, "not found")
        yield Case(group, "another model's columns", "GET", f"/v2/models/{stranger}", None, "not found")


def _with_datatype(make: Maker, rows: Sequence[Row], name: str, datatype: str) -> bytes:
    """Encode with another datatype of one column; ``""`` keeps the model's."""
    every = tensors(make.contract, rows)
    for tensor in every:
        if datatype and tensor["name"] == name:
            tensor["datatype"] = datatype
    return dumps({"inputs": every})


def _kinds(contract: InputContract, *kinds: str) -> list[tuple[str, str]]:
    return [
        (model_input.name, model_input.kind.name) for model_input in contract.inputs if model_input.kind.name in kinds
    ]


def _is_whole(value: Any) -> bool:
    return isinstance(value, float) and value.is_integer() and abs(value) < 2**53


def _fits(make: Maker, row: Row, count: int, policy: ContractPolicy) -> bool:
    """Whether so many rows stay well within the limit of bytes, so that they are refused for their number alone."""
    return 1.2 * count * len(make.encode([row])) <= policy.max_bytes


def _repeated(rows: Sequence[Mapping[str, Any]], count: int) -> list[Row]:
    return [rows[index % len(rows)] for index in range(count)]
