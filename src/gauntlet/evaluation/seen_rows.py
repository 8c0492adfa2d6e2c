"""Were models trained on the rows they are judged on? A model's own predictions say so (``Manifest.trained_on``).

Rows keep their split as long as their identity and the split's settings stay. Where these change between two runs, the
champion may have learned rows that are now in the test split, and looks better on them than in production.
"""

from __future__ import annotations

from gauntlet.prediction.format import Manifest
from gauntlet.verdict import Check, Status

TOLERATED = 0.01
"""Share of such rows that is let pass: the same few rows twice, in data without a key, move no metric by much."""


def seen_rows(gate: str, who: str, manifest: Manifest) -> tuple[Check, ...]:
    """A check that cannot pass, where more than a few of the rows were among those that a model was trained on.

    Args:
        gate: that asks, for the code.
        who: the model in words: ``the champion``.
        manifest: of its predictions.
    """
    seen = manifest.trained_on
    if seen is None or seen.share <= TOLERATED:
        return ()
    reason = (
        f"{seen.shared:,} of {seen.looked_at:,} rows ({seen.share:.0%}) of split {manifest.split} are rows that {who} "
        "was trained on, so it looks better on them than it is. Rows change their split when their identity or the "
        "split's settings change: keep roles.key and the split as they were when it was trained, or train it again."
    )
    code = f"{gate}.seen_rows"
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
            code=code,
            subject=who.removeprefix("the "),
        ),
    )
