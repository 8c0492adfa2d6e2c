"""From pinned files to a snapshot, in two passes over the data and in memory that does not grow with rows.

The first pass looks (``gauntlet.data.looking``): it finds out what type each column has over all rows, and writes every
row's digest to an index on disk (``row_index``), which finds repetitions. The second pass writes: columns are converted
and rows go to their splits.
"""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, get_args

from gauntlet.data.columns import readable_text
from gauntlet.data.epoch import require_seconds
from gauntlet.data.faults import check_all, raise_it
from gauntlet.data.identity import content_ids, key_ids
from gauntlet.data.labels import LabelCheck
from gauntlet.data.looking import Look, look
from gauntlet.data.notes import FeatureWatch, of_label, of_missing_labels, of_repetitions
from gauntlet.data.plan import Plan, Purpose, named_columns, require_columns
from gauntlet.data.reader import format_of, raw_batches
from gauntlet.data.reader_options import ReaderOptions
from gauntlet.data.request import HISTORY, SERVING, Request, all_batches
from gauntlet.data.roles import Roles
from gauntlet.data.row_index import RowIndexReader
from gauntlet.data.rows import Place, finish_columns, require_weights
from gauntlet.data.snapshot import Snapshot
from gauntlet.data.source import LocalFile, Pinned, fetch
from gauntlet.data.split import (
    SplitOptions,
    as_moments,
    assign_by_hash,
    assign_by_time,
    hash_boundaries,
    sample_by_hash,
    time_boundaries,
)
from gauntlet.data.writing import SplitWriter, write_manifest
from gauntlet.errors import ConfigurationError, DataError
from gauntlet.progress import watched
from gauntlet.storage import whole_folder

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa


def import_snapshot(
    pinned: Sequence[Pinned],
    destination: Path,
    *,
    roles: Roles,
    reader: ReaderOptions,
    split: SplitOptions,
    purpose: Purpose = "training",
    most_rows: int = 0,
) -> Snapshot:
    """Import files as a snapshot; it appears whole or not at all.

    Args:
        pinned: what to read, in this order.
        destination: the snapshot's folder; replaced if it exists.
        roles: what each column is for.
        reader: how to read the files.
        split: how to divide the rows of files that do not say themselves which split they are.
        purpose: ``training``; ``serving``: the label may be missing, and all rows are one split, ``serving``;
            ``history``: what was recorded before, the label may be missing, a row is known by its key and its time, and
            every file's split is its span (``history`` where a file names none).
        most_rows: keep about so many rows, the same ones every time, rows of one group together; 0: all.

    Raises:
        ConfigurationError: roles and options contradict each other or the data's shape.
        DataError: the data cannot be read, or are not what they were declared to be.
        DependencyError: the storage service is not reachable or refuses.
    """
    if purpose not in get_args(Purpose):
        known = ", ".join(get_args(Purpose))
        raise ConfigurationError("is not known", field="purpose", value=purpose, mend=f"Use one of: {known}")
    if most_rows < 0:
        raise ConfigurationError("must not be negative", field="most_rows", value=most_rows, mend="Use 0 for all")
    if split.by == "time" and purpose == "training" and roles.time is None:
        raise ConfigurationError(
            "splitting by time needs it", field="roles.time", mend="Name the column of event times"
        )
    if not pinned:
        raise ConfigurationError(
            "no file to learn from is named", field="data", value=[], mend='Name one at least: [{"uri": "loans.csv"}]'
        )
    with (
        whole_folder(destination) as folder,
        tempfile.TemporaryDirectory(prefix="gauntlet-import-") as scratch,
        contextlib.ExitStack() as lent,
    ):
        downloads = Path(scratch)
        files = [lent.enter_context(fetch(file, downloads)) for file in pinned]
        request = _request(files, roles, reader, split, purpose)
        seen = look(request, downloads / "ledger")
        _refuse_copies(pinned, seen.rows)
        repeated = _refuse_repeated_keys(request, seen)
        share = most_rows / sum(seen.rows) if most_rows else 1.0
        writers, notes = _write(request, seen, folder, share, repeated)
        sources = [{**file.to_json(), "rows": count} for file, count in zip(pinned, seen.rows, strict=True)]
        write_manifest(
            folder, columns=seen.plan.columns, roles=seen.plan.roles, writers=writers, sources=sources, notes=notes
        )
    return Snapshot.open(destination)


