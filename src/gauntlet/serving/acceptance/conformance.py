"""The API contract, held against a server: every case sent once, then good requests in the midst of bad ones."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from gauntlet.serving.acceptance.answers import predictions, problem
from gauntlet.serving.acceptance.case import Case, Subject
from gauntlet.serving.acceptance.client import Client, Reply
from gauntlet.verdict import Check, Status

_NEIGHBOURS_CODE = "check_serving.neighbours"
_QUOTED = 3
_NEIGHBOURS = 2
"""Threads of good requests, and as many of bad ones."""
_TURNS = 25
"""Good requests of each thread."""


@dataclass(frozen=True)
class Finding:
    """One case, answered.

    Attributes:
        case: what was asked.
        status: the HTTP status; 0 for no answer.
        problem: what is wrong with the answer; ``""`` for nothing.
    """

    case: Case
    status: int
    problem: str


def send_cases(client: Client, cases: Sequence[Case], subject: Subject) -> tuple[Finding, ...]:
    """Send every case, in order, one at a time."""
    findings, replies = [], dict[tuple[str, str], tuple[Case, Reply]]()
    for case in cases:
        reply = client.ask(case.method, case.path, case.body)
        found = problem(case, reply, subject.contract, subject.model)
        replies[case.group, case.name] = case, reply
        if not found and case.same_as and (case.group, case.same_as) in replies:
            found = _difference(case, reply, *replies[case.group, case.same_as])
        findings.append(Finding(case, reply.status, found))
    return tuple(findings)


def check_neighbours(connect: Callable[[], Client], cases: Sequence[Case], subject: Subject) -> Check | None:
    """Ask good questions while others ask bad ones: the good ones are all answered, and as before.

    Args:
        connect: opens a connection.
        cases: those of one protocol; its ``one row`` is the good question, its refusals are the bad ones.
        subject: what is asked about.

    Returns:
        ``None`` when the protocol has no good question or no bad one: they have been waived.
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
    done = threading.Event()

    def ask_good() -> list[str]:
        with connect() as client:
            return [_good_again(good, client.ask(good.method, good.path, good.body), reference) for _ in range(_TURNS)]

    def ask_bad(offset: int) -> int:
        sent = 0
        with connect() as client:
            while sent < _TURNS or not done.is_set():
                case = bad[(offset + sent) % len(bad)]
                client.ask(case.method, case.path, case.body)
                sent += 1
        return sent

    with ThreadPoolExecutor(2 * _NEIGHBOURS) as threads:
        disturbing = [threads.submit(ask_bad, index * len(bad) // _NEIGHBOURS) for index in range(_NEIGHBOURS)]
        try:
            asking = [threads.submit(ask_good) for _ in range(_NEIGHBOURS)]
            failed = [found for one in asking for found in one.result() if found]
        finally:
            done.set()
        sent = sum(one.result() for one in disturbing)
    asked = _NEIGHBOURS * _TURNS
    said = f": {failed[0]}" if failed else ""
    return Check(
        name,
        Status.FAIL if failed else Status.PASS,
        f"{len(failed)} of {asked} good requests went wrong among {sent} bad ones{said}.",
        measured=float(len(failed)),
        bound=0.0,
        direction="max",
        sample_size=asked,
        code=_NEIGHBOURS_CODE,
    )


def judge_cases(findings: Sequence[Finding]) -> tuple[Check, ...]:
    """One check a group of cases, in their order."""
    groups: dict[str, list[Finding]] = {}
    for one in findings:
        groups.setdefault(one.case.group, []).append(one)
    return tuple(_judge(group, members) for group, members in groups.items())


def _judge(group: str, findings: Sequence[Finding]) -> Check:
    wrong = [one for one in findings if one.problem]
    every = f"all {len(findings)} requests" if len(findings) > 1 else "the request"
    reason = f"{every[0].upper()}{every[1:]} got what the API promises."
    if wrong:
        quoted = "; ".join(f"{one.case.name}: {one.problem}" for one in wrong[:_QUOTED])
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
