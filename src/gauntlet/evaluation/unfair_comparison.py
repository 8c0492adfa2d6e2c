"""What makes a comparison unfair: rows that a model was trained on, and a champion that knows the answer.

A model's own predictions say which rows it was trained on (``Manifest.trained_on``). Rows keep their split as long as
their identity and the split's settings stay. Where these change between two runs, the champion may have learned rows
that are now in the test split, and looks better on them than in production.
"""

from __future__ import annotations

from gauntlet.evaluation import wording
from gauntlet.evaluation.metrics import Metric
from gauntlet.prediction.format import Manifest
from gauntlet.verdict import Check, Status

TOLERATED = 0.01
"""Share of such rows that is let pass: the same few rows twice, in data without a key, move no metric by much."""


def nearly_perfect_champion(
    metric: Metric, champion: float, challenger: float, limit: float, *, code: str
) -> Check | None:
    """A question, where the champion is better than most problems allow and the challenger is not.

    Args:
        metric: that tells, better when higher.
        champion, challenger: its values.
        limit: from which a model counts as nearly perfect.
        code: of the check.
    """
    if not challenger < limit <= champion:
        return None
    reason = (
        f"{wording.title(metric)} of the champion is {champion:.4g}, as of a model with a leak (the challenger's: "
        f"{challenger:.4g}). If it learned from something that is known only after the outcome, no honest model can "
        "replace it: retire it (docs/registry.md)."
    )
    return Check(
        "champion, near perfect",
        Status.INCONCLUSIVE,
        reason,
        champion,
        bound=limit,
        direction="max",
        advisory=True,
        code=code,
        subject="champion",
    )


def seen_rows(who: str, manifest: Manifest, *, code: str, proof: bool = False) -> tuple[Check, ...]:
    """A check that cannot pass, where more than a few of the rows were among those that a model was trained on.

    Args:
        who: the model in words: ``the champion``.
        manifest: of its predictions.
        code: of the check.
        proof: whether it stops a run.
    """
    seen = manifest.trained_on
    if seen is None or seen.share <= TOLERATED:
        return ()
    reason = (
        f"{seen.shared:,} of {seen.looked_at:,} rows ({seen.share:.0%}) of split {manifest.split} are rows that {who} "
        "was trained on, so it looks better on them than it is. Rows change their split when their identity or the "
        "split's settings change: keep roles.key and the split as they were when it was trained, or train it again."
    )
    return (
        Check(
            f"rows {who} was trained on",
            Status.INCONCLUSIVE,
            reason,
            seen.share,
            None,
            TOLERATED,
            "max",
            seen.looked_at,
            proof=proof,
            code=code,
            subject=who.removeprefix("the "),
        ),
    )
