"""Custom trainer: a team's own training function in place of XGBoost, ``trainer: "module:function"``.

The function takes one ``Job`` and returns either

* a fitted scikit-learn estimator that takes a DataFrame of the raw feature columns; ``predict_proba`` with
  columns in the order of ``job.classes`` for a classifier, ``predict`` for a regressor; or
* an ``mlflow.pyfunc.PythonModel`` whose ``predict(model_input)`` returns the same as a NumPy array.

    def train(job):
        pipeline = make_pipeline(OneHotEncoder(handle_unknown="ignore"), LogisticRegression(random_state=job.seed))
        return pipeline.fit(job.frame("train"), job.labels("train"))

It must depend on the job alone, so that equal seeds give equal models. Missing values are ``None`` in text columns and
NaN in numbers. The function's module is pickled with the model by value: loading the model needs the libraries that
the module imports, not the module itself. For a local run, name the module's folder with ``gauntlet run --code``; for
a cluster, put it into an image built on the model image and onto its ``PYTHONPATH``.
"""

from __future__ import annotations

import importlib
import logging
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gauntlet.data.contract import Contract
from gauntlet.data.snapshot import Snapshot
from gauntlet.errors import ConfigurationError, DataError, GauntletError
from gauntlet.training.device import Device
from gauntlet.training.frame import frame_of, mlflow_types
from gauntlet.training.matrix import check_weights
from gauntlet.training.metrics import measure
from gauntlet.training.plan import Plan
from gauntlet.training.recipe import Recipe
from gauntlet.training.result import Training, positive_scores
from gauntlet.training.signature import requirements, signature_and_example

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd


log = logging.getLogger(__name__)
_MEND_CODE = "Mend the code; its traceback is in the task's log"


@dataclass(frozen=True)
class Job:
    """Argument of a custom trainer: data, schema, options, seed and device.

    Attributes:
        snapshot: the data; ``frame``, ``labels`` and ``weights`` read it into memory, its ``batches`` stream.
        contract: the schema in plain terms.
        options: the recipe's ``options`` as written; a whole number is an ``int``.
        task: ``binary | multiclass | regression``.
        classes: label values in code order; () for regression.
        features: the feature columns, in order.
        seed: the seed for every source of randomness.
        device: ``cuda`` or ``cpu``; it is available.
    """

    snapshot: Snapshot
    contract: Contract
    options: Mapping[str, Any]
    task: str
    classes: tuple[str, ...]
    features: tuple[str, ...]
    seed: int
    device: str
    _plan: Plan

    def frame(self, split: str) -> pd.DataFrame:
        """Features of a split, in memory."""
        rows = self.snapshot.table(split, list(self.features)).combine_chunks().to_batches()[0]
        return frame_of(rows, mlflow_types(self._plan.features))

    def labels(self, split: str) -> np.ndarray:
        """Labels of a split: codes into ``classes`` (int32), or values (float64)."""
        column = self._plan.target.column
        return self._plan.target.encode(
            self.snapshot.table(split, [column])[column].combine_chunks(), where=f"split {split}"
        )

    def weights(self, split: str) -> np.ndarray | None:
        """Example weights of a split; ``None`` if none are declared."""
        name = self._plan.weight
        return check_weights(self.snapshot.table(split, [name])[name].combine_chunks(), name) if name else None


def resolve(trainer: str, field: str = "recipe.trainer") -> Callable[..., Any]:
    """Import ``module:function``.

    Args:
        trainer: name of a custom trainer, or of other code of the team.
        field: the setting that names it, for messages.

    Raises:
        ConfigurationError: no such module or function, or its import fails.
    """
    module_name, _, function_name = trainer.partition(":")
    try:
        function = getattr(importlib.import_module(module_name), function_name, None)
    except ImportError as error:
        raise ConfigurationError(
            f"cannot be imported: {error}",
            field=field,
            value=trainer,
            mend="Name its folder with gauntlet run --code; on a cluster, put it into the model image",
        ) from error
    except Exception as error:  # whatever the team's module does when it is imported
        raise ConfigurationError(
            f"cannot be imported: {_said(error)}", field=field, value=trainer, mend=_MEND_CODE
        ) from error
    if not callable(function):
        raise ConfigurationError(
            f"module {module_name} has no function of this name",
            field=field,
            value=trainer,
            mend="Correct the name",
        )
    return function  # type: ignore[no-any-return]  # callable, checked


def call_trainer(function: Callable[..., Any], job: Job, trainer: str) -> Any:
    """Run the team's function.

    Raises:
        ConfigurationError: it raised something; the team's code or the recipe's options have to be mended.
    """
    try:
        return function(job)
    except (GauntletError, MemoryError):
        raise
    except Exception as error:  # the team's code may raise anything
        given = f" (options: {dict(job.options)})" if job.options else ""
        raise ConfigurationError(
            f"raised {_said(error)}{given}", field="recipe.trainer", value=trainer, mend=_MEND_CODE
        ) from error


