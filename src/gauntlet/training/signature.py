"""What a saved model says of itself to MLflow: its inputs and outputs, one typical row, the packages it needs."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

from gauntlet import __version__
from gauntlet.errors import InternalError
from gauntlet.training.frame import mlflow_type
from gauntlet.training.result import Training

if TYPE_CHECKING:
    import pandas as pd

_PACKAGES = ("mlflow", "numpy", "pandas", "pyarrow", "scikit-learn")
_XGBOOST_BUILDS = ("xgboost-cpu", "xgboost")


def signature_and_example(training: Training) -> tuple[Any, pd.DataFrame]:
    """MLflow signature, and one typical row that fits it.

    The row is made up of medians and most frequent categories, so that no person's data travels with the model.
    """
    import pandas as pd
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, Schema

    features, typical = training.plan.features, training.plan.typical
    inputs = Schema([ColSpec(mlflow_type(one), one.name, required=one.required) for one in features])
    names = training.plan.target.classes or ("prediction",)
    outputs = Schema([ColSpec("double", name) for name in names])
    row = {one.name: [_example_value(typical[one.name], mlflow_type(one))] for one in features}
    return ModelSignature(inputs=inputs, outputs=outputs), pd.DataFrame(row)


def requirements() -> list[str]:
    """The exact versions in this environment of what loading and scoring need."""
    packages = [f"{name}=={version(name)}" for name in _PACKAGES]
    return [*packages, xgboost_requirement(), f"kfp-gauntlet=={__version__}"]


def _example_value(value: Any, kind: str) -> Any:
    if kind == "double":
        return float(value)
    return int(value) if kind == "long" else value


def xgboost_requirement() -> str:
    """The distribution of XGBoost that is installed, with its version."""
    name = next((one for one in _XGBOOST_BUILDS if _installed(one)), None)
    if name is None:
        raise InternalError("no distribution of XGBoost is installed", field="xgboost")
    return f"{name}=={version(name)}"


def _installed(name: str) -> bool:
    try:
        version(name)
    except PackageNotFoundError:
        return False
    return True
