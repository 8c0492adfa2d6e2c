"""Tests one rule: scores rows before and after the change, and finds those that break the rule."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gauntlet.behavior.perturbation import differing, perturb
from gauntlet.behavior.sampling import Drawn
from gauntlet.behavior.subject import Answers, Subject
from gauntlet.behavior.suite import Directional, Invariance
from gauntlet.data.snapshot import EXAMPLE_ID
from gauntlet.digest import digest_bytes

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa


@dataclass(frozen=True)
class Offender:
    """Row that breaks a rule.

    Attributes:
        name: its ``example_id``.
        before: column → value, every column that the model reads.
        after: the same after the change; columns that were not changed are left out.
        scores: before and after.
        decisions: before and after, in words; ``None`` for a regression without a threshold.
    """

    name: str
    before: Mapping[str, Any]
    after: Mapping[str, Any]
    scores: tuple[float, float]
    decisions: tuple[str, str] | None


@dataclass(frozen=True)
class Trial:
    """Result of testing a rule.

    Attributes:
        matched: rows of the split that match.
        drawn: rows drawn.
        rows: rows that the change altered; the others do not count.
        units: independent units among ``rows``: clusters where rows are clustered.
        broken_rows: rows that break the rule.
        failures: units with such a row.
        clustered: whether units are clusters.
        moves: (rows,) change of the score.
        offenders: the worst of the broken rows, worst first.
    """

    matched: int
    drawn: int
    rows: int
    units: int
    broken_rows: int
    failures: int
    clustered: bool
    moves: np.ndarray
    offenders: tuple[Offender, ...]


def try_rule(rule: Invariance | Directional, drawn: Drawn, subject: Subject, *, seed: int, n_offenders: int) -> Trial:
    """Test a rule: change rows, and score them before and after.

    Args:
        rule: the rule, validated against the subject.
        drawn: the rows.
        subject: the model.
        seed: seeds the changes, with the rule's name; other rules of the file have no influence.
        n_offenders: most offenders to keep.

    Raises:
        DataError: the model fails on the rows before or after, or a number leaves the range of its type.
    """
    import numpy as np
    import pyarrow as pa

    name_key = int(digest_bytes(rule.name.encode()).removeprefix("sha256:")[:16], 16)
    changed = perturb(drawn.rows, rule.change, np.random.default_rng([seed, name_key]))
    altered = differing(drawn.rows, changed, rule.changed)
    if not altered.any():
        nothing = np.empty(0)
        return Trial(drawn.matched, drawn.rows.num_rows, 0, 0, 0, 0, drawn.clustered, nothing, ())
    mask = pa.array(altered)
    rows, after, units = drawn.rows.filter(mask), changed.filter(mask), drawn.units[altered]
    first, second = subject.answer(rows), subject.answer(after)
    scored = _scores(rule, first, second, subject)
    excess = _excess(rule, scored[1] - scored[0], first, second)
    broken = np.flatnonzero(excess > 0)
    worst = broken[np.argsort(-excess[broken], kind="stable")][:n_offenders]
    return Trial(
        matched=drawn.matched,
        drawn=drawn.rows.num_rows,
        rows=rows.num_rows,
        units=len(np.unique(units)),
        broken_rows=len(broken),
        failures=len(np.unique(units[broken])),
        clustered=drawn.clustered,
        moves=scored[1] - scored[0],
        offenders=_offenders(worst, rows, after, scored, (first, second), rule, subject),
    )


def _scores(
    rule: Invariance | Directional, first: Answers, second: Answers, subject: Subject
) -> tuple[np.ndarray, np.ndarray]:
    """Scores that a rule compares. For many classes and none named: of each row, the class with the largest change."""
    import numpy as np

    if subject.target.task != "multiclass":
        return first.scores, second.scores
    if isinstance(rule, Directional):
        column = subject.score_column(rule.expect.of, "expect")
        return first.scores[:, column], second.scores[:, column]
    most = np.abs(second.scores - first.scores).argmax(axis=1)
    at = np.arange(len(most))
    return first.scores[at, most], second.scores[at, most]


def _excess(rule: Invariance | Directional, moves: np.ndarray, first: Answers, second: Answers) -> np.ndarray:
    """(n,) excess of each row over what the rule allows: 0 where it keeps the rule, above 0 where it breaks it."""
    import numpy as np

    least = np.nextafter(0, 1)
    if isinstance(rule, Directional):
        low, high, strict = rule.expect.allowed
        beyond = np.maximum(low - moves, moves - high)
        broken = beyond >= 0 if strict else beyond > 0
        return np.where(broken, np.maximum(beyond, least), 0.0)
    size = np.abs(moves)
    broken = np.zeros(len(moves), dtype=bool)
    if rule.expect.max_change is not None:
        broken |= size > rule.expect.max_change
    if rule.expect.same_decision:
        assert first.decisions is not None
        assert second.decisions is not None
        broken |= first.decisions != second.decisions
    return np.where(broken, np.maximum(size, least), 0.0)


def _offenders(
    worst: np.ndarray,
    rows: pa.Table,
    after: pa.Table,
    scored: tuple[np.ndarray, np.ndarray],
    answers: tuple[Answers, Answers],
    rule: Invariance | Directional,
    subject: Subject,
) -> tuple[Offender, ...]:
    offenders = []
    for index in map(int, worst):
        decisions = None
        if answers[0].decisions is not None and answers[1].decisions is not None:
            decisions = (
                subject.describe(int(answers[0].decisions[index])),
                subject.describe(int(answers[1].decisions[index])),
            )
        old = {name: rows.column(name)[index].as_py() for name in subject.inputs}
        new = {name: after.column(name)[index].as_py() for name in rule.changed}
        offenders.append(
            Offender(
                name=str(rows.column(EXAMPLE_ID)[index].as_py()),
                before=old,
                after={name: value for name, value in new.items() if value != old[name]},
                scores=(float(scored[0][index]), float(scored[1][index])),
                decisions=decisions,
            )
        )
    return tuple(offenders)
