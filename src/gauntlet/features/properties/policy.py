"""Settings of the properties of feature code: which are tested, and how much work that may take."""

from __future__ import annotations

from enum import StrEnum

from pydantic import Field

from gauntlet.settings import Settings


class Property(StrEnum):
    """Property of feature code."""

    DETERMINISM = "determinism"
    ONE_ROW = "one_row"
    ORDER = "order"
    POINT_IN_TIME = "point_in_time"
    UNSEEN = "unseen"
    NULLS = "nulls"
    EXTREMES = "extremes"
    PARQUET = "parquet"


HOSTILE = (Property.UNSEEN, Property.NULLS, Property.EXTREMES)


class PropertiesPolicy(Settings):
    """Settings of the tests of feature code's properties. These sizes bound the work, whatever the data."""

    leave_out: frozenset[Property] = Field(
        frozenset(),
        description="Properties not tested. Features of a history (a rolling mean) are not one_row.",
    )
    relative_tolerance: float = Field(
        1e-6, ge=0, lt=1, description="Two numbers agree within this share of the larger one: room for 32-bit floats."
    )
    absolute_tolerance: float = Field(1e-9, ge=0, description="Two numbers agree within this, in the feature's units.")
    rows: int = Field(2_000, ge=2, description="Most rows in a batch, spread evenly over the sample.")
    single_rows: int = Field(50, ge=2, description="Most rows computed one at a time.")
    cuts: int = Field(5, ge=1, description="Points in time after which the rows are taken away.")
    hostile_rows: int = Field(64, ge=4, description="Rows in a batch with unseen, missing or extreme values.")
    hostile_columns: int = Field(200, ge=1, description="Most columns in which such values are tried, one at a time.")
    seed: int = Field(0, ge=0, description="Of the permutation of rows.")
    fresh_seconds: float = Field(
        120, gt=0, description="Longest time the features may take in a fresh process, its start included."
    )
    may_refuse: frozenset[Property] = Field(
        frozenset(HOSTILE),
        description="Where the code may refuse rows (a DataError or a ValueError) instead of computing their features."
        " At serving a refusal is a request without an answer.",
    )
    forbid_infinite: bool = Field(
        False,
        description="No feature may come out infinite, whatever goes in. Otherwise it is reported: models refuse an"
        " infinite feature, as the code might have refused the row.",
    )