def _request(
    files: Sequence[LocalFile], roles: Roles, reader: ReaderOptions, split: SplitOptions, purpose: Purpose
) -> Request:
    """Settle what identifies a row, from the columns of the first rows."""
    formats = [(file, format_of(file.path, file.pinned.uri, reader)) for file in files]
    first, kind = formats[0]
    batches = raw_batches(first.path, first.pinned.uri, kind, reader, partitions=first.pinned.partitions)
    names: list[str] = next((batch.schema.names for batch in batches), [])
    cluster = (roles.cluster,) if roles.cluster is not None else ()
    key, group = roles.key, split.key or cluster
    if purpose == HISTORY and roles.time in names:
        key = tuple(dict.fromkeys([*key, roles.time])) if key else ()
    if purpose != "training":
        return Request(formats, roles, reader, split, purpose, key if set(key) <= set(names) else (), ())
    if names:
        by = "split.key" if split.key else "roles.cluster"
        identifying = [partial(require_columns, "roles.key", key, names), partial(require_columns, by, group, names)]
        # Of JSON lines, the first rows may lack a column that later ones have.
        rest = roles.model_copy(update={"key": (), "cluster": None})
        _check_with(identifying, [] if kind == "jsonl" else named_columns(names, reader, rest))
    return Request(formats, roles, reader, split, purpose, key, () if group == key else group)


def _check_with(first: Iterable[Callable[[], None]], others: Iterable[Callable[[], None]]) -> None:
    """Run the first checks; if one of them fails, say what the others find as well."""
    try:
        check_all(first)
    except DataError as error:
        check_all([partial(raise_it, error), *others])


def _refuse_copies(pinned: Sequence[Pinned], rows: Sequence[int]) -> None:
    """Refuse a file that is another one, byte for byte: its rows would be learnt twice, or learnt and judged by."""
    seen: dict[tuple[str, str], str] = {}
    for file, count in zip(pinned, rows, strict=True):
        content = (file.version, str(sorted(file.partitions.items())))
        if count and content in seen and file.version.startswith("sha256:"):
            raise DataError(
                f"holds the same {count:,} rows as {seen[content]}, byte for byte",
                field=file.uri,
                mend="Name one of them",
            )
        seen[content] = file.uri


def _refuse_repeated_keys(request: Request, seen: Look) -> int:
    """How many rows are equal to an earlier one, in their key if there is one.

    Raises:
        DataError: keys are, and that was not accepted.
    """
    count, examples = seen.row_index.find_repetitions()
    if not count or not request.key or request.reader.duplicates == "keep_first":
        return count
    shown = []
    for row, first in examples:
        file, number, key = _locate(request, seen.plan, row)
        first_file, first_number, _ = _locate(request, seen.plan, first)
        shown.append(f"{key!r} in {file} row {number} and {first_file} row {first_number}")
    raise DataError(
        f"{count} {'row has' if count == 1 else 'rows have'} a key that an earlier row has: {'; '.join(shown)}",
        field=f"roles.key ({', '.join(request.key)})",
        mend='Name all columns that make a row unique, or keep the first of each: reader.duplicates: "keep_first"',
    )


def _locate(request: Request, plan: Plan, row: int) -> tuple[str, int, str]:
    """File, row number in it from 1, and key of a row numbered over all files from 0."""
    before = 0
    for _, batch, place in all_batches(request):
        if row < before + batch.num_rows:
            position = row - before
            here = Place(place.file, place.rows_before + position)
            columns = finish_columns(batch.slice(position, 1), plan, request.reader, here)
            return place.file, here.rows_before + 1, key_ids([columns[name] for name in request.key])[0].as_py()
        before += batch.num_rows
    raise AssertionError(row)


def _write(
    request: Request, seen: Look, folder: Path, share: float, repeated: int
) -> tuple[dict[str, SplitWriter], list[str]]:
    """Second pass: write every row, or a share of them, into its split; and what a person should know of them."""
    import pyarrow as pa

    plan = seen.plan
    label = plan.roles.label
    labels = LabelCheck(label, request.reader, categorical=label in plan.roles.categorical)
    empty, times, features = set(plan.columns), list[pa.Array](), FeatureWatch(plan)
    with contextlib.ExitStack() as open_files:
        writers = {name: open_files.enter_context(SplitWriter(folder, name, plan.schema)) for name in request.splits}
        reader = open_files.enter_context(seen.row_index.read())
        total = sum(seen.rows)
        read = all_batches(request)
        for number, batch, place in watched("writing", read, lambda one: one[1].num_rows, total=total):
            if batch.num_rows:
                rows = _finish(batch, plan, request, place, reader, labels, share)
                features.see(rows.batch, begins=not place.rows_before)
                empty -= {name for name in empty if _has_values(rows.batch, name)}
                if request.split.by == "time" and request.roles.time in plan.columns:
                    times.append(_first_and_last(rows.batch.column(request.roles.time)))
                _distribute(rows, request.files[number][0].pinned.split, request, writers)
    if request.purpose != "training":
        return writers, []
    check_all(
        [
            *(partial(_refuse_empty_column, name) for name in sorted(empty)),
            labels.judge,
            partial(features.refuse_indexes, request.told),
            partial(_refuse_empty_splits, writers, times),
        ]
    )
    by_content = request.split.by == "hash" and all(file.pinned.split is None for file, _ in request.files)
    notes = [
        *of_label(label or "", labels.classes),
        *of_missing_labels(labels.without, total),
        *of_repetitions(repeated, total, request.key, by_content=by_content),
        *features.sentences(),
    ]
    return writers, notes


