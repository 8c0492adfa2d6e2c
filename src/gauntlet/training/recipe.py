"""Training recipe: the settings of ``train_model``."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from gauntlet.settings import Settings

Fraction = Annotated[float, Field(gt=0, le=1)]
NonNegative = Annotated[float, Field(ge=0)]


class Parameters(Settings):
    """XGBoost parameters, by XGBoost's names. The defaults suit tables of a thousand to a few million rows."""

    n_estimators: int = Field(300, ge=1, le=100_000, description="Most boosting rounds; early stopping may use fewer.")
    learning_rate: Fraction = 0.1
    max_depth: int = Field(6, ge=0, le=64, description="0: unlimited (with grow_policy lossguide).")
    max_leaves: int = Field(0, ge=0, description="0: unlimited.")
    grow_policy: Literal["depthwise", "lossguide"] = "depthwise"
    max_bin: int = Field(256, ge=2, le=65_535)
    min_child_weight: NonNegative = 1.0
    gamma: NonNegative = 0.0
    subsample: Fraction = Field(0.8, description="Share of rows drawn for each tree.")
    colsample_bytree: Fraction = 0.8
    colsample_bylevel: Fraction = 1.0
    colsample_bynode: Fraction = 1.0
    reg_alpha: NonNegative = 0.0
    reg_lambda: NonNegative = 1.0
    max_delta_step: NonNegative = 0.0
    scale_pos_weight: float = Field(1.0, gt=0, description="Weight of positives; it distorts probabilities.")
    max_cat_to_onehot: int = Field(4, ge=1, description="Up to so many categories are split one against the rest.")
    max_cat_threshold: int = Field(64, ge=1, description="Most categories on one side of a split.")

    @property
    def random(self) -> bool:
        """Whether the seed influences the model."""
        return min(self.subsample, self.colsample_bytree, self.colsample_bylevel, self.colsample_bynode) < 1


class Features(Settings):
    """Feature selection among the schema's columns that have no other role."""

    include: tuple[str, ...] = Field((), description="Only these; empty: all.")
    exclude: tuple[str, ...] = Field((), description="Not these.")
    max_categories: int = Field(1_000, ge=2, description="Only the most frequent categories of a column count.")


class Recipe(Settings):
    """Recipe for training a model."""

    task: Literal["auto", "binary", "multiclass", "regression"] = "auto"
    parameters: Parameters = Parameters.model_validate({})
    early_stopping_rounds: int = Field(
        20, ge=0, description="Stop after so many rounds without improvement on the validation split; 0: never."
    )
    metric: Literal["auto", "log_loss", "auc", "rmse", "mae"] = Field(
        "auto", description="Metric of early stopping. auto: log_loss for classes, rmse for numbers."
    )
    objective: Literal["auto", "squared_error", "absolute_error", "gamma", "poisson", "tweedie"] = Field(
        "auto", description="The loss; only regression has a choice. auto: squared_error."
    )
    monotone: dict[str, Annotated[int, Field(ge=-1, le=1)]] = Field(
        {}, description="Numeric feature → 1: the score may only rise with it; -1: only fall."
    )
    features: Features = Features.model_validate({})
    train_split: str = Field("train", min_length=1)
    validation_split: str = Field("validation", min_length=1)
    trainer: str = Field(
        "",
        pattern=r"^$|^[A-Za-z_][\w.]*:[A-Za-z_]\w*$",
        description="The team's own training function as module:function; see gauntlet.training.custom.",
    )
    options: dict[str, object] = Field({}, description="Passed to the team's own trainer unchanged.")

    @model_validator(mode="after")
    def _consistent(self) -> Recipe:
        if self.options and not self.trainer:
            raise ValueError("options belong to a custom trainer; XGBoost's settings belong under parameters")
        if self.train_split == self.validation_split:
            raise ValueError("train_split and validation_split must differ")
        both = sorted(set(self.features.include) & set(self.features.exclude))
        if both:
            raise ValueError(f"features.include and features.exclude both name {both[0]!r}")
        if self.parameters.max_depth == 0 and self.parameters.grow_policy != "lossguide":
            raise ValueError("parameters.max_depth 0 (unlimited) needs parameters.grow_policy lossguide")
        return self
