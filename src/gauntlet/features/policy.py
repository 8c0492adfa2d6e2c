"""Settings of ``check_features``."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from gauntlet.features.contract_changes import ContractPolicy
from gauntlet.features.properties.policy import PropertiesPolicy
from gauntlet.settings import Settings

Share = Annotated[float, Field(ge=0, le=1)]


class FeaturesPolicy(Settings):
    """Tolerances of recomputed against stored features, and how they are compared."""

    absolute_tolerance: float = Field(
        1e-9, ge=0, description="Fractions this far apart are the same value, in the feature's units."
    )
    relative_tolerance: float = Field(
        1e-6, ge=0, lt=1, description="The same as a share of the stored value: what a store in single precision loses."
    )
    max_share: float = Field(
        0.001, ge=0, lt=1, description="Share of a span's rows in which a feature may differ from what is stored."
    )
    min_rows: int = Field(50, ge=2, description="A span with fewer rows found in the store is not judged.")
    min_matched_share: Share = Field(
        0.5, description="Share of a span's rows that the store should hold; below it the span is not judged."
    )
    names: dict[str, str] = Field({}, description="Feature → its column in the store, where the names differ.")
    exclude: tuple[str, ...] = Field((), description="Features not to compare.")
    store_holds: Literal["features", "inputs"] = Field(
        "features",
        description="What the store materialized: features as the feature code computes them, or the columns that the "
        "candidate takes before steps of its own.",
    )
    refit_tolerance: float = Field(
        0.1,
        ge=0,
        description="Without a store, against the champion's own steps: how far a value may move because the steps "
        "were fitted anew, in standard deviations of the feature.",
    )
    confidence: float = Field(
        0.995, gt=0.5, lt=1, description="Of the comparison of distributions, all features and spans together."
    )
    min_distance: float = Field(
        0.001, ge=0, lt=1, description="Distributions at a smaller Jensen-Shannon divergence count as equal."
    )
    max_flips: float = Field(
        0.005,
        ge=0,
        lt=1,
        description="Share of stored rows that may get another decision once features are recomputed.",
    )
    threshold: float = Field(0.5, gt=0, lt=1, description="Binary: a score of at least this is a yes.")
    sample_rows: int = Field(
        20_000,
        ge=100,
        le=1_000_000,
        description="Rows of each span that the diagnosis and the impact on decisions rest on.",
    )
    partition_rows: int = Field(
        250_000, ge=1_000, description="Rows joined at a time when the store is in another order than the data."
    )
    seed: int = Field(0, ge=0, description="Of the resampled null distributions.")
    contract: ContractPolicy = Field(
        ContractPolicy.model_validate({}), description="Severity of changes of names, order, types and categories."
    )
    properties: PropertiesPolicy = Field(
        PropertiesPolicy.model_validate({}), description="Properties of the feature code that are tested."
    )
