"""From files on this machine, or in a bucket, to a snapshot, with one call: for notebooks and scripts.

The pipeline does the same in two components, ``resolve_source`` and ``import_snapshot``, with the same options.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gauntlet.data.importing import import_snapshot
from gauntlet.data.reader_options import ReaderOptions
from gauntlet.data.roles import Roles
from gauntlet.data.source import resolve
from gauntlet.data.split import SplitOptions
from gauntlet.settings import parse

if TYPE_CHECKING:
    from gauntlet.data.plan import Purpose
    from gauntlet.data.snapshot import Snapshot

    Source = str | Path | Mapping[str, Any]


def import_files(
    sources: Source | Sequence[Source],
    destination: str | Path,
    *,
    roles: Mapping[str, Any] | None = None,
    reader: Mapping[str, Any] | None = None,
    split: Mapping[str, Any] | None = None,
    purpose: Purpose = "training",
    most_rows: int = 0,
) -> Snapshot:
    r"""Pin files, import them as a snapshot, and open it.

    Args:
        sources: a path, folder, pattern or ``gs://`` address, several of them, or mappings as ``resolve`` takes them:
            ``{"uri": "test.csv", "split": "test"}``.
        destination: the snapshot's folder; replaced if it exists.
        roles: what columns are for, fields of ``Roles``: ``{"label": "repaid", "key": ["id"]}``.
        reader: how to read the files, fields of ``ReaderOptions``.
        split: how to divide the rows, fields of ``SplitOptions``; by default 70, 15 and 15 % at random, for ever.
        purpose, most_rows: as in ``import_snapshot``.

    Raises:
        ConfigurationError: an unknown key, no such file, or options that contradict each other or the data's shape.
        DataError: the data cannot be read, or are not what they were declared to be.
        DependencyError: the storage service is not reachable or refuses.

    One text among numbers stops the import; the message names the row, the value and the settings that decide:

    >>> import tempfile
    >>> from gauntlet.errors import DataError
    >>> folder = Path(tempfile.mkdtemp())
    >>> amounts = [*(f"{100 * n},{n % 2}" for n in range(50)), "about 900,1"]
    >>> written = (folder / "loans.csv").write_text("\n".join(["amount,repaid", *amounts]))
    >>> options = {"roles": {"label": "repaid"}, "reader": {"missing_values": [""]}}
    >>> try:
    ...     import_files(folder / "loans.csv", folder / "snapshot", **options)
    ... except DataError as error:
    ...     print(str(error).removeprefix(f"{folder}/"))
    loans.csv: row 51: column amount is read as text, though all but 1 of its 51 values are numbers; found 'about 900'.
    Correct them at the source, or read them as missing, in every column: reader.missing_values: ["", "about 900"]. To
    take it as text: reader.types: {"amount": "string"}.
    """
    listed = [sources] if isinstance(sources, str | Path | Mapping) else list(sources)
    pinned = resolve([source if isinstance(source, Mapping) else {"uri": str(source)} for source in listed])
    return import_snapshot(
        pinned,
        Path(destination),
        roles=parse(Roles, roles, field="roles"),
        reader=parse(ReaderOptions, reader, field="reader"),
        split=parse(SplitOptions, split, field="split"),
        purpose=purpose,
        most_rows=most_rows,
    )
