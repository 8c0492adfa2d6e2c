r"""Feature code against the features that are stored: what changed, how, whom it harms and what to do about it.

Start with ``replay_history``: does this code still give what is stored? ``diagnose_numbers`` and ``diagnose_texts``
name the relation between two columns, whatever they come from.

>>> import tempfile
>>> from pathlib import Path
>>> from gauntlet.data import import_files
>>> from gauntlet.features import replay_history
>>> folder = Path(tempfile.mkdtemp())
>>> rows = [f"L{n},{900 + 7 * n},{12 + n % 48}" for n in range(300)]
>>> written = (folder / "loans.csv").write_text("\n".join(["id,income,months", *rows]))
>>> options = {"roles": {"key": ["id"]}, "purpose": "history"}
>>> history = import_files(folder / "loans.csv", folder / "history", **options)
>>> stored = import_files(folder / "loans.csv", folder / "stored", **options)  # income was stored as it is
>>> def build(rows):
...     return rows[["income", "months"]].assign(income=(rows["income"] - 1950) / 600)
>>> print(replay_history(build, history, stored).verdict.summary)
`income` was redefined and its past was not recomputed: the new code disagrees with the store in history, and would
compute the new rows, of which nothing is stored yet. Of 300 rows of the store in history, 100% have another value:
normalization change (new = 0.001667 × stored − 3.25, which is (stored − 1,950) / 600, by the mean and standard
deviation of the values). Recompute history with the new code before anything reads both, or stay with the code that
wrote them.
"""

from gauntlet.lazy import lazy_exports

__all__ = ["diagnose_numbers", "diagnose_texts", "replay_history"]

TYPE_CHECKING = False  # typing's own would be the only reason to import typing
if TYPE_CHECKING:
    from gauntlet.features.diagnosis import diagnose_numbers, diagnose_texts
    from gauntlet.features.history import replay_history
else:
    __getattr__ = lazy_exports(
        __name__,
        {
            "diagnose_numbers": "gauntlet.features.diagnosis",
            "diagnose_texts": "gauntlet.features.diagnosis",
            "replay_history": "gauntlet.features.history",
        },
    )