def _said(error: Exception) -> str:
    """Name of an error and the first line of what it says."""
    first = (str(error).strip().splitlines() or [""])[0]
    return f"{type(error).__name__}: {first}" if first else type(error).__name__


def train_custom(
    snapshot: Snapshot,
    contract: Contract,
    recipe: Recipe,
    plan: Plan,
    *,
    seeds: tuple[int, ...],
    device: Device,
    validated: bool,
) -> Training:
    """Run the custom trainer once per seed and evaluate its models; arguments and result as ``trainer.train``."""
    function = resolve(recipe.trainer)
    models, measured = [], []
    for seed in seeds:
        job = Job(
            snapshot,
            contract,
            recipe.options,
            plan.target.task,
            plan.target.classes,
            tuple(plan.names),
            seed,
            device.name,
            plan,
        )
        model = call_trainer(function, job, recipe.trainer)
        models.append(model)
        log.info("seed %d: %s returned %s", seed, recipe.trainer, type(model).__name__)
        if validated:
            split = recipe.validation_split
            scores = check_scores(score_custom(model, job.task, job.frame(split)), job)
            measured.append(
                measure(plan.target, job.labels(split), positive_scores(job.task, scores), job.weights(split))
            )
    splits = (recipe.train_split, recipe.validation_split) if validated else (recipe.train_split,)
    return Training(
        plan=plan,
        recipe=recipe,
        estimator=models[0],
        booster=None,
        device=device,
        seeds=seeds,
        measured=tuple(measured),
        curve={},
        watched="",
        rounds=0,
        importance={},
        rows={name: snapshot.splits[name] for name in splits},
        notes=(*plan.notes, f"Trained by {recipe.trainer}; recipe.parameters do not apply to it."),
        snapshot=snapshot,
    )


def score_custom(model: Any, task: str, frame: pd.DataFrame) -> np.ndarray:
    """Score rows with a custom trainer's model.

    Raises:
        ConfigurationError: the model has neither of the two interfaces, or raised something.
    """
    import numpy as np

    method: Any = getattr(model, "predict" if task == "regression" else "predict_proba", None)
    if _is_python_model(model):
        method = partial(model.predict, None)
    if method is None:
        raise ConfigurationError(
            f"returned a {type(model).__name__}, which cannot score a {task} task",
            field="recipe.trainer",
            mend="Return an estimator with predict_proba (predict for regression) or an mlflow PythonModel",
        )
    try:
        return np.asarray(method(frame))
    except (GauntletError, MemoryError):
        raise
    except Exception as error:  # the team's model may raise anything
        message = f"the trainer's model cannot score: {_said(error)}"
        raise ConfigurationError(message, field="recipe.trainer", mend=_MEND_CODE) from error


def check_scores(scores: np.ndarray, job: Job) -> np.ndarray:
    """Check that scores have the right shape and are finite.

    Raises:
        DataError: they do not, or are not.
    """
    import numpy as np

    expected = (len(scores), len(job.classes)) if job.classes else (len(scores),)
    if scores.shape != expected:
        raise DataError(
            f"the trainer's model gives scores of shape {scores.shape}; {expected} is required",
            field="recipe.trainer",
            mend="Return one probability a class in the order of job.classes, or one value a row for regression",
        )
    if not np.isfinite(scores).all():
        raise DataError(
            "the trainer's model gives scores that are not finite", field="recipe.trainer", mend="Return finite scores"
        )
    return scores


def save_custom(training: Training, folder: Path, metadata: dict[str, Any]) -> None:
    """Write the custom trainer's model in its MLflow flavor, with its module pickled by value."""
    import cloudpickle
    import mlflow.pyfunc
    import mlflow.sklearn

    signature, example = signature_and_example(training)
    options = {
        "path": str(folder),
        "signature": signature,
        "input_example": example,
        "pip_requirements": requirements(),
        "metadata": metadata,
    }
    module = sys.modules[training.recipe.trainer.partition(":")[0]]
    cloudpickle.register_pickle_by_value(module)
    try:
        if _is_python_model(training.estimator):
            mlflow.pyfunc.save_model(python_model=training.estimator, **options)
        else:
            method = "predict" if training.plan.target.task == "regression" else "predict_proba"
            mlflow.sklearn.save_model(
                training.estimator, serialization_format="cloudpickle", pyfunc_predict_fn=method, **options
            )
    finally:
        cloudpickle.unregister_pickle_by_value(module)


def _is_python_model(model: Any) -> bool:
    from mlflow.pyfunc import PythonModel

    return isinstance(model, PythonModel)
