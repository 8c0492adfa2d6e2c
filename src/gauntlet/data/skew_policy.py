"""How far a column may move: the policy of the skew gate, and what a curated schema says about it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from pydantic import Field

from gauntlet.data.schema import ChosenSchema, contract_of
from gauntlet.settings import Settings


class ColumnLimits(Settings):
    """Limits of one column; what is not given is as the policy says."""

    max_distance: float | None = Field(None, gt=0, lt=1, description="Largest distance between the distributions.")
    missing_max_change: float | None = Field(None, ge=0, lt=1, description="Largest change of the missing share.")
    unseen_max_share: float | None = Field(None, ge=0, lt=1, description="Largest share of values not seen before.")


class SkewPolicy(Settings):
    """Policy of ``detect_skew``."""

    number_max_distance: float = Field(
        0.05,
        gt=0,
        lt=1,
        description="Largest Jensen–Shannon divergence (bits) of a number; 0.05 is a shift of a normal distribution by"
        " about half its standard deviation.",
    )
    category_max_distance: float = Field(
        0.05, gt=0, lt=1, description="Largest change of any one category's share (L-infinity)."
    )
    missing_max_change: float = Field(
        0.05, ge=0, lt=1, description="Largest change of the share of missing values, either way."
    )
    unseen_max_share: float = Field(
        0.01, ge=0, lt=1, description="Largest share of values of categories that the other side does not have at all."
    )
    confidence: float = Field(
        0.95, gt=0.5, lt=1, description="Confidence at which anything is called shown, for all columns together."
    )
    exclude: tuple[str, ...] = Field((), description="Columns not to compare.")
    columns: dict[str, ColumnLimits] = Field({}, description="Column → its own limits.")
    replicates: int = Field(4000, ge=1000, le=100_000, description="Simulated pairs of samples behind each interval.")
    seed: int = Field(0, ge=0, description="Seed of the simulation.")


@dataclass(frozen=True)
class Limits:
    """How far one column may move.

    Attributes:
        distance: largest distance: Jensen–Shannon divergence of a number, L-infinity of a category.
        missing: largest change of the missing share.
        unseen: largest share of values not seen before; ``None``: the schema lists no categories to be unseen.
        unusable: what of the configuration cannot be applied to this column, in words; empty when all can.
    """

    distance: float
    missing: float
    unseen: float | None
    unusable: str = ""


def limits_for(
    columns: Iterable[str],
    schema: ChosenSchema,
    policy: SkewPolicy,
    *,
    comparator: Literal["skew_comparator", "drift_comparator"],
) -> Mapping[str, Limits]:
    """The limits of each column: its own in the policy, else the schema's comparator, else the policy's default."""
    contract = contract_of(schema.proto).columns
    features = {feature.name: feature for feature in schema.proto.feature}
    found = {}
    for name in columns:
        own = policy.columns.get(name) or ColumnLimits.model_validate({})
        set_in_schema = getattr(features[name], comparator)
        divergence = set_in_schema.jensen_shannon_divergence.threshold
        infinity = set_in_schema.infinity_norm.threshold
        categorical = contract[name].categorical
        configured, other = (infinity, divergence) if categorical else (divergence, infinity)
        default = policy.category_max_distance if categorical else policy.number_max_distance
        limit = own.max_distance or configured or default
        found[name] = Limits(
            distance=limit,
            missing=policy.missing_max_change if own.missing_max_change is None else own.missing_max_change,
            unseen=_unseen(own, policy) if contract[name].values is not None else None,
            unusable=_unusable(comparator, categorical) if other and not configured and not own.max_distance else "",
        )
    return found


def _unseen(own: ColumnLimits, policy: SkewPolicy) -> float:
    return policy.unseen_max_share if own.unseen_max_share is None else own.unseen_max_share


def _unusable(comparator: str, categorical: bool) -> str:
    if categorical:
        return f"{comparator}.jensen_shannon_divergence is set in the schema; categories are compared by infinity_norm"
    return (
        f"{comparator}.infinity_norm is set in the schema, which measures nothing on a number; numbers are compared by"
        " jensen_shannon_divergence"
    )
