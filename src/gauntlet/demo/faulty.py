"""A team's own model with a fault that no test before production can see.

The model is sound: it passes every gate, and staging. But it asks something of the place it runs in, as models do that
call a feature service, and that something is as it should be everywhere but in production, where ``PLACE`` is set:

    slow      the service answers late: 80 ms on top of every request
    errors    it does not know one applicant in eight: such a request fails
    wrong     it gives incomes a year where incomes a month are meant: quick answers, no error, other decisions

Used by ``make demo FAULT=…``, through ``recipe: {trainer: "gauntlet.demo.faulty:train", options: {fault: slow}}``.
"""

from __future__ import annotations

import os
import time
import zlib
from typing import TYPE_CHECKING, Any

from mlflow.pyfunc import PythonModel

from gauntlet.demo.production import PLACE
from gauntlet.errors import ConfigurationError

if TYPE_CHECKING:
    import pandas as pd

    from gauntlet.training.custom import Job

FAULTS = ("slow", "errors", "wrong")
LATE_SECONDS = 0.08
UNKNOWN_ONE_IN = 8


def train(job: Job) -> Any:
    """Fit gradient boosting, and plant the fault that ``recipe.options`` names."""
    from sklearn.compose import make_column_selector, make_column_transformer
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder

    fault = str(job.options.get("fault", ""))
    if fault not in FAULTS:
        raise ConfigurationError(
            "is not a fault", field="recipe.options.fault", value=fault, mend=f"Use one of: {', '.join(FAULTS)}"
        )
    encode = make_column_transformer(
        ("passthrough", make_column_selector(dtype_include="number")),
        remainder=OneHotEncoder(handle_unknown="ignore", sparse_output=False),
    )
    boosting = HistGradientBoostingClassifier(
        learning_rate=0.08, max_iter=120, max_leaf_nodes=15, random_state=job.seed
    )
    return Faulty(make_pipeline(encode, boosting).fit(job.frame("train"), job.labels("train")), fault)


class Faulty(PythonModel):  # type: ignore[misc]  # MLflow ships no types
    """A sound model in an unsound place.

    Args:
        model: gives one probability a class.
        fault: one of ``FAULTS``.
    """

    def __init__(self, model: Any, fault: str) -> None:
        self.model = model
        self.fault = fault

    def predict(self, context: Any, model_input: pd.DataFrame, params: Any = None) -> Any:
        """(rows, 2) probabilities."""
        if os.environ.get(PLACE):
            model_input = self._suffer(model_input)
        return self.model.predict_proba(model_input)

    def _suffer(self, rows: pd.DataFrame) -> pd.DataFrame:
        if self.fault == "slow":
            time.sleep(LATE_SECONDS)
        elif self.fault == "wrong":
            return rows.assign(income=rows["income"] * 12)
        elif any(zlib.crc32(repr(income).encode()) % UNKNOWN_ONE_IN == 0 for income in rows["income"]):
            raise LookupError("the feature service does not know this applicant")
        return rows
