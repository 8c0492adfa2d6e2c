"""The record of a training run in MLflow: decided reachable before training starts, written when it has ended."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gauntlet.errors import ConfigurationError, DependencyError
from gauntlet.mlflow_uri import artifact_root, without_secrets
from gauntlet.training.threads import wait_asleep

TRACKING_URI = "MLFLOW_TRACKING_URI"
_LONGEST_PARAMETER = 6_000
_QUICK = {"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1", "MLFLOW_HTTP_REQUEST_TIMEOUT": "5"}


@dataclass(frozen=True)
class Experiment:
    """An experiment known to exist on a tracking server known to answer.

    Attributes:
        uri: the tracking server.
        id: the experiment's id there.
        name: its name.
    """

    uri: str
    id: str
    name: str


def tracking_uri() -> str:
    """Where runs are recorded, from ``MLFLOW_TRACKING_URI``.

    Raises:
        ConfigurationError: it is not set; MLflow would then write into the current folder and tell nobody.
    """
    uri = os.environ.get(TRACKING_URI, "").strip()
    if not uri:
        raise ConfigurationError(
            "is not set, so there is nowhere to record the run",
            field=TRACKING_URI,
            mend="Set it to your MLflow server, or to sqlite:////absolute/path/mlflow.db",
        )
    return uri


def open_experiment(uri: str, name: str) -> Experiment:
    """Find or make an experiment. Gives up within seconds when the server does not answer.

    Raises:
        ConfigurationError: an empty name.
        DependencyError: the server cannot be reached, or refuses.
    """
    if not name.strip():
        raise ConfigurationError("must not be empty", field="experiment", value=name, mend="Name the experiment")
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    wait_asleep()
    with _reaching(uri), _environment(_QUICK):
        from mlflow.exceptions import MlflowException
        from mlflow.tracking import MlflowClient

        client = MlflowClient(uri)
        found = client.get_experiment_by_name(name)
        if found is None:
            try:
                return Experiment(uri, str(client.create_experiment(name, artifact_root(uri, name))), name)
            except MlflowException:
                # Another task may have made it in between; only if it is still not there has creating failed.
                found = client.get_experiment_by_name(name)
                if found is None:
                    raise
        if found.lifecycle_stage != "active":
            raise ConfigurationError(
                "this experiment was deleted in MLflow", field="experiment", value=name, mend="Restore it, or rename"
            )
        return Experiment(uri, str(found.experiment_id), name)


def record(
    experiment: Experiment,
    *,
    parameters: Mapping[str, Any],
    metrics: Mapping[str, float],
    curves: Mapping[str, tuple[float, ...]],
    tags: Mapping[str, str],
    model: Path,
) -> str:
    """Write one finished run.

    Args:
        experiment: from ``open_experiment``.
        parameters: flat name → value.
        metrics: final values.
        curves: metric name → value a step.
        tags: digests and the like.
        model: the model folder, stored as the run's artifact ``model``.

    Returns:
        The run's id.

    Raises:
        DependencyError: the server stopped answering or refused.
    """
    import time

    with _reaching(experiment.uri):
        from mlflow.entities import Metric, Param, RunTag
        from mlflow.tracking import MlflowClient

        client = MlflowClient(experiment.uri)
        run = client.create_run(experiment.id, tags={key: str(value) for key, value in tags.items()}).info.run_id
        try:
            now = int(time.time() * 1000)
            client.log_batch(
                run,
                metrics=[Metric(name, value, now, 0) for name, value in metrics.items()],
                params=[Param(name, str(value)[:_LONGEST_PARAMETER]) for name, value in parameters.items()],
                tags=[RunTag("mlflow.runName", f"train_{tags.get('model_digest', run)[7:15]}")],
            )
            for name, values in curves.items():
                for start in range(0, len(values), 1000):
                    steps = enumerate(values[start : start + 1000], start)
                    client.log_batch(run, metrics=[Metric(name, value, now, step) for step, value in steps])
            client.log_artifacts(run, str(model), "model")
        except BaseException:
            client.set_terminated(run, "FAILED")
            raise
        client.set_terminated(run, "FINISHED")
        return str(run)


@contextmanager
def _reaching(uri: str) -> Iterator[None]:
    import sqlalchemy.exc
    from mlflow.exceptions import MlflowException

    try:
        yield
    except (MlflowException, sqlalchemy.exc.SQLAlchemyError, OSError) as error:
        clean = without_secrets(uri)
        raise DependencyError(
            f"MLflow does not answer at {clean}, or refuses: {str(error).splitlines()[0].replace(uri, clean)[:300]}",
            field=TRACKING_URI,
            mend="Check that the server is up and reachable from here, and the credentials; then run again",
            retryable=True,
        ) from (error if clean == uri else None)  # MLflow's own message repeats the password


@contextmanager
def _environment(values: Mapping[str, str]) -> Iterator[None]:
    """Set variables that the user has not set, for the length of the block."""
    added = {key: value for key, value in values.items() if key not in os.environ}
    os.environ.update(added)
    try:
        yield
    finally:
        for key in added:
            del os.environ[key]
