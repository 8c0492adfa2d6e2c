"""What ``check_integrity`` is asked to look at."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator, model_validator

from gauntlet.data.reader_options import ReaderOptions
from gauntlet.data.split import microseconds
from gauntlet.settings import Settings

_MAX_SHARE = "Largest share of rows that may break the rule. 0: not one of these rows; above 0 it is held against an exact interval."  # noqa: E501
Bucket = Literal["split", "day", "week", "month", "quarter", "year"]


class KeyRule(Settings):
    """Columns whose values together name a row: none missing, none twice."""

    columns: tuple[str, ...] = Field(min_length=1, description="The key's columns.")
    table: str | None = Field(None, description="Reference table that holds them. Default: the snapshot.")


class ReferenceRule(Settings):
    """A foreign key: values that must be in a reference table."""

    columns: tuple[str, ...] = Field(min_length=1, description="Columns of the snapshot.")
    table: str = Field(description="Reference table, as the sources name it.")
    references: tuple[str, ...] = Field((), description="Its columns, in the same order. Default: of the same names.")
    required: bool = Field(False, description="Whether a missing value breaks the rule too.")
    max_share: float = Field(0.0, ge=0, lt=1, description=_MAX_SHARE)

    @model_validator(mode="after")
    def _as_many(self) -> ReferenceRule:
        _require_as_many(self.columns, self.references)
        return self


class CategoryRule(Settings):
    """A column whose categories are listed in a reference table."""

    column: str = Field(description="Column of the snapshot.")
    table: str = Field(description="Reference table, as the sources name it.")
    values: str | None = Field(None, description="Its column that lists the categories. Default: of the same name.")
    max_share: float = Field(0.0, ge=0, lt=1, description=_MAX_SHARE)


class JoinRule(Settings):
    """A join that later steps make, and that must keep the number of rows."""

    columns: tuple[str, ...] = Field(min_length=1, description="Columns of the snapshot to join on.")
    table: str = Field(description="Reference table, as the sources name it.")
    references: tuple[str, ...] = Field((), description="Its columns, in the same order. Default: of the same names.")
    kind: Literal["left", "inner"] = Field("left", description="inner loses the rows without a partner.")
    max_growth: float = Field(1.0, ge=1, description="Most rows after the join for each row that has a partner.")
    max_loss: float = Field(0.0, ge=0, lt=1, description="inner: largest share of rows that may be lost.")

    @model_validator(mode="after")
    def _as_many(self) -> JoinRule:
        _require_as_many(self.columns, self.references)
        return self


class OrderRule(Settings):
    """Two moments (or numbers) of a row that come one after the other."""

    earlier: str = Field(description="Column of what comes first.")
    later: str = Field(description="Column of what comes after it.")
    strict: bool = Field(False, description="Whether both at once breaks the rule.")
    max_share: float = Field(0.0, ge=0, lt=1, description=_MAX_SHARE)


class PeriodRule(Settings):
    """A column of moments that must lie within a span."""

    column: str | None = Field(None, description="Column of moments. Default: roles.time.")
    not_before: float | str | None = Field(None, description="Earliest moment: ISO 8601 or epoch seconds.")
    not_after: float | str | None = Field(None, description="Latest moment: ISO 8601 or epoch seconds.")
    max_share: float = Field(0.0, ge=0, lt=1, description=_MAX_SHARE)

    @field_validator("not_before", "not_after")
    @classmethod
    def _a_moment(cls, value: float | str | None) -> float | str | None:
        if value is not None:
            microseconds(value)
        return value

    @model_validator(mode="after")
    def _a_span(self) -> PeriodRule:
        if self.not_before is None and self.not_after is None:
            raise ValueError("needs not_before or not_after")
        both = self.not_before is not None and self.not_after is not None
        if both and microseconds(self.not_after) < microseconds(self.not_before):  # type: ignore[arg-type]
            raise ValueError("not_after lies before not_before")
        return self


class SequenceRule(Settings):
    """A column that must not fall along another one, within a group."""

    column: str = Field(description="Column that must not fall, such as a time.")
    along: str = Field(description="Column that gives the order, such as a number of events.")
    within: tuple[str, ...] = Field((), description="Columns of the group, such as a customer. Default: all rows.")
    max_share: float = Field(0.0, ge=0, lt=1, description=_MAX_SHARE)


class AcrossSplitsRule(Settings):
    """Rows of other splits that are in the training split too."""

    columns: tuple[str, ...] = Field((), description="Columns that make two rows the same. Default: all features.")
    max_share: float = Field(0.0, ge=0, lt=1, description="Largest share of a split's rows that training has too.")


class ConflictPolicy(Settings):
    """Rows alike in every feature and unlike in the label."""

    max_share: float | None = Field(
        None, ge=0, lt=1, description="Largest share of rows in conflict. Default: reported, never a failure."
    )


class LeakagePolicy(Settings):
    """Columns that predict the label almost alone."""

    max_auc: float = Field(
        0.97,
        gt=0.5,
        lt=1,
        description="Classes: largest held-out AUC of one column (several classes: the mean). An estimate"
        " beyond it fails.",
    )
    max_r2: float = Field(
        0.97,
        gt=0,
        lt=1,
        description="Regression: largest held-out R² of one column, on the ranks of the label. An estimate"
        " beyond it fails.",
    )
    sample_rows: int = Field(
        100_000, ge=1_000, description="About how many rows to look at, chosen by a hash of their example_id."
    )
    bins: int = Field(64, ge=4, le=1_024, description="Quantile bins of a number.")
    folds: int = Field(5, ge=2, le=20, description="Folds; a cluster stays in one.")
    exclude: tuple[str, ...] = Field(
        (), description="Features that are known before the outcome, however well they predict it: not looked at."
    )


class LabelRatePolicy(Settings):
    """How far the label's rate may differ from span to span."""

    by: Bucket = Field("split", description="Spans: the splits, or days, weeks, months… of roles.time (UTC).")
    column: str | None = Field(None, description="Column that names a row's span; takes the place of by.")
    tolerance: float = Field(
        0.05,
        gt=0,
        description="Largest difference of a span from the rest: of a class's share; regression: of the mean, in"
        " standard deviations of the label.",
    )
    min_rows: int = Field(100, ge=20, description="Spans with fewer rows are named and not judged.")


