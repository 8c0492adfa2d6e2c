"""The schema artifact: a curated file or one inferred, as a TFMD proto and in plain terms.

How the proto is used, so that any TFDV can read it and ``columns.json`` can be derived from it alone:

- a category column's known values are its ``string_domain``; for integer codes the domain is a schema-level one of
  the column's name beside ``int_domain.is_categorical`` (TFDV itself does not hold integers to a domain, we do);
- ``distribution_constraints.min_domain_mass``: the share of values that must lie in the domain; of integer codes, on
  which TFDV takes no such constraint, a tag of the feature says it (``min_domain_mass 0.998``);
- a tag ``inferred from 2100 rows``: the range, and that no value is missing, are what so many rows showed, and are
  judged as that. Without it they are promises, which one value breaks;
- ``bool_domain`` marks a boolean, ``time_domain`` (Unix seconds) a timestamp: TFDV stores both as integers;
- environments ``TRAINING`` and ``SERVING``: what is not a feature is not in ``SERVING``.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gauntlet.data.contract import SCHEMA_FILE, Column, Contract
from gauntlet.data.roles import Roles
from gauntlet.data.schema_inference import SERVING, TRAIN_SPLIT, TRAINING, InferencePolicy, infer
from gauntlet.data.source import Pinned, fetch
from gauntlet.data.statistics import Statistics
from gauntlet.errors import BrokenArtifact, ConfigurationError, DataError
from gauntlet.storage import whole_folder, write_json, write_text

ORIGIN_FILE = "origin.json"


@dataclass(frozen=True)
class ChosenSchema:
    """A schema and where it comes from.

    Attributes:
        proto: the ``Schema``.
        origin: one phrase for people: ``inferred from split train``, ``curated file gs://…``.
        curated: a team keeps it; otherwise it was inferred.
    """

    proto: Any
    origin: str
    curated: bool


def choose_schema(statistics: Statistics, curated: Sequence[Pinned], policy: InferencePolicy) -> ChosenSchema:
    """The curated schema if one is given, otherwise one inferred from the training split.

    Raises:
        ConfigurationError: more than one curated file is given.
        DataError: the curated file is not a schema, or there is no training split to infer from.
    """
    if len(curated) > 1:
        raise ConfigurationError(
            "names more than one file",
            field="curated",
            value=", ".join(file.uri for file in curated),
            mend="Give one schema.pbtxt",
        )
    if curated:
        with tempfile.TemporaryDirectory() as scratch, fetch(curated[0], Path(scratch)) as local:
            text = _text_of(local.path, curated[0].uri)
        proto = with_roles(read_curated(text, curated[0].uri), statistics.roles)
        return ChosenSchema(proto, f"curated file {curated[0].uri}", curated=True)
    if TRAIN_SPLIT not in statistics.splits:
        raise DataError(
            "has no split to infer a schema from",
            field="statistics",
            value=", ".join(statistics.splits),
            mend=f"Name a split {TRAIN_SPLIT}, or give a curated schema",
        )
    others = [statistics.split(name) for name in statistics.splits if name != TRAIN_SPLIT]
    proto = infer(statistics.split(TRAIN_SPLIT), statistics.columns, statistics.roles, policy, others)
    return ChosenSchema(proto, f"inferred from split {TRAIN_SPLIT}", curated=False)


def read_curated(text: str, origin: str) -> Any:
    """A schema that a team keeps, from its text (``schema.pbtxt``).

    Raises:
        DataError: it is not the text of a TFMD schema, declares nothing, or declares a column twice.
    """
    from google.protobuf import text_format
    from tensorflow_metadata.proto.v0 import schema_pb2

    mend = "Give a schema.pbtxt as TFDV or the first run's proposal writes it"
    try:
        schema = text_format.Parse(text, schema_pb2.Schema())
    except text_format.ParseError as error:
        raise DataError("is not a TensorFlow Metadata schema", field=origin, value=str(error), mend=mend) from error
    names = [feature.name for feature in schema.feature]
    if not names:
        raise DataError("declares no columns", field=origin, mend=mend)
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise DataError("declares a column twice", field=origin, value=", ".join(twice), mend="Keep one of them")
    for environment in (TRAINING, SERVING):
        if environment not in schema.default_environment:
            schema.default_environment.append(environment)
    return schema


def with_roles(schema: Any, roles: Roles) -> Any:
    """The same schema with what is not a feature out of ``SERVING``; a curated file need not repeat the roles."""
    for feature in schema.feature:
        listed = (*feature.in_environment, *feature.not_in_environment)
        if feature.name in roles.not_features and SERVING not in listed:
            feature.not_in_environment.append(SERVING)
    return schema


def contract_of(schema: Any) -> Contract:
    """The schema in plain terms, from the proto alone."""
    domains = {domain.name: tuple(domain.value) for domain in schema.string_domain}
    return Contract.of([_column(feature, domains) for feature in schema.feature if _is_live(feature)])


def write_schema(chosen: ChosenSchema, destination: Path) -> None:
    """Write a schema artifact: ``schema.pbtxt``, ``columns.json``, and ``origin.json`` that says who wrote it."""
    contract = contract_of(chosen.proto)
    with whole_folder(destination) as folder:
        write_text(folder / SCHEMA_FILE, schema_text(chosen.proto))
        write_json(folder / ORIGIN_FILE, {"curated": chosen.curated, "origin": chosen.origin})
        contract.write(folder)


def read_schema(folder: Path) -> ChosenSchema:
    """Read a schema artifact.

    Raises:
        DataError: there is none, or it cannot be read.
    """
    file = folder / SCHEMA_FILE
    try:
        text = file.read_text()
        origin = json.loads((folder / ORIGIN_FILE).read_text())
        curated, words = bool(origin["curated"]), str(origin["origin"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BrokenArtifact(
            "cannot be read", field=str(file), value=str(error), mend="Run infer_schema again"
        ) from error
    return ChosenSchema(read_curated(text, str(file)), words, curated)


def schema_text(schema: Any) -> str:
    """The proto as text, as TFDV writes it."""
    from google.protobuf import text_format

    return str(text_format.MessageToString(schema, as_utf8=True))


def known_values(schema: Any, feature: Any) -> tuple[str, ...] | None:
    """The categories listed for a feature, or ``None`` when there is no list."""
    return _values(feature, {domain.name: tuple(domain.value) for domain in schema.string_domain})


def _text_of(path: Path, origin: str) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise DataError(
            "is not text", field=origin, value=str(error), mend="Give a schema.pbtxt (protobuf text format)"
        ) from error


def _is_live(feature: Any) -> bool:
    from tensorflow_metadata.proto.v0 import schema_pb2

    return feature.lifecycle_stage not in (schema_pb2.DEPRECATED, schema_pb2.PLANNED, schema_pb2.DEBUG_ONLY)


def _column(feature: Any, domains: Mapping[str, tuple[str, ...]]) -> Column:
    low, high = _limits(feature)
    kind = _kind(feature)
    return Column(
        name=feature.name,
        type=kind,
        categorical=kind in ("string", "bool") or feature.int_domain.is_categorical,
        values=_values(feature, domains),
        required=feature.presence.min_fraction >= 1,
        minimum=low,
        maximum=high,
        serving=SERVING not in feature.not_in_environment
        and (not feature.in_environment or SERVING in feature.in_environment),
    )


def _kind(feature: Any) -> str:
    from tensorflow_metadata.proto.v0 import schema_pb2

    if feature.HasField("bool_domain"):
        return "bool"
    if feature.HasField("time_domain"):
        return "timestamp"
    return {schema_pb2.INT: "int", schema_pb2.FLOAT: "float"}.get(feature.type, "string")


def _limits(feature: Any) -> tuple[float | None, float | None]:
    field = feature.WhichOneof("domain_info")
    if field not in ("int_domain", "float_domain"):
        return None, None
    domain = getattr(feature, field)
    return tuple(float(getattr(domain, end)) if domain.HasField(end) else None for end in ("min", "max"))  # type: ignore[return-value]


def _values(feature: Any, domains: Mapping[str, tuple[str, ...]]) -> tuple[str, ...] | None:
    if feature.HasField("string_domain"):
        return tuple(feature.string_domain.value)
    if feature.HasField("domain"):
        return domains.get(feature.domain)
    return domains.get(feature.name) if feature.int_domain.is_categorical else None
