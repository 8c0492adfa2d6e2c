"""Publishes a training result: writes the model folder and records the MLflow run."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gauntlet.digest import digest_tree
from gauntlet.settings import Settings
from gauntlet.training.bundle import save
from gauntlet.training.result import Training
from gauntlet.training.tracking import Experiment, record


@dataclass(frozen=True)
class Published:
    """Identifiers of a published model.

    Attributes:
        digest: the model's content digest.
        run: id of its MLflow run.
        experiment: name of the experiment.
        scalars: metadata of the model artifact.
    """

    digest: str
    run: str
    experiment: str
    scalars: Mapping[str, str | int | float]


def publish(training: Training, destination: Path, experiment: Experiment, *, schema: Path) -> Published:
    """Write the model folder and record the run.

    Args:
        training: the training result.
        destination: the model folder to create.
        experiment: from ``open_experiment``.
        schema: the schema artifact, for its digest.

    Raises:
        DependencyError: MLflow does not respond; the model folder is then removed again. A single name or value that
            it rejects is left out with a warning in the log.
    """
    schema_digest = digest_tree(schema)
    digest = save(training, destination, contract_digest=schema_digest)
    run = _record(training, destination, experiment, digest, schema_digest)
    target = training.plan.target
    scalars: dict[str, str | int | float] = {
        "digest": digest,
        "task": target.task,
        "device": training.device.name,
        "device_reason": training.device.reason,
        "seed": training.seeds[0],
        "rounds": training.rounds,
        "mlflow_run": run,
    }
    return Published(digest, run, experiment.name, scalars)


def _record(training: Training, folder: Path, experiment: Experiment, digest: str, schema_digest: str) -> str:
    import shutil

    try:
        return record(
            experiment,
            parameters=flat_parameters(training),
            recipe=training.recipe.model_dump(mode="json"),
            metrics={
                **{f"validation_{name}": value for name, value in training.metrics.items()},
                **{
                    f"seed_sd_{name}": float(spread["standard_deviation"])
                    for name, spread in training.seed_spread.items()
                },
            },
            curves={f"{name}_{training.watched}_by_round": values for name, values in training.curve.items()},
            tags={
                "model_digest": digest,
                "snapshot_digest": training.snapshot.digest,
                "schema_digest": schema_digest,
                "recipe_digest": training.recipe_digest,
                "device": training.device.name,
                "device_reason": training.device.reason,
            },
            model=folder,
        )
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def flat_parameters(training: Training) -> dict[str, Any]:
    """Flatten the recipe with all defaults, nested names joined by dots, and add what training determined.

    Only Gauntlet's own names become parameter names. A mapping with a user's keys (``monotone``, ``options``) is one
    parameter, as JSON: MLflow rejects names such as ``temp (C)``, and more than a hundred parameters.
    """
    flat: dict[str, Any] = {}

    def add(settings: Settings, prefix: str) -> None:
        for name, value in settings.model_dump(mode="json").items():
            inner = getattr(settings, name)
            if isinstance(inner, Settings):
                add(inner, f"{prefix}{name}.")
            elif isinstance(value, Mapping):
                flat[prefix + name] = json.dumps(value, ensure_ascii=False, sort_keys=True)
            else:
                flat[prefix + name] = value

    add(training.recipe, "")
    settled = {
        "settled.task": training.plan.target.task,
        "settled.device": training.device.name,
        "settled.rounds": training.rounds,
        "seeds": ",".join(map(str, training.seeds)),
    }
    return {**flat, **settled}
