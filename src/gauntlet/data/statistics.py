"""TFDV's statistics over a snapshot, split by split, in one pass and in bounded memory.

    <statistics>/<split>.pb         DatasetFeatureStatisticsList with one data set, as TFDV writes it, and one custom
                                    statistic for each number: how often its values occur (``value_counts``)
    <statistics>/statistics.json    which snapshot, its columns and roles, rows of each split

The two default generators of TFDV (see ``gauntlet.data.tfdv``) read the Parquet parts batch by batch into running
accumulators; what comes out is what ``tfdv.generate_statistics_from_dataframe`` gives for the same rows and options,
up to the rank error of the quantile sketch (``QUANTILE_ERROR``) once a column is larger than the sketch.

How columns enter, beyond what TFDV does by itself: a timestamp becomes whole seconds since 1970 (TFDV would drop it);
a boolean and an integer declared categorical are counted by value; a null is a missing value. The outermost values of
a number are kept beside (``gauntlet.data.tails``).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gauntlet.data import tfdv
from gauntlet.data.profile import Profile, read_profiles
from gauntlet.data.roles import Roles
from gauntlet.data.snapshot import Snapshot
from gauntlet.data.tails import Ends
from gauntlet.data.value_counts import Tallies
from gauntlet.data.weights import Weights
from gauntlet.errors import BrokenArtifact, ConfigurationError, DataError
from gauntlet.progress import watched
from gauntlet.settings import parse
from gauntlet.storage import absence, whole_folder, write_bytes, write_json

if TYPE_CHECKING:
    import pyarrow as pa

FORMAT = "gauntlet.statistics/1"
MANIFEST = "statistics.json"

# TFDV's StatsOptions by their own names. Quantiles are finer than its default of 10 buckets, because comparisons and
# reports rest on them, and no finer, because TFDV computes a hundred quantiles for each bucket. The rank error is held
# well below one bucket.
QUANTILE_BUCKETS = 100
QUANTILE_ERROR = 0.001
LISTED_CATEGORIES = 1000
OPTIONS: Mapping[str, int | float] = {
    "num_top_values": 20,
    "num_rank_histogram_buckets": LISTED_CATEGORIES,
    "num_values_histogram_buckets": 10,
    "num_histogram_buckets": 10,
    "num_quantiles_histogram_buckets": QUANTILE_BUCKETS,
    "epsilon": QUANTILE_ERROR,
}
# Sizes of the category sketches, as TFDV itself sets them.
_MISRA_GRIES_BUCKETS = 1024
_KMV_BUCKETS = 16384


@dataclass(frozen=True)
class Statistics:
    """A statistics artifact, opened for reading.

    Attributes:
        path: its folder.
        snapshot: digest of the snapshot it describes.
        columns: name → the snapshot's type (``int``, ``float``, ``string``, ``bool``, ``timestamp``).
        roles: what each column is for.
        splits: name → number of rows.
        notes: what a person should know of the data, one sentence each.
    """

    path: Path
    snapshot: str
    columns: Mapping[str, str]
    roles: Roles
    splits: Mapping[str, int]
    notes: Sequence[str] = ()

    @classmethod
    def open(cls, path: Path) -> Statistics:
        """Open a statistics artifact.

        Raises:
            DataError: there is none, or it is of another format.
        """
        try:
            document = json.loads((path / MANIFEST).read_text())
            if document["format"] != FORMAT:
                raise ValueError(f"format {document['format']!r}")
            return cls(
                path=path,
                snapshot=document["snapshot"],
                columns={column["name"]: column["type"] for column in document["columns"]},
                roles=parse(Roles, document["roles"], field="statistics.roles"),
                splits={split["name"]: split["rows"] for split in document["splits"]},
                notes=document.get("notes", []),
            )
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise BrokenArtifact(
                "is not a statistics artifact", field=str(path), value=str(error), mend="Run compute_statistics again"
            ) from error

    def split(self, name: str) -> Any:
        """The ``DatasetFeatureStatistics`` of one split.

        Raises:
            ConfigurationError: no such split.
            DataError: its file cannot be read.
        """
        from google.protobuf.message import DecodeError
        from tensorflow_metadata.proto.v0 import statistics_pb2

        if name not in self.splits:
            known = ", ".join(self.splits)
            raise ConfigurationError("no such split", field="split", value=name, mend=f"Use one of: {known}")
        file = self.path / f"{name}.pb"
        try:
            datasets = statistics_pb2.DatasetFeatureStatisticsList.FromString(file.read_bytes()).datasets
        except (OSError, DecodeError) as error:
            raise BrokenArtifact(
                "cannot be read as statistics", field=str(file), value=str(error), mend="Run compute_statistics again"
            ) from error
        if len(datasets) != 1:
            raise BrokenArtifact(
                "holds other than one data set",
                field=str(file),
                value=len(datasets),
                mend="Run compute_statistics again",
            )
        return datasets[0]


def open_if_there(path: Path) -> Statistics | None:
    """Open an optional statistics artifact; ``None`` when it is absent.

    Raises:
        DataError: there is something, but not statistics.
    """
    return None if absence(path) else Statistics.open(path)


def write_statistics(snapshot: Snapshot, destination: Path) -> Statistics:
    """Compute the statistics of every split that has rows and write them as an artifact.

    Raises:
        DataError: the snapshot has no rows at all, a part cannot be read, or an example weight is missing or negative.
    """
    splits = {name: rows for name, rows in snapshot.splits.items() if rows}
    if not splits:
        raise DataError("has no rows", field="snapshot", mend="Check the source and the split")
    with whole_folder(destination) as folder:
        for name in splits:
            write_bytes(folder / f"{name}.pb", compute_split(snapshot, name).SerializeToString(deterministic=True))
        document = {
            "format": FORMAT,
            "snapshot": snapshot.digest,
            "columns": [{"name": name, "type": kind} for name, kind in snapshot.columns.items()],
            "roles": snapshot.roles.model_dump(mode="json"),
            "splits": [{"name": name, "rows": rows} for name, rows in splits.items()],
            "notes": list(snapshot.notes),
        }
        write_json(folder / MANIFEST, document)
    return Statistics.open(destination)


def describe(snapshot: Snapshot, split: str) -> dict[str, Profile]:
    """The statistics of one split, column by column, without an artifact.

    Args:
        snapshot: the data.
        split: which of its splits.

    Raises:
        ConfigurationError: no such split.
        DataError: the split is empty, a part cannot be read, or an example weight is missing or negative.
    """
    return read_profiles(compute_split(snapshot, split).datasets[0])


def compute_split(snapshot: Snapshot, split: str) -> Any:
    """The ``DatasetFeatureStatisticsList`` of one split; see ``compute``."""
    columns = list(snapshot.columns)
    rows = snapshot.splits.get(split, 0)  # of an unknown split, ``batches`` says so
    batches = watched("describing", snapshot.batches(split, columns), lambda batch: batch.num_rows, total=rows)
    return compute(batches, snapshot.columns, snapshot.roles, split=split)


def compute(batches: Iterable[pa.RecordBatch], columns: Mapping[str, str], roles: Roles, *, split: str = "") -> Any:
    """TFDV's statistics of a stream of record batches.

    Args:
        batches: the rows; every batch has the same columns, with plain (not list) types.
        columns: name → snapshot type, in the order wanted.
        roles: names the weight column and the integer codes.
        split: what the rows are called in messages.

    Returns:
        A ``DatasetFeatureStatisticsList`` with one data set, features in the order of ``columns``.

    Raises:
        DataError: an example weight is missing or negative; or all are zero, very small or very large.
    """
    loaded = tfdv.load_generators()
    generators = _generators(loaded, columns, roles)
    accumulators = [generator.create_accumulator() for generator in generators]
    ends = Ends([name for name, kind in columns.items() if kind in ("int", "float") and name not in roles.categorical])
    categories = {feature.name for feature in generator_schema(columns, roles).feature}
    tallies = Tallies([name for name, kind in columns.items() if kind != "string" and name not in categories])
    weights = None if roles.weight is None else Weights(roles.weight)
    for batch in batches:
        if weights is not None:
            weights.add(batch)
        lists = _as_lists(batch, columns, loaded.as_list)
        ends.add(batch)
        tallies.add({name: _readable(batch.column(name), columns[name]) for name in tallies.names})
        accumulators = [
            generator.add_input(accumulator, lists)
            for generator, accumulator in zip(generators, accumulators, strict=True)
        ]
    if weights is not None:
        weights.require_usable(split)
    outputs = [
        generator.extract_output(generator.compact(accumulator))
        for generator, accumulator in zip(generators, accumulators, strict=True)
    ]
    statistics = _in_order(loaded.merge(outputs), columns)
    by_name = {feature.path.step[0]: feature for feature in statistics.datasets[0].features}
    ends.write(by_name)
    tallies.write(by_name)
    return statistics


def generator_schema(columns: Mapping[str, str], roles: Roles) -> Any:
    """The schema that tells TFDV's generators which integers are categories."""
    from tensorflow_metadata.proto.v0 import schema_pb2

    schema = schema_pb2.Schema()
    for name, kind in columns.items():
        if kind == "bool" or (kind == "int" and name in roles.categorical):
            feature = schema.feature.add(name=name, type=schema_pb2.INT)
            feature.int_domain.is_categorical = True
    return schema


