r"""From files somewhere to a snapshot, its statistics, its schema, and what moved since the last one.

Start with ``import_files``, which makes a snapshot: an immutable, typed, split copy of the data. ``describe`` gives a
split's statistics by column, ``Snapshot`` reads what was imported.

>>> import tempfile
>>> from pathlib import Path
>>> from gauntlet.data import describe, import_files
>>> folder = Path(tempfile.mkdtemp())
>>> rows = [f"L{n},{250 * (n % 8) + 500},{'car' if n % 3 else ''},{n % 2}" for n in range(200)]
>>> csv = (folder / "loans.csv").write_text("\n".join(["id,amount,purpose,repaid", *rows]))
>>> snapshot = import_files(folder / "loans.csv", folder / "snapshot", roles={"label": "repaid", "key": ["id"]})
>>> snapshot.columns
{'id': 'string', 'amount': 'int', 'purpose': 'string', 'repaid': 'int'}
>>> snapshot.features
('amount', 'purpose')
>>> snapshot.splits
{'train': 133, 'validation': 34, 'test': 33}
>>> train = describe(snapshot, "train")
>>> train["amount"].minimum, train["amount"].median, train["amount"].maximum
(500.0, 1250.0, 2250.0)
>>> train["purpose"].values, round(train["purpose"].missing_share, 2)
(('car',), 0.35)
"""

from gauntlet.lazy import lazy_exports

__all__ = ["Snapshot", "describe", "import_files"]

TYPE_CHECKING = False  # typing's own would be the only reason to import typing
if TYPE_CHECKING:
    from gauntlet.data.files import import_files
    from gauntlet.data.snapshot import Snapshot
    from gauntlet.data.statistics import describe
else:
    __getattr__ = lazy_exports(
        __name__,
        {
            "Snapshot": "gauntlet.data.snapshot",
            "describe": "gauntlet.data.statistics",
            "import_files": "gauntlet.data.files",
        },
    )
