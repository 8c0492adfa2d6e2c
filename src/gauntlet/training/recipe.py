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
    learning_rate: Fraction = Field(0.1, description="How much of each tree is added; less needs more rounds.")
    max_depth: int = Field(6, ge=0, le=64, description="Depth of each tree. 0: unlimited (with grow_policy lossguide).")
    max_leaves: int = Field(0, ge=0, description="Leaves of each tree. 0: unlimited.")
    grow_policy: Literal["depthwise", "lossguide"] = Field(
        "depthwise", description="Split level by level, or where the loss falls most."
    )
    max_bin: int = Field(256, ge=2, le=65_535, description="Bins of a number in which splits are looked for.")
    min_child_weight: NonNegative = Field(1.0, description="Least sum of weights (hessians) in a leaf.")
    gamma: NonNegative = Field(0.0, description="Least fall of the loss that a split has to bring.")
    subsample: Fraction = Field(0.8, description="Share of rows drawn for each tree.")
    colsample_bytree: Fraction = Field(0.8, description="Share of columns drawn for each tree.")
    colsample_bylevel: Fraction = Field(1.0, description="Share of those drawn for each level.")
    colsample_bynode: Fraction = Field(1.0, description="Share of those drawn for each split.")
    reg_alpha: NonNegative = Field(0.0, description="L1 penalty on the values of leaves.")
    reg_lambda: NonNegative = Field(1.0, description="L2 penalty on the values of leaves.")
    max_delta_step: NonNegative = Field(0.0, description="Most a leaf may add; 0: unlimited.")
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

    task: Literal["auto", "binary", "multiclass", "regression"] = Field(
        "auto", description="What the label is; auto goes by its type and values."
    )
    parameters: Parameters = Field(Parameters.model_validate({}), description="XGBoost's parameters, by its names.")
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
    features: Features = Field(Features.model_validate({}), description="Which columns to learn from.")
    train_split: str = Field("train", min_length=1, description="Split to learn from.")
    validation_split: str = Field("validation", min_length=1, description="Split that early stopping goes by.")
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