def _generators(loaded: tfdv.Generators, columns: Mapping[str, str], roles: Roles) -> list[Any]:
    schema = generator_schema(columns, roles)
    weights = loaded.weights(weight_feature=roles.weight)
    basic = loaded.basic(
        schema=schema,
        example_weight_map=weights,
        num_values_histogram_buckets=OPTIONS["num_values_histogram_buckets"],
        num_histogram_buckets=OPTIONS["num_histogram_buckets"],
        num_quantiles_histogram_buckets=OPTIONS["num_quantiles_histogram_buckets"],
        epsilon=OPTIONS["epsilon"],
    )
    top_values = loaded.top_values(
        schema=schema,
        example_weight_map=weights,
        num_top_values=OPTIONS["num_top_values"],
        num_rank_histogram_buckets=OPTIONS["num_rank_histogram_buckets"],
        num_misragries_buckets=_MISRA_GRIES_BUCKETS,
        num_kmv_buckets=_KMV_BUCKETS,
        length_counter_sampling_rate=0.0,  # the lengths only feed a monitoring counter
    )
    return [basic, top_values]


def _as_lists(batch: pa.RecordBatch, columns: Mapping[str, str], as_list: Any) -> pa.RecordBatch:
    import pyarrow as pa

    arrays = [as_list(_readable(batch.column(name), kind)) for name, kind in columns.items()]
    return pa.RecordBatch.from_arrays(arrays, list(columns))


def _readable(array: pa.Array, kind: str) -> pa.Array:
    """The column as TFDV reads it: see the module's docstring."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if kind == "bool":
        return array.cast(pa.int8())
    if kind == "timestamp":
        seconds = pc.floor_temporal(array, unit="second")
        return pc.divide(pc.cast(seconds, pa.timestamp("us", array.type.tz)).cast(pa.int64()), 1_000_000)
    return array


def _in_order(statistics: Any, columns: Mapping[str, str]) -> Any:
    """The generators' outputs are merged in no particular order; ours is the snapshot's."""
    dataset = statistics.datasets[0]
    by_name = {feature.path.step[0]: feature for feature in dataset.features}
    ordered = [by_name[name] for name in columns if name in by_name]
    copies = [type(feature).FromString(feature.SerializeToString()) for feature in ordered]
    del dataset.features[:]
    dataset.features.extend(copies)
    return statistics