@dataclass(frozen=True)
class FinishedRows:
    """Rows ready to be written: a batch of the snapshot's schema, and the number each row is split by."""

    batch: pa.RecordBatch
    groups: np.ndarray


def _finish(
    batch: pa.RecordBatch,
    plan: Plan,
    request: Request,
    place: Place,
    row_index: RowIndexReader,
    labels: LabelCheck,
    share: float,
) -> FinishedRows:
    """Convert a batch, name its rows, and leave out those that are not to be kept."""
    import numpy as np
    import pyarrow as pa

    digests, groups, occurrences = row_index.take(batch.num_rows)
    columns = finish_columns(batch, plan, request.reader, place)
    if request.key:
        ids = key_ids([columns[name] for name in request.key])
        keep = occurrences == 0
    else:
        ids = content_ids(digests, occurrences)
        keep = np.ones(batch.num_rows, dtype=bool)
    if plan.roles.time is not None:
        require_seconds(columns[plan.roles.time], plan.roles.time, place, by_date=request.split.by_date)
    if plan.roles.weight is not None:
        require_weights(columns[plan.roles.weight], plan.roles.weight, place)
    if plan.roles.label is not None and request.purpose == "training":
        keep &= labels.see(columns[plan.roles.label])
    keep &= sample_by_hash(groups, share)
    finished = pa.RecordBatch.from_arrays([ids, *columns.values()], schema=plan.schema)
    if not keep.all():
        finished, groups = finished.filter(pa.array(keep)), groups[keep]
    return FinishedRows(finished, groups)


def _distribute(rows: FinishedRows, own: str | None, request: Request, writers: dict[str, SplitWriter]) -> None:
    """Hand rows to the writers of their splits."""
    import numpy as np
    import pyarrow as pa

    whole = {SERVING: SERVING, HISTORY: own or HISTORY}.get(request.purpose, own)
    if whole is not None:
        writers[whole].write(rows.batch)
        return
    if request.split.by == "time":
        name = request.roles.time
        assert name is not None
        ends = time_boundaries(request.split.until)
        chosen = assign_by_time(rows.batch.column(rows.batch.schema.get_field_index(name)), ends, name)
        names = [split for split, _ in ends]
    else:
        shares = hash_boundaries(request.split.fractions)
        chosen, names = assign_by_hash(rows.groups, shares), [split for split, _ in shares]
    for number, split in enumerate(names):
        writers[split].write(rows.batch.filter(pa.array(np.equal(chosen, number))))


def _has_values(batch: pa.RecordBatch, name: str) -> bool:
    column = batch.column(batch.schema.get_field_index(name))
    return bool(column.null_count < len(column))


def _refuse_empty_column(name: str) -> None:
    raise DataError(
        "has no value in any row",
        field=f"column {name}",
        mend=f'Leave it out with reader.drop: ["{name}"], or check reader.missing_values',
    )


def _first_and_last(times: pa.Array) -> pa.Array:
    import pyarrow as pa
    import pyarrow.compute as pc

    return pa.array([pc.min(times).as_py(), pc.max(times).as_py()], times.type)


def _refuse_empty_splits(writers: dict[str, SplitWriter], times: Sequence[pa.Array]) -> None:
    """Refuse a split that got no rows; ``times``: the first and last of every batch, if rows were split by them."""
    span = ""
    if times and not all(writer.rows for writer in writers.values()):
        import pyarrow as pa

        first, last = readable_text(as_moments(_first_and_last(pa.concat_arrays(times)))).to_pylist()
        span = f": times run from {first} to {last}"
    for name, writer in writers.items():
        if not writer.rows:
            raise DataError(
                f"split {name} got no rows{span}",
                field="split",
                value={name: writer.rows for name, writer in writers.items()},
                mend="Widen it, give it a share of 0, or import more rows",
            )
