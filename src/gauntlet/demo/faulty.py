"""Custom model with a fault that appears in production only.

The model passes every gate, and staging. But it depends on its environment, as models do that call a feature service,
and that dependency is faulty only in production, where ``PLACE`` is set:

    slow      the service answers late: 200 ms on top of every request
    errors    it does not know one applicant in eight: such a request fails
    wrong     it gives incomes a year where incomes a month are meant: quick answers, no error, other decisions

Used by ``make demo FAULT=…``, through ``recipe: {trainer: "gauntlet.demo.faulty:train", options: {fault: slow}}``.
"""

from __future__ import annotations

import os
import time
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mlflow.pyfunc import PythonModel

from gauntlet.demo.production import PLACE
from gauntlet.errors import ConfigurationError

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from gauntlet.training.custom import Job

FAULTS = ("slow", "errors", "wrong")
LATE_SECONDS = 0.2
UNKNOWN_ONE_IN = 8


def train(job: Job) -> Any:
    """Fit a logistic regression, and plant the fault that ``recipe.options`` names."""
    from sklearn.linear_model import LogisticRegression

    fault = str(job.options.get("fault", ""))
    if fault not in FAULTS:
        raise ConfigurationError(
            "is not a fault", field="recipe.options.fault", value=fault, mend=f"Use one of: {', '.join(FAULTS)}"
        )
    frame = job.frame("train")
    encoding = Encoding.of(frame)
    fitted = LogisticRegression(max_iter=1000, random_state=job.seed).fit(encoding.matrix(frame), job.labels("train"))
    return Faulty(Logistic(encoding, fitted.coef_[0], float(fitted.intercept_[0])), fault)


@dataclass(frozen=True)
class Encoding:
    """Encoder of frames: standardized numbers, missing ones as the mean, one column per known category.

    Attributes:
        numbers: column → (mean, standard deviation).
        categories: column → its values.
    """

    numbers: Mapping[str, tuple[float, float]]
    categories: Mapping[str, tuple[str, ...]]

    @classmethod
    def of(cls, frame: pd.DataFrame) -> Encoding:
        """Fit the encoding on the training rows."""
        numeric = frame.select_dtypes("number")
        return cls(
            {name: (float(numeric[name].mean()), float(numeric[name].std())) for name in numeric},
            {name: tuple(sorted(frame[name].dropna().unique())) for name in frame if name not in numeric},
        )

    def matrix(self, frame: pd.DataFrame) -> np.ndarray:
        """(rows, features), finite."""
        import numpy as np

        numbers = [
            np.nan_to_num((frame[name].to_numpy(dtype=float) - mean) / scale)
            for name, (mean, scale) in self.numbers.items()
        ]
        known = [
            (frame[name].to_numpy(dtype=object) == value).astype(float)
            for name, values in self.categories.items()
            for value in values
        ]
        return np.column_stack([*numbers, *known])


@dataclass(frozen=True)
class Logistic:
    """Logistic regression without overhead, so that latency is the fault's alone."""

    encoding: Encoding
    weights: np.ndarray
    intercept: float

    def predict_proba(self, frame: pd.DataFrame) -> np.ndarray:
        """(rows, 2) probabilities."""
        import numpy as np

        positive = 1 / (1 + np.exp(-(self.encoding.matrix(frame) @ self.weights + self.intercept)))
        return np.column_stack([1 - positive, positive])


class Faulty(PythonModel):  # type: ignore[misc]  # MLflow ships no types
    """Model with a fault of its environment.

    Args:
        model: returns one probability per class.
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
