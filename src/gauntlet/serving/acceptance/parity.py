"""Offline/online parity: served scores are those that ``batch_predict`` wrote, row by row.

A model that was judged in batch and answers differently when it is served has not been judged. The usual reasons: a
feature that is read differently, a column order, a library of another version, answers in another order than questions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gauntlet.errors import DataError
from gauntlet.serving.acceptance.bodies import decode, encode, predict_path
from gauntlet.serving.acceptance.client import Client
from gauntlet.serving.acceptance.policy import ParityPolicy
from gauntlet.serving.acceptance.sampling import Offline
from gauntlet.serving.contract import InputContract
from gauntlet.verdict import Check, Status

if TYPE_CHECKING:
    import numpy as np

_WORST = 10


@dataclass(frozen=True)
class Differing:
    """One row whose served score is not the offline one: its id and both, never what is in it."""

    example_id: str
    offline: float
    served: float
    difference: float


@dataclass(frozen=True)
class Parity:
    """Served scores beside offline ones.

    Attributes:
        name: how they were asked for: ``v1: many rows a request``.
        rows: rows asked about.
        offline: (m,) scores of the answered rows; of several classes that with the largest difference.
        served: (m,) the server's.
        differences: (m,) |served − offline|, divided by |offline| where that is above 1.
        differing: rows beyond the tolerance.
        worst: the most different of those, the worst first.
        unanswered: rows without an answer.
        failure: why the first of these has none.
    """

    name: str
    rows: int
    offline: np.ndarray
    served: np.ndarray
    differences: np.ndarray
    differing: int
    worst: tuple[Differing, ...]
    unanswered: int = 0
    failure: str = ""

    @property
    def largest(self) -> float:
        """The largest difference; 0 when nothing was answered."""
        return float(self.differences.max()) if len(self.differences) else 0.0


def ask_scores(
    client: Client, contract: InputContract, offline: Offline, *, protocol: str, model: str, rows_per_request: int
) -> tuple[np.ndarray, str]:
    """Score rows through a server.

    Args:
        client: the server.
        contract: what the model takes.
        offline: whose rows.
        protocol: which protocol.
        model: the model's name in paths.
        rows_per_request: how many rows each request holds.

    Returns:
        Scores shaped as ``offline.scores``, NaN where there was no answer; and why the first missing one is missing.
    """
    import numpy as np

    served, failure = np.full_like(offline.scores, np.nan), ""
    for start in range(0, len(offline.rows), rows_per_request):
        rows = offline.rows[start : start + rows_per_request]
        reply = client.ask("POST", predict_path(protocol, model), encode(protocol, contract, rows))
        if reply.failure or reply.status != 200:
            failure = failure or f"answered {reply.failure or reply.status}"
            continue
        try:
            answer = reply.json()
            served[start : start + len(rows)] = decode(
                protocol, answer, task=offline.task, classes=offline.classes, rows=len(rows)
            )
        except (ValueError, DataError) as error:
            problem = error.message if isinstance(error, DataError) else "is not JSON"
            failure = failure or f"the answer {problem}"
    return served, failure


def compare(name: str, offline: Offline, served: np.ndarray, *, tolerance: float, failure: str = "") -> Parity:
    """Hold served scores against offline ones.

    Args:
        name: how they were asked for.
        offline: the rows and their scores.
        served: as ``ask_scores`` returns them.
        tolerance: the largest difference that is none.
        failure: why rows were not answered.
    """
    import numpy as np

    expected = offline.scores.reshape(len(offline.ids), -1)
    found = served.reshape(expected.shape)
    answered = ~np.isnan(found).any(axis=1)
    ids = np.asarray(offline.ids, dtype=object)[answered]
    expected, found = expected[answered], found[answered]
    apart = np.abs(found - expected) / np.maximum(1.0, np.abs(expected))
    column = apart.argmax(axis=1) if len(apart) else np.zeros(0, dtype=int)
    pick = np.arange(len(apart)), column
    differences = apart[pick]
    beyond = differences > tolerance
    order = [int(index) for index in np.argsort(-differences, kind="stable") if beyond[index]]
    return Parity(
        name=name,
        rows=len(offline.ids),
        offline=expected[pick],
        served=found[pick],
        differences=differences,
        differing=len(order),
        worst=tuple(
            Differing(str(ids[i]), float(expected[pick][i]), float(found[pick][i]), float(differences[i]))
            for i in order[:_WORST]
        ),
        unanswered=int((~answered).sum()),
        failure=failure,
    )


def measure_parity(
    client: Client,
    contract: InputContract,
    offline: Offline,
    policy: ParityPolicy,
    *,
    protocol: str,
    model: str,
    seed: int,
) -> tuple[Parity, Parity]:
    """Ask for one row a request, and for many rows a request in an order that is not the file's.

    Args:
        client: the server.
        contract: what the model takes.
        offline: the rows and their scores.
        policy: how many rows, and the tolerance.
        protocol: which protocol.
        model: the model's name in paths.
        seed: of the order.
    """
    import numpy as np

    single = subset(offline, range(0, len(offline.ids), max(1, len(offline.ids) // policy.single_rows)))
    shuffled = subset(offline, [int(i) for i in np.random.default_rng(seed).permutation(len(offline.ids))])
    found = []
    for words, rows, size in (("one row", single, 1), ("many rows", shuffled, policy.rows_per_request)):
        served, failure = ask_scores(client, contract, rows, protocol=protocol, model=model, rows_per_request=size)
        name = f"{protocol}: parity with {words} a request"
        found.append(compare(name, rows, served, tolerance=policy.tolerance, failure=failure))
    return found[0], found[1]


def subset(offline: Offline, indices: Sequence[int] | range) -> Offline:
    """Some of the rows, in the order given."""
    return Offline(
        ids=tuple(offline.ids[i] for i in indices),
        rows=tuple(offline.rows[i] for i in indices),
        scores=offline.scores[list(indices)],
        task=offline.task,
        classes=offline.classes,
    )


def judge_parity(parity: Parity, *, tolerance: float, confidence: float) -> Check:
    """One check: every row answered, none beyond the tolerance.

    Rows are spread evenly over the split. Were a share q of them different, n rows would miss them all with
    probability (1 − q)ⁿ; the share not ruled out at the confidence is 1 − (1 − confidence)^(1/n).

    Args:
        parity: what was found.
        tolerance: the largest difference that is none.
        confidence: for what is said of the rows not asked about.
    """
    asked, compared = parity.rows, parity.rows - parity.unanswered
    if parity.unanswered:
        status, reason = Status.FAIL, f"{parity.unanswered} of {asked} rows were not answered: {parity.failure}."
    elif parity.differing:
        worst = parity.worst[0]
        status = Status.FAIL
        reason = (
            f"{parity.differing} of {compared} rows differ by more than {tolerance:g}; the worst, {worst.example_id}, "
            f"is {worst.served:.7g} served and {worst.offline:.7g} offline."
        )
    else:
        beyond = 1 - (1 - confidence) ** (1 / compared)
        status = Status.PASS
        reason = (
            f"All {compared} rows are served as they were scored offline, to within {tolerance:g}; so at most "
            f"{beyond:.2%} of all rows can differ ({confidence:.0%} confidence)."
        )
    return Check(
        parity.name,
        status,
        reason,
        parity.largest,
        None,
        tolerance,
        "max",
        compared,
        code="check_serving.parity",
        subject=parity.name,
    )


def judge_refused(offline: Offline) -> Check:
    """One check: every row that batch scoring scored can be asked for online."""
    asked = len(offline.ids) + len(offline.refused)
    some = ", ".join(offline.refused[:3])
    reason = f"All {asked} rows fit the signature."
    if offline.refused:
        reason = (
            f"{len(offline.refused)} of {asked} rows were scored offline and lack a column that the signature "
            f"requires, so a caller cannot ask for them: {some}."
        )
    status = Status.FAIL if offline.refused else Status.PASS
    return Check(
        "rows scored offline can be served",
        status,
        reason,
        float(len(offline.refused)),
        None,
        0.0,
        "max",
        asked,
        code="check_serving.refused",
    )
