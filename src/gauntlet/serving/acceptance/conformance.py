"""Conformance to the API contract: sends every case once, then good requests concurrent with bad ones."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from gauntlet.serving.acceptance.answers import predictions, problem
from gauntlet.serving.acceptance.case import Case, ServedModel
from gauntlet.serving.acceptance.client import Client, Reply
from gauntlet.verdict import Check, Status

_NEIGHBOURS_CODE = "check_serving.neighbours"
_QUOTED = 3
_NEIGHBOURS = 2
"""Threads of good requests, and of bad ones."""
_TURNS = 25
"""Good requests of each thread."""


@dataclass(frozen=True)
class CaseResult:
    """Result of a case.

    Attributes:
        case: the case.
        status: the HTTP status; 0 without a response.
        problem: fault of the response; ``""`` if none.
    """

    case: Case
    status: int
    problem: str


def send_cases(client: Client, cases: Sequence[Case], subject: ServedModel) -> tuple[CaseResult, ...]:
    """Send all cases in order, one at a time."""
    findings, replies = [], dict[tuple[str, str], tuple[Case, Reply]]()
    for case in cases:
        reply = client.ask(case.method, case.path, case.body)
        fault = problem(case, reply, subject.contract, subject.model)
        replies[case.group, case.name] = case, reply
        if not fault and case.same_as and (case.group, case.same_as) in replies:
            fault = _difference(case, reply, *replies[case.group, case.same_as])
        findings.append(CaseResult(case, reply.status, fault))
    return tuple(findings)


def check_neighbours(connect: Callable[[], Client], cases: Sequence[Case], subject: ServedModel) -> Check | None:
    """Send good requests concurrent with bad ones; all good ones must be answered as before.

    Args:
        connect: opens a connection.
        cases: those of one protocol; its ``one row`` is the good request, its refusals are the bad ones.
        subject: the served model.

    Returns:
        ``None`` when the good or all bad requests of the protocol are waived.
    """
    good = next((case for case in cases if case.name == "one row"), None)
    bad = [case for case in cases if case.wants == "refusal"]
    if good is None or not bad:
        return None
    with connect() as client:
        reference = client.ask(good.method, good.path, good.body)
    name = f"{good.protocol}: bad requests fail no neighbours"
    if broken := problem(good, reference, subject.contract, subject.model):
        return Check(name, Status.ERROR, f"A good request alone fails already: {broken}.", code=_NEIGHBOURS_CODE)
    stop = threading.Event()

    def ask_good() -> list[str]:
        with connect() as client:
            return [_good_again(good, client.ask(good.method, good.path, good.body), reference) for _ in range(_TURNS)]

    def ask_bad(offset: int) -> int:
        sent = 0
        with connect() as client:
            while sent < _TURNS or not stop.is_set():
                case = bad[(offset + sent) % len(bad)]
                client.ask(case.method, case.path, case.body)
                sent += 1
        return sent

    with ThreadPoolExecutor(2 * _NEIGHBOURS) as threads:
        disturbing = [threads.submit(ask_bad, index * len(bad) // _NEIGHBOURS) for index in range(_NEIGHBOURS)]
        try:
            asking = [threads.submit(ask_good) for _ in range(_NEIGHBOURS)]
            failed = [fault for future in asking for fault in future.result() if fault]
        finally:
            stop.set()
        sent = sum(future.result() for future in disturbing)
    n_good = _NEIGHBOURS * _TURNS
    example = f": {failed[0]}" if failed else ""
    return Check(
        name,
        Status.FAIL if failed else Status.PASS,
        f"{len(failed)} of {n_good} good requests went wrong among {sent} bad ones{example}.",
        measured=float(len(failed)),
        bound=0.0,
        direction="max",
        sample_size=n_good,
        code=_NEIGHBOURS_CODE,
    )


def judge_cases(findings: Sequence[CaseResult]) -> tuple[Check, ...]:
    """Make one check per group of cases, in order."""
    groups: dict[str, list[CaseResult]] = {}
    for finding in findings:
        groups.setdefault(finding.case.group, []).append(finding)
    return tuple(_judge(group, members) for group, members in groups.items())


def _judge(group: str, findings: Sequence[CaseResult]) -> Check:
    wrong = [finding for finding in findings if finding.problem]
    every = f"all {len(findings)} requests" if len(findings) > 1 else "the request"
    reason = f"{every[0].upper()}{every[1:]} got what the API promises."
    if wrong:
        quoted = "; ".join(f"{finding.case.name}: {finding.problem}" for finding in wrong[:_QUOTED])
        more = f"; and {len(wrong) - _QUOTED} more" if len(wrong) > _QUOTED else ""
        reason = f"{len(wrong)} of {len(findings)} requests: {quoted}{more}."
    return Check(
        group,
        Status.FAIL if wrong else Status.PASS,
        reason,
        measured=float(len(wrong)),
        bound=0.0,
        direction="max",
        sample_size=len(findings),
        code="check_serving.contract",
        subject=group,
    )


def _difference(case: Case, reply: Reply, other: Case, reference: Reply) -> str:
    try:
        same = predictions(case, reply) == predictions(other, reference)
    except (ValueError, KeyError, TypeError):
        return f"could not be compared with '{other.name}', which has no answer"
    return "" if same else f"answered otherwise than '{other.name}', which means the same"


def _good_again(good: Case, reply: Reply, reference: Reply) -> str:
    if reply.failure or reply.status != 200:
        return f"answered {reply.failure or reply.status}"
    return _difference(good, reply, good, reference)
