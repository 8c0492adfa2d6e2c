"""Checks that two models' predictions can be compared: same task, same rows."""

from __future__ import annotations

import numpy as np

from gauntlet.errors import BrokenArtifact, DataError
from gauntlet.evaluation.inputs import Scored
from gauntlet.evaluation.sample import Floats

_MEND_ROWS = "Run batch_predict for both models on the same snapshot and split"


def require_same_signature(challenger: Scored, champion: Scored) -> None:
    """Check that both models have the same task and classes.

    Raises:
        DataError: champion with another signature: another task or other classes.
    """
    ours, theirs = challenger.manifest, champion.manifest
    for field, mine, other in (("task", ours.task, theirs.task), ("classes", ours.classes, theirs.classes)):
        if mine != other:
            raise DataError(
                f"champion with another signature: its {field} is {other!r}, the challenger's is {mine!r}",
                field=field,
                value=other,
                mend="Compare models of one question; register this one under another name",
            )


def require_same_rows(challenger: Scored, champion: Scored) -> None:
    """Check that row i is the same row in both, with the same label and weight.

    Raises:
        DataError: predictions of different rows, naming the first difference.
    """
    ours, theirs = challenger.manifest, champion.manifest
    for field, mine, other in (
        ("snapshot", ours.snapshot, theirs.snapshot),
        ("split", ours.split, theirs.split),
        ("rows", challenger.rows, champion.rows),
    ):
        if mine != other:
            raise BrokenArtifact(
                f"predictions of different rows: the challenger's {field} is {mine!r}, the champion's {other!r}",
                field=field,
                value=other,
                mend=_MEND_ROWS,
            )
    ids, other_ids = challenger.example_ids, champion.example_ids
    if not ids.equals(other_ids):
        row = int(np.flatnonzero(np.asarray(ids.to_numpy()) != np.asarray(other_ids.to_numpy()))[0])
        raise BrokenArtifact(
            f"predictions of different rows: row {row} is {ids[row].as_py()!r} for the challenger and "
            f"{other_ids[row].as_py()!r} for the champion",
            field="example_id",
            value=other_ids[row].as_py(),
            mend=_MEND_ROWS,
        )
    _require_equal("label", challenger.labels, champion.labels, challenger)
    ones = np.ones(challenger.rows)
    _require_equal(
        "weight",
        ones if challenger.weights is None else challenger.weights,
        ones if champion.weights is None else champion.weights,
        challenger,
    )


def identical(challenger: Scored, champion: Scored) -> bool:
    """Whether both models give bit-identical scores."""
    return bool(np.array_equal(challenger.scores, champion.scores))


def _require_equal(field: str, mine: Floats, other: Floats, challenger: Scored) -> None:
    differing = np.flatnonzero(mine != other)
    if len(differing):
        row = int(differing[0])
        raise BrokenArtifact(
            f"predictions of different rows: the {field} of {challenger.example_ids[row].as_py()!r} is {mine[row]:g} "
            f"for the challenger and {other[row]:g} for the champion",
            field=field,
            value=float(other[row]),
            mend=_MEND_ROWS,
        )
