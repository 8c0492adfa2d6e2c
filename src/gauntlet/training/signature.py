"""MLflow signature, input example and package requirements of a saved model."""

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
    """Build the MLflow signature and an input example.

    The example is synthetic, of medians and most frequent categories, so that the model contains no personal data.
    """
    import pandas as pd
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, Schema

    features, typical = training.plan.features, training.plan.typical
    inputs = Schema([ColSpec(mlflow_type(feature), feature.name, required=feature.required) for feature in features])
    names = training.plan.target.classes or ("prediction",)
    outputs = Schema([ColSpec("double", name) for name in names])
    row = {feature.name: [_example_value(typical[feature.name], mlflow_type(feature))] for feature in features}
    return ModelSignature(inputs=inputs, outputs=outputs), pd.DataFrame(row)


def requirements() -> list[str]:
    """Packages that loading and scoring need, pinned to the versions in this environment."""
    packages = [f"{name}=={version(name)}" for name in _PACKAGES]
    return [*packages, xgboost_requirement(), f"kfp-gauntlet=={__version__}"]


def _example_value(value: Any, kind: str) -> Any:
    if kind == "double":
        return float(value)
    return int(value) if kind == "long" else value


def xgboost_requirement() -> str:
    """Installed distribution of XGBoost, with its version."""
    name = next((build for build in _XGBOOST_BUILDS if _installed(build)), None)
    if name is None:
        raise InternalError("no distribution of XGBoost is installed", field="xgboost")
    return f"{name}=={version(name)}"


def _installed(name: str) -> bool:
    try:
        version(name)
    except PackageNotFoundError:
        return False
    return True
