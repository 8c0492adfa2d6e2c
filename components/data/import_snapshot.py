from kfp.dsl import Dataset, Output

from gauntlet.orchestration.component import Caching, component


@component(image="data", caching=Caching.PURE)
def import_snapshot(
    pinned: list,
    roles: dict,
    snapshot: Output[Dataset],
    reader: dict = {},
    split: dict = {},
    purpose: str = "training",
    most_rows: int = 0,
):
    """Import CSV, Parquet or JSON lines as a typed snapshot with reproducible splits.

    Args:
        pinned: Files to read, as returned by resolve_source. Without files the snapshot is absent (except in training).
        roles: Roles of columns: {"label", "positive", "key", "weight", "cluster", "time", "exclude",
            "categorical"}.
        reader: Reader options: {"format", "delimiter", "column_names", "missing_values", "types", "rename", "values",
            "derive", "drop", ...}.
        split: Split options: {"by": "hash", "fractions": {...}} or {"by": "time", "until": {...}}.
        purpose: training; serving: the label may be missing, all rows form the split serving; history: the label may be
            missing, key and time identify a row, and each file's split is its time span.
        most_rows: Size of a reproducible sample that keeps groups together, in rows (approximate); 0: all.
        snapshot: The snapshot.
    """
    from pathlib import Path

    from gauntlet.data.importing import import_snapshot
    from gauntlet.data.reader_options import ReaderOptions
    from gauntlet.data.roles import Roles
    from gauntlet.data.source import parse_pinned
    from gauntlet.data.split import SplitOptions
    from gauntlet.settings import parse
    from gauntlet.storage import write_absent

    if not pinned and purpose != "training":
        write_absent(Path(snapshot.path), "no source is given")
        return
    imported = import_snapshot(
        parse_pinned(pinned),
        Path(snapshot.path),
        roles=parse(Roles, roles, field="roles"),
        reader=parse(ReaderOptions, reader, field="reader"),
        split=parse(SplitOptions, split, field="split"),
        purpose=purpose,
        most_rows=most_rows,
    )
    snapshot.metadata["digest"] = imported.digest
    snapshot.metadata["columns"] = len(imported.columns)
    if imported.notes:
        snapshot.metadata["notes"] = "\n".join(imported.notes)
    for name, rows in imported.splits.items():
        snapshot.metadata[f"rows_{name}"] = rows
