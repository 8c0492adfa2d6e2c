"""Contract of a set of features: names, order, types, missing values, categories, fitted state.

A model's contract is the columns that its signature and Gauntlet's encoder declare that it *reads*. That of a transform
or a store is observed from the rows that it *gives*. ``contract_changes.compare_contracts`` compares two of a kind.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from gauntlet.data.columns import kind_of, reduce_type
from gauntlet.digest import digest_json
from gauntlet.errors import DataError
from gauntlet.model_digest import MLMODEL_FILE
from gauntlet.training import bundle

if TYPE_CHECKING:
    import pyarrow as pa

Side = Literal["reads", "gives"]
MOST_CATEGORIES = 1_000
"""Number of values beyond which a text column has no domain to compare."""

_MLFLOW_TYPES = {
    "double": "float",
    "float": "float",
    "long": "int",
    "integer": "int",
    "boolean": "bool",
    "string": "string",
    "datetime": "timestamp",
}


@dataclass(frozen=True)
class Terms:
    """Contract of one feature.

    Attributes:
        name: the feature.
        type: ``int | float | string | bool | timestamp``; empty if all values are missing.
        required: whether it is declared required; ``None`` without a declaration.
        rows: rows observed; 0 for a declaration.
        missing: rows without a value.
        categories: category → rows that have it (0 for a declaration), in the order of codes, if any; ``None`` for a
            quantity, or for more than ``MOST_CATEGORIES``.
    """

    name: str
    type: str
    required: bool | None = None
    rows: int = 0
    missing: int = 0
    categories: Mapping[str, int] | None = None


@dataclass(frozen=True)
class FeatureContract:
    """Features that a model reads, or that a transform or a store gives.

    Attributes:
        owner: its name in a sentence: ``the candidate``, ``the store``.
        side: whether it reads the features (a model) or gives them (a transform, a store).
        terms: the features, in their order.
        state: digest of the fitted state of the feature code; empty if unknown.
    """

    owner: str
    side: Side
    terms: Mapping[str, Terms] = field(default_factory=dict)
    state: str = ""


def contract_of_model(folder: Path, owner: str) -> FeatureContract:
    """Read the columns that a model declares. The model is not run.

    Args:
        folder: an MLflow model folder.
        owner: its name in sentences.

    Raises:
        DataError: no model there, or one that declares no inputs.
    """
    import yaml

    encoder = folder / "data" / bundle.DATA / bundle.ENCODER_FILE
    try:
        if encoder.is_file():
            document = json.loads(encoder.read_text())
            return FeatureContract(owner, "reads", _by_name(map(_encoded, document["features"])), _state(document))
        signature = yaml.safe_load((folder / MLMODEL_FILE).read_text())["signature"]
        inputs = json.loads(signature["inputs"])
        return FeatureContract(owner, "reads", _by_name(map(_signed, inputs)))
    except (OSError, ValueError, KeyError, TypeError, yaml.YAMLError) as error:
        raise DataError(
            f"{owner} does not declare the columns it reads",
            field=str(folder / MLMODEL_FILE),
            value=f"{type(error).__name__}: {error}",
            mend="Log the model with a signature (or an input example) that names its columns",
        ) from error


def contract_of_rows(batches: Iterable[pa.Table | pa.RecordBatch], owner: str, state: str = "") -> FeatureContract:
    """Observe the contract of features in rows, in constant memory.

    Args:
        batches: the rows, all with the same columns.
        owner: name of their source in sentences.
        state: digest of the fitted state of the feature code.

    Raises:
        DataError: a column of a type that is no feature's, or columns that change between batches.
    """
    terms: dict[str, Terms] = {}
    for number, batch in enumerate(batches):
        if number and list(terms) != batch.schema.names:
            raise DataError(f"{owner} gives other columns in some rows", field=owner, mend="Give the same in all")
        for name, column in zip(batch.schema.names, batch.columns, strict=True):
            observed = _observed(name, column)
            terms[name] = _together(terms[name], observed) if name in terms else observed
    return FeatureContract(owner, "gives", terms, state)


def to_json(contract: FeatureContract) -> dict[str, Any]:
    """Convert a contract to JSON, for a report or a file beside the features."""
    return {**asdict(contract), "terms": [asdict(terms) for terms in contract.terms.values()]}


def _state(document: Mapping[str, Any]) -> str:
    """Digest of an encoder's fitted state: the categories and their codes."""
    features = document["features"]
    learned = [[feature["name"], feature["categories"]] for feature in features if feature["categories"] is not None]
    return digest_json(learned)


def _encoded(feature: Mapping[str, Any]) -> Terms:
    categories = None if feature["categories"] is None else dict.fromkeys(map(str, feature["categories"]), 0)
    return Terms(str(feature["name"]), str(feature["type"]), bool(feature["required"]), categories=categories)


def _signed(column: Mapping[str, Any]) -> Terms:
    kind = str(column["type"])
    return Terms(str(column["name"]), _MLFLOW_TYPES.get(kind, kind), bool(column.get("required", True)))


def _observed(name: str, column: pa.Array | pa.ChunkedArray) -> Terms:
    import pyarrow as pa
    import pyarrow.compute as pc

    array = reduce_type(column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column, name)
    kind = kind_of(array.type) or ""
    missing = array.null_count + (pc.sum(pc.is_nan(array)).as_py() or 0 if kind == "float" else 0)
    if kind != "string":
        return Terms(name, kind, None, len(array), missing)
    counted = {count["values"]: count["counts"] for count in pc.value_counts(array.drop_null()).to_pylist()}
    return Terms(name, kind, None, len(array), missing, _domain(counted))


def _together(first: Terms, second: Terms) -> Terms:
    """Merge two observations of one feature. A column without values takes the other's type."""
    types = {terms.type for terms in (first, second) if terms.type}
    if len(types) > 1 and types != {"int", "float"}:
        raise DataError(
            f"is {first.type} in some rows and {second.type} in others", field=first.name, mend="Give one type"
        )
    kind = "float" if len(types) > 1 else next(iter(types), "")
    total = replace(first, type=kind, rows=first.rows + second.rows, missing=first.missing + second.missing)
    if kind != "string":
        return replace(total, categories=None)
    parts = [terms for terms in (first, second) if terms.type]
    if any(part.categories is None for part in parts):
        return replace(total, categories=None)
    counted: dict[str, int] = {}
    for part in parts:
        for value, rows in (part.categories or {}).items():
            counted[value] = counted.get(value, 0) + rows
    return replace(total, categories=_domain(counted))


def _domain(counted: Mapping[str, int]) -> dict[str, int] | None:
    return dict(sorted(counted.items())) if len(counted) <= MOST_CATEGORIES else None


def _by_name(terms: Iterable[Terms]) -> dict[str, Terms]:
    return {term.name: term for term in terms}
