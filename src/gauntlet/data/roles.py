"""What each column is for. Declared once, at import; carried by the snapshot to everything after it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from pydantic import BeforeValidator, Field, model_validator

from gauntlet.settings import Settings


def _value(written: object) -> object:
    """A value as data hold it, of what a file of settings makes of it: 0, true."""
    if isinstance(written, bool):
        return str(written).lower()
    return f"{written:g}" if isinstance(written, float) else str(written) if isinstance(written, int) else written


Value = Annotated[str, BeforeValidator(_value)]


class Roles(Settings):
    """Which columns are not features, and why.

    Every column named nowhere here is a feature.
    """

    label: str | None = Field(None, description="Column to predict. None in a sample of serving requests.")
    positive: str | int | bool | None = Field(
        None, description="The label value that counts as positive; for two classes only. Default: the larger one."
    )
    key: tuple[str, ...] = Field((), description="Columns that identify a row. Default: the row's whole content.")
    weight: str | None = Field(None, description="Column of non-negative example weights.")
    cluster: str | None = Field(
        None, description="Column naming what rows share (a person with several rows): intervals respect it."
    )
    time: str | None = Field(None, description="Column of event times.")
    exclude: tuple[str, ...] = Field((), description="Columns kept in the snapshot but not used as features.")
    categorical: tuple[str, ...] = Field((), description="Integer columns whose values are codes, not quantities.")
    labels: Mapping[str, Mapping[Value, str]] = Field(
        {},
        description="Readable names of a column's values, the label's too, in slices, policies and reports: "
        "{race: {0: Black, 1: white}}. A value without one keeps its own.",
    )

    @model_validator(mode="after")
    def _names_tell_values_apart(self) -> Roles:
        for column, names in self.labels.items():
            twice = sorted({name for name in names.values() if list(names.values()).count(name) > 1})
            if twice:
                values = [value for value, name in names.items() if name == twice[0]]
                raise ValueError(f"labels.{column}: {', '.join(values)} have one name, {twice[0]!r}; give each its own")
        return self

    @model_validator(mode="after")
    def _label_is_only_the_label(self) -> Roles:
        for role in ("key", "weight", "cluster", "time"):
            if self.label is not None and self.label in self.columns[role]:
                raise ValueError(f"label and {role} name the same column, {self.label!r}; give {role} another")
        return self

    @property
    def columns(self) -> Mapping[str, tuple[str, ...]]:
        """Role → the columns it names; none is an empty tuple."""
        single = {"label": self.label, "weight": self.weight, "cluster": self.cluster, "time": self.time}
        return {
            **{role: () if name is None else (name,) for role, name in single.items()},
            "key": self.key,
            "exclude": self.exclude,
            "categorical": self.categorical,
            "labels": tuple(self.labels),
        }

    @property
    def not_features(self) -> frozenset[str]:
        """Names of the columns a model must not learn from."""
        named = (self.label, self.weight, self.cluster, self.time, *self.key, *self.exclude)
        return frozenset(name for name in named if name is not None)
