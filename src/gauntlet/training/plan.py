"""Training plan: features and target from schema, snapshot and recipe; every excluded column gets a note."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from gauntlet.data.contract import Column, Contract
from gauntlet.data.snapshot import Snapshot
from gauntlet.errors import ConfigurationError, DataError
from gauntlet.training.column_profile import Profile, profile_columns
from gauntlet.training.encoding import Feature
from gauntlet.training.recipe import Recipe
from gauntlet.training.target import Target, infer_target


@dataclass(frozen=True)
class Plan:
    """Features and target of a training.

    Attributes:
        features: the input features, in the snapshot's order.
        target: label column, task and classes.
        weight: column of example weights, if any.
        typical: feature → a typical value (median or most frequent category), for the input example.
        notes: excluded columns and other remarks, one sentence each, for the report.
    """

    features: tuple[Feature, ...]
    target: Target
    weight: str | None
    typical: Mapping[str, float | int | bool | str | None]
    notes: tuple[str, ...]

    @property
    def names(self) -> list[str]:
        """Feature names in order."""
        return [feature.name for feature in self.features]


def make_plan(snapshot: Snapshot, contract: Contract, recipe: Recipe) -> Plan:
    """Determine features and target from the training split.

    Raises:
        ConfigurationError: no label declared; the recipe names unknown features; the task does not fit.
        DataError: a column required by the schema is missing or of another type; invalid labels; no feature left.
    """
    snapshot.require_split(recipe.train_split)
    label = snapshot.roles.label
    if label is None:
        raise ConfigurationError("no label is declared", field="roles.label", mend="Name the column to predict")
    if label not in snapshot.columns:
        raise DataError("the label column is not in the snapshot", field=label, mend="Check roles.label and the source")
    columns, notes = _candidates(snapshot, contract, recipe)
    counted = frozenset(column.name for column in columns if column.categorical) | {label}
    profiles = profile_columns(snapshot, recipe.train_split, [*(column.name for column in columns), label], counted)
    target = infer_target(
        label,
        snapshot.columns[label],
        profiles[label],
        task=recipe.task,
        roles=snapshot.roles,
        categorical=_is_categorical(label, contract, snapshot),
    )
    features = []
    for column in columns:
        feature, note = _feature(column, profiles[column.name], recipe.features.max_categories)
        features += [feature] if feature else []
        notes += [note] if note else []
    if not features:
        raise DataError("no feature is left to train on", field="features", mend="Check the schema and the roles")
    _check_monotone(recipe, features)
    typical = {feature.name: _typical(feature, profiles[feature.name]) for feature in features}
    return Plan(tuple(features), target, snapshot.roles.weight, typical, tuple(notes))


def _candidates(snapshot: Snapshot, contract: Contract, recipe: Recipe) -> tuple[list[Column], list[str]]:
    """Columns that may be features, and a note about each excluded one."""
    candidates, notes = [], []
    for column in contract.columns.values():
        if column.serving and column.name not in snapshot.columns and column.name not in snapshot.roles.not_features:
            raise DataError(
                "the schema requires this column", field=column.name, mend="Import it, or correct the schema"
            )
    _check_named(recipe, snapshot, contract)
    include, exclude = recipe.features.include, recipe.features.exclude
    for name in snapshot.features:
        if name in exclude or (include and name not in include):
            continue
        known = contract.columns.get(name)
        reason = _unusable(snapshot.columns[name], known)
        if reason or known is None:
            notes.append(f"{name} was left out: {reason}.")
            continue
        _check_type(known, snapshot.columns[name])
        categorical = _is_categorical(name, contract, snapshot)
        candidates.append(replace(known, type=snapshot.columns[name], categorical=categorical))
    return candidates, notes


def _unusable(kind: str, column: Column | None) -> str:
    if column is None:
        return "it is not in the schema"
    if not column.serving:
        return "the schema declares it absent at serving time"
    if kind == "timestamp":
        return "timestamps are not features; derive columns from it in the source if needed"
    return ""


def _check_named(recipe: Recipe, snapshot: Snapshot, contract: Contract) -> None:
    for field in ("include", "exclude"):
        for name in getattr(recipe.features, field):
            if name not in snapshot.features or (field == "include" and name not in contract.columns):
                raise ConfigurationError(
                    "is not a feature of this snapshot",
                    field=f"recipe.features.{field}",
                    value=name,
                    mend=f"Use some of: {', '.join(snapshot.features)}",
                )


def _check_type(column: Column, actual: str) -> None:
    widened = column.type == "float" and actual == "int"
    if actual != column.type and not widened:
        raise DataError(
            f"is {actual} in the snapshot and {column.type} in the schema",
            field=column.name,
            mend="Correct the reader options or the source, or the schema if the change is intended",
        )


def _is_categorical(name: str, contract: Contract, snapshot: Snapshot) -> bool:
    column = contract.columns.get(name)
    declared = name in snapshot.roles.categorical or (column is not None and column.categorical)
    return snapshot.columns[name] == "string" or (declared and snapshot.columns[name] != "bool")


def _feature(column: Column, profile: Profile, max_categories: int) -> tuple[Feature | None, str]:
    """Make the feature of a column, if possible, and a note, if needed."""
    if profile.missing == profile.rows:
        return None, f"{column.name} was left out: it is missing in every training row."
    if not column.categorical:
        return Feature(column.name, column.type, required=column.required), ""
    if profile.values is None:
        return None, f"{column.name} was left out: it has too many distinct values for a category."
    observed = list(profile.values)
    allowed = [value for value in observed if column.values is None or value in set(column.values)]
    if not allowed:
        return None, f"{column.name} was left out: no training row has a value of the schema's domain."
    kept = sorted(allowed[:max_categories])
    note = ""
    if len(kept) < len(observed):
        dropped_rows = sum(profile.values.values()) - sum(profile.values[value] for value in kept)
        why = "beyond features.max_categories" if len(allowed) > max_categories else "not listed in the schema"
        note = (
            f"{column.name}: {len(observed) - len(kept)} of {len(observed)} categories ({dropped_rows} rows)"
            f" count as missing, {why}."
        )
    return Feature(column.name, column.type, tuple(kept), required=column.required), note


def _check_monotone(recipe: Recipe, features: list[Feature]) -> None:
    numbers = [feature.name for feature in features if feature.categories is None]
    for name in recipe.monotone:
        if name not in numbers:
            raise ConfigurationError(
                "is not a numeric feature of this model",
                field="recipe.monotone",
                value=name,
                mend=f"Use some of: {', '.join(numbers)}",
            )


def _typical(feature: Feature, profile: Profile) -> float | int | bool | str | None:
    if feature.categories is not None:
        value = next(value for value in profile.values or () if value in feature.categories)
        return value if feature.type == "string" else int(value)
    if feature.type == "bool":
        return False
    if profile.typical != profile.typical:  # NaN: the first batch had no value
        return 0 if feature.type == "int" else 0.0
    return int(profile.typical) if feature.type == "int" else profile.typical
