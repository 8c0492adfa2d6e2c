"""Offline/online parity: compares served scores with those of ``batch_predict``, row by row.

If they differ, the batch evaluation does not apply to the served model. Usual reasons: a feature parsed differently,
the order of columns, another version of a library, responses in another order than requests.
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
    """Row whose scores differ: its id and both scores, never its content."""

    example_id: str
    offline: float
    served: float
    difference: float


@dataclass(frozen=True)
class Parity:
    """Comparison of served and offline scores.

    Attributes:
        name: request form: ``v1: many rows a request``.
        rows: rows requested.
        offline: (m,) scores of answered rows; multiclass: of the class with the largest difference.
        served: (m,) the server's.
        differences: (m,) |served − offline|, divided by |offline| where that is above 1.
        differing: rows beyond the tolerance.
        worst: the largest differences, worst first.
        unanswered: rows without an answer.
        failure: why the first of these was not answered.
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
        """Largest difference; 0 without answers."""
        return float(self.differences.max()) if len(self.differences) else 0.0


def ask_scores(
    client: Client, contract: InputContract, offline: Offline, *, protocol: str, model: str, rows_per_request: int
) -> tuple[np.ndarray, str]:
    """Score rows through a server.

    Args:
        client: the server.
        contract: the model's input contract.
        offline: the rows.
        protocol: the protocol.
        model: the model's name in paths.
        rows_per_request: rows per request.

    Returns:
        Scores shaped as ``offline.scores``, NaN where unanswered; and why the first missing one is missing.
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
    """Compare served scores with offline ones.

    Args:
        name: request form.
        offline: the rows and their scores.
        served: as ``ask_scores`` returns them.
        tolerance: largest difference that counts as equal.
        failure: why rows were not answered.
    """
    import numpy as np

    expected = offline.scores.reshape(len(offline.ids), -1)
    scores = served.reshape(expected.shape)
    answered = ~np.isnan(scores).any(axis=1)
    ids = np.asarray(offline.ids, dtype=object)[answered]
    expected, scores = expected[answered], scores[answered]
    apart = np.abs(scores - expected) / np.maximum(1.0, np.abs(expected))
    column = apart.argmax(axis=1) if len(apart) else np.zeros(0, dtype=int)
    pick = np.arange(len(apart)), column
    differences = apart[pick]
    beyond = differences > tolerance
    order = [int(index) for index in np.argsort(-differences, kind="stable") if beyond[index]]
    return Parity(
        name=name,
        rows=len(offline.ids),
        offline=expected[pick],
        served=scores[pick],
        differences=differences,
        differing=len(order),
        worst=tuple(
            Differing(str(ids[i]), float(expected[pick][i]), float(scores[pick][i]), float(differences[i]))
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
    """Measure parity with one row per request, and with many rows per request in shuffled order.

    Args:
        client: the server.
        contract: the model's input contract.
        offline: the rows and their scores.
        policy: number of rows, and the tolerance.
        protocol: the protocol.
        model: the model's name in paths.
        seed: seed of the order.
    """
    import numpy as np

    single = subset(offline, range(0, len(offline.ids), max(1, len(offline.ids) // policy.single_rows)))
    shuffled = subset(offline, [int(i) for i in np.random.default_rng(seed).permutation(len(offline.ids))])
    parities = []
    for words, rows, size in (("one row", single, 1), ("many rows", shuffled, policy.rows_per_request)):
        served, failure = ask_scores(client, contract, rows, protocol=protocol, model=model, rows_per_request=size)
        name = f"{protocol}: parity with {words} a request"
        parities.append(compare(name, rows, served, tolerance=policy.tolerance, failure=failure))
    return parities[0], parities[1]


def subset(offline: Offline, indices: Sequence[int] | range) -> Offline:
    """Select rows, in the given order."""
    return Offline(
        ids=tuple(offline.ids[i] for i in indices),
        rows=tuple(offline.rows[i] for i in indices),
        scores=offline.scores[list(indices)],
        task=offline.task,
        classes=offline.classes,
    )


def judge_parity(parity: Parity, *, tolerance: float, confidence: float) -> Check:
    """Check that every row is answered, and none beyond the tolerance.

    Rows are spread evenly over the split. Were a share q of them different, n rows would miss them all with
    probability (1 − q)ⁿ; the share not ruled out at the confidence is 1 − (1 − confidence)^(1/n).

    Args:
        parity: the comparison.
        tolerance: largest difference that counts as equal.
        confidence: confidence for rows not requested.
    """
    rows, compared = parity.rows, parity.rows - parity.unanswered
    if parity.unanswered:
        status, reason = Status.FAIL, f"{parity.unanswered} of {rows} rows were not answered: {parity.failure}."
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
    """Check that every row scored in batch is valid for the server."""
    rows = len(offline.ids) + len(offline.refused)
    some = ", ".join(offline.refused[:3])
    reason = f"All {rows} rows fit the signature."
    if offline.refused:
        reason = (
            f"{len(offline.refused)} of {rows} rows were scored offline and lack a column that the signature "
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
        rows,
        code="check_serving.refused",
    )
