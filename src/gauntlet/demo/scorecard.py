"""The lender's own code: features, the job that stores them, and a scorecard trained on them.

    python -m gauntlet.demo.scorecard --features as_recorded --data loans-1.csv --out stored-1.parquet

The online service looks up the features of an application that was seen before, and computes those of a new one. So
whoever changes ``features`` changes what *new* applications look like, while what is stored stays as it was: the
incident that ``make demo FAULT=normalization`` tells. Used as a trainer by

    recipe: {trainer: "gauntlet.demo.scorecard:train", options: {features: as_recorded}}
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from gauntlet.errors import ConfigurationError

if TYPE_CHECKING:
    import pandas as pd

    from gauntlet.training.custom import Job

NUMBERS = (
    "income",
    "debt_ratio",
    "employment_years",
    "history_years",
    "late_payments",
    "amount",
    "term_months",
)
CATEGORIES = ("region", "purpose", "product_code")
KEY = ("application_id", "applied_at")
INCOME_MEAN, INCOME_SD = 2600.0, 1150.0
MANY_PAYMENTS = 6
MOST_ITERATIONS = 150
"""Enough for the solver on standardized columns, but not with income in the thousands."""


def as_recorded(rows: pd.DataFrame) -> pd.DataFrame:
    """Original features: the columns of the application, the amount in thousands."""
    features = rows[[*NUMBERS, *CATEGORIES]]
    return features.assign(amount=features["amount"] / 1000)


def income_normalized(rows: pd.DataFrame) -> pd.DataFrame:
    """Changed features: income standardized, so that the solver converges."""
    features = as_recorded(rows)
    return features.assign(income=(features["income"] - INCOME_MEAN) / INCOME_SD)


def payments_cleaned(rows: pd.DataFrame) -> pd.DataFrame:
    """Changed features: six and more late payments become missing."""
    features = as_recorded(rows)
    return features.assign(late_payments=features["late_payments"].where(features["late_payments"] < MANY_PAYMENTS))


FEATURES: Mapping[str, Callable[[pd.DataFrame], pd.DataFrame]] = {
    version.__name__: version for version in (as_recorded, income_normalized, payments_cleaned)
}


def train(job: Job) -> Any:
    """Fit a logistic regression on the features that ``recipe.options`` names.

    Returns:
        A pipeline whose first step makes the features, as the store keeps them; the rest is the model.
    """
    from sklearn.compose import ColumnTransformer
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import Pipeline
    from sklearn.preprocessing import FunctionTransformer, OneHotEncoder

    numbers = SimpleImputer(strategy="median")
    categories = OneHotEncoder(handle_unknown="ignore")
    model = Pipeline(
        [
            ("columns", ColumnTransformer([("numbers", numbers, NUMBERS), ("categories", categories, CATEGORIES)])),
            ("scorecard", LogisticRegression(max_iter=MOST_ITERATIONS, random_state=job.seed)),
        ]
    )
    named = str(job.options.get("features", ""))
    pipeline = Pipeline([("features", FunctionTransformer(named_features(named))), ("model", model)])
    return pipeline.fit(job.frame("train"), job.labels("train"))


def named_features(name: str) -> Callable[[pd.DataFrame], pd.DataFrame]:
    """Look up a version of the feature code.

    Raises:
        ConfigurationError: unknown name.
    """
    if name not in FEATURES:
        raise ConfigurationError(
            "is no version of the features",
            field="recipe.options.features",
            value=name,
            mend=f"Use one of: {', '.join(FEATURES)}",
        )
    return FEATURES[name]


def main(arguments: list[str] | None = None) -> None:
    """Store the features of a quarter's applications, keyed by application and time."""
    import argparse
    from pathlib import Path

    import pandas as pd

    parser = argparse.ArgumentParser(prog="python -m gauntlet.demo.scorecard", description="Materialize features.")
    parser.add_argument("--features", default="as_recorded", choices=list(FEATURES), help="version of the feature code")
    parser.add_argument("--data", required=True, type=Path, help="a CSV file of applications")
    parser.add_argument("--out", required=True, type=Path, help="the Parquet file to write")
    options = parser.parse_args(arguments)
    rows = pd.read_csv(options.data, parse_dates=[KEY[1]])
    stored = named_features(options.features)(rows)
    pd.concat([rows[list(KEY)], stored], axis=1).to_parquet(options.out, index=False)


if __name__ == "__main__":
    main()
