"""Reads a behavior file and its bulk rows, in the pinned version."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from gauntlet.behavior.consistency import require_consistent
from gauntlet.behavior.document import ROOT, Document, read_document
from gauntlet.behavior.suite import BulkRows, Suite
from gauntlet.data.columns import reduce_type
from gauntlet.data.objects.schemes import relative_to, store_of
from gauntlet.data.source import Pinned, fetch
from gauntlet.digest import digest_file
from gauntlet.errors import ConfigurationError, DataError
from gauntlet.parquet import read_parquet
from gauntlet.settings import parse

if TYPE_CHECKING:
    import pyarrow as pa

_PYTHON_WORDS = re.compile(r"a valid (tuple|dictionary)(?: or instance of \w+)?")
_YAML_WORDS = {"tuple": "a list", "dictionary": "a mapping"}


def read_suite(pinned: Sequence[Pinned]) -> tuple[Suite, Document] | None:
    """Read the suite; ``None`` if no file is configured.

    Args:
        pinned: the behavior file, as ``resolve_source`` returns it.

    Raises:
        ConfigurationError: more than one file, or an invalid file; names the line.
        DataError: the file has changed since it was pinned, or is not text.
        DependencyError: its storage is not reachable, or refuses.
    """
    if not pinned:
        return None
    if len(pinned) > 1:
        files = ", ".join(file.uri for file in pinned)
        raise ConfigurationError("names more than one file", field=ROOT, value=files, mend="Give one behavior file")
    with tempfile.TemporaryDirectory() as scratch, fetch(pinned[0], Path(scratch)) as local:
        try:
            text = local.path.read_text(encoding="utf-8")
        except UnicodeDecodeError as error:
            raise DataError("is not UTF-8 text", field=pinned[0].uri, value=str(error), mend="Save it so") from error
    return parse_suite(text, pinned[0].uri)


def parse_suite(text: str, name: str) -> tuple[Suite, Document]:
    """Parse a suite.

    Args:
        text: YAML.
        name: the file, for messages.

    Raises:
        ConfigurationError: it is not YAML, invalid, or contradicts itself; names the line.
    """
    document = read_document(text, name)
    with document.located():
        try:
            suite = parse(Suite, document.value, field=ROOT)
        except ConfigurationError as error:
            message = _PYTHON_WORDS.sub(lambda words: _YAML_WORDS[words[1]], error.message)
            raise ConfigurationError(message, field=error.field, value=error.value, mend=error.mend) from error
        require_consistent(suite)
    return suite, document


def read_rows(bulk: BulkRows, home: str, field: str) -> pa.Table:
    """Read bulk rows, with a snapshot's column types.

    Args:
        bulk: the file and its digest.
        home: the behavior file; relative paths start in its folder.
        field: path of the entry, for messages.

    Raises:
        ConfigurationError: there is no such file, or its kind of storage is not supported.
        DataError: its digest differs, it is not Parquet, has no rows, or holds a column type
            that a snapshot cannot hold.
        DependencyError: its storage is not reachable, or refuses.
    """
    import pyarrow as pa

    uri = relative_to(home, bulk.uri)
    store = store_of(uri, field=f"{field}.uri")
    pinned = store.pin(uri, field=f"{field}.uri")
    with (
        tempfile.TemporaryDirectory() as scratch,
        store.lend(uri, pinned.version, Path(scratch), field=f"{field}.uri") as path,
    ):
        digest = digest_file(path)
        if digest != bulk.digest:
            raise DataError(
                f"the file's digest is {digest}",
                field=f"{field}.sha256",
                value=bulk.sha256,
                mend="Look at what changed in the file; then give its new digest",
            )
        try:
            table = read_parquet(path, bulk.uri)
        except (OSError, pa.ArrowInvalid) as error:
            raise DataError(
                "cannot be read as Parquet", field=f"{field}.uri", value=str(error), mend="Write the file again"
            ) from error
    if table.num_rows == 0:
        raise DataError("has no rows", field=f"{field}.uri", value=bulk.uri, mend="Write rows, or remove the entry")
    columns = {name: reduce_type(table.column(name).combine_chunks(), name) for name in table.column_names}
    return pa.table(columns)