class IntegrityPolicy(Settings):
    """Policy of ``check_integrity``. A block that is false is not checked."""

    keys: tuple[KeyRule, ...] | None = Field((), description="Keys, beside roles.key. false: none, nor roles.key.")
    references: tuple[ReferenceRule, ...] = Field((), description="Foreign keys that must resolve.")
    categories: tuple[CategoryRule, ...] = Field((), description="Columns whose categories a table lists.")
    joins: tuple[JoinRule, ...] = Field((), description="Joins that must keep the number of rows.")
    order: tuple[OrderRule, ...] = Field((), description="Pairs of columns that come one after the other.")
    period: tuple[PeriodRule, ...] = Field((), description="Columns of moments that must lie within a span.")
    sequence: tuple[SequenceRule, ...] = Field((), description="Columns that must not fall within a group.")
    splits_in_time: bool = Field(False, description="No row of a split may be later than the next split begins.")
    across_splits: tuple[AcrossSplitsRule, ...] = Field((), description="Rows that two splits must not share.")
    conflicts: ConflictPolicy | None = Field(ConflictPolicy(max_share=None), description="Conflicting labels.")
    leakage: LeakagePolicy | None = Field(
        LeakagePolicy.model_validate({}), description="Columns that give the label away."
    )
    label_rate: LabelRatePolicy | None = Field(None, description="The label's rate by span. Default: not checked.")
    task: Literal["auto", "binary", "multiclass", "regression"] = Field(
        "auto", description="What the label is; auto goes by its type and values, as training does."
    )
    confidence: float = Field(0.95, gt=0.5, lt=1, description="Confidence of each block's intervals, all together.")
    examples: int = Field(5, ge=0, le=20, description="Most keys or categories to quote for each check.")
    readers: dict[str, ReaderOptions] = Field({}, description="Reference table → how to read its files.")
    memory_mb: int = Field(1_024, ge=64, description="Memory for counting, in MB; what is more goes to disk.")
    threads: int = Field(2, ge=1, le=64, description="Threads that count.")
    seed: int = Field(0, ge=0, le=2**31 - 1, description="Seed of samples and folds.")


def _require_as_many(columns: tuple[str, ...], references: tuple[str, ...]) -> None:
    if references and len(references) != len(columns):
        raise ValueError(f"references names {len(references)} columns for {len(columns)}; give as many")
