"""A finished training made public: the model folder, and the run in MLflow."""

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
    """Where a model went.

    Attributes:
        digest: the model's content digest.
        run: id of its MLflow run.
        experiment: name of the experiment.
        scalars: what to say about the model in an artifact's metadata.
    """

    digest: str
    run: str
    experiment: str
    scalars: Mapping[str, str | int | float]


def publish(training: Training, destination: Path, experiment: Experiment, *, schema: Path) -> Published:
    """Write the model folder and record the run.

    Args:
        training: what was trained.
        destination: the model folder to become.
        experiment: from ``open_experiment``.
        schema: the schema artifact, for its digest.

    Raises:
        DependencyError: MLflow stopped answering; the model folder is then removed again. A name or value that it
            refuses costs no model: it is left out, and said in the log.
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
                **{f"seed_sd_{name}": float(one["standard_deviation"]) for name, one in training.seed_spread.items()},
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
    """The recipe with every default written out, nested names joined by dots, and what was settled in training.

    Only Gauntlet's own names become names of parameters. A mapping whose keys are a user's (``monotone``, ``options``)
    is one parameter, as JSON: MLflow refuses ``temp (C)`` as a name, and more than a hundred of them.
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
