"""The record of a training run in MLflow: decided reachable before training starts, written when it has ended.

By then a model may have taken hours. So one parameter that MLflow refuses is left out of the record, and said; the rest
is recorded, and ``recipe.json`` beside the model holds every setting whatever MLflow takes for a name.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gauntlet.errors import ConfigurationError, DependencyError, GauntletError, InternalError
from gauntlet.mlflow_uri import artifact_root, connection_failure, refusal, refuses_account, without_secrets
from gauntlet.training.threads import wait_asleep

TRACKING_URI = "MLFLOW_TRACKING_URI"
_LONGEST_PARAMETER = 6_000
RECIPE_FILE = "recipe.json"
_QUICK = {"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1", "MLFLOW_HTTP_REQUEST_TIMEOUT": "5"}

log = logging.getLogger(__name__)


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
        ConfigurationError: an empty name, or one that the server refuses.
        DependencyError: the server cannot be reached, fails, or refuses the account.
    """
    if not name.strip():
        raise ConfigurationError("must not be empty", field="experiment", value=name, mend="Name the experiment")
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    wait_asleep()

    def refused(words: str) -> GauntletError:
        return ConfigurationError(
            f"MLflow refuses it: {words}",
            field="experiment",
            value=name,
            mend=f"Name another, or check that an MLflow server is what answers at {without_secrets(uri)}",
        )

    with _asking(uri, refused), _environment(_QUICK):
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
    recipe: Mapping[str, Any],
    metrics: Mapping[str, float],
    curves: Mapping[str, tuple[float, ...]],
    tags: Mapping[str, str],
    model: Path,
) -> str:
    """Write one finished run.

    Args:
        experiment: from ``open_experiment``.
        parameters: flat name → value.
        recipe: all settings as they are, for the artifact ``recipe.json``.
        metrics: final values.
        curves: metric name → value a step.
        tags: digests and the like.
        model: the model folder, stored as the run's artifact ``model``.

    Returns:
        The run's id.

    Raises:
        DependencyError: the server stopped answering, fails, or refuses the account.
        InternalError: it refuses the run itself. A single parameter, metric or tag that it refuses is left out.
    """
    import time

    def refused(words: str) -> GauntletError:
        return InternalError(f"MLflow refuses the record of this run: {words}", field=experiment.name)

    with _asking(experiment.uri, refused):
        from mlflow.entities import Metric, Param, RunTag
        from mlflow.tracking import MlflowClient

        client = MlflowClient(experiment.uri)
        run = str(client.create_run(experiment.id).info.run_id)
        try:
            client.log_artifacts(run, str(model), "model")
            client.log_dict(run, dict(recipe), RECIPE_FILE)
            now = int(time.time() * 1000)
            name = f"train_{tags.get('model_digest', run)[7:15]}"
            _log(client, run, tags=[RunTag(key, str(one)) for key, one in {**tags, "mlflow.runName": name}.items()])
            _log(client, run, params=[Param(key, str(one)[:_LONGEST_PARAMETER]) for key, one in parameters.items()])
            _log(client, run, metrics=[Metric(key, one, now, 0) for key, one in metrics.items()])
            for key, values in curves.items():
                for start in range(0, len(values), 1000):
                    steps = enumerate(values[start : start + 1000], start)
                    _log(client, run, metrics=[Metric(key, one, now, step) for step, one in steps])
        except BaseException:
            with suppress(Exception):  # the error that brought us here is the one to report
                client.set_terminated(run, "FAILED")
            raise
        client.set_terminated(run, "FINISHED")
        return run


def _log(client: Any, run: str, **entities: Sequence[Any]) -> None:
    """Log entities of one kind together; if MLflow refuses one of them, each alone, and say which it refuses."""
    from mlflow.exceptions import MlflowException

    try:
        client.log_batch(run, **entities)
    except MlflowException as error:
        if refusal(error) is None or refuses_account(error):
            raise
    else:
        return
    for kind, every in entities.items():
        for one in every:
            try:
                client.log_batch(run, **{kind: [one]})
            except MlflowException as error:
                words = refusal(error)
                if words is None or refuses_account(error):
                    raise
                log.warning("MLflow does not take %s %r, so the run lacks it: %s", kind, one.key, words)


@contextmanager
def _asking(uri: str, refused: Callable[[str], GauntletError]) -> Iterator[None]:
    """Say whether MLflow cannot be reached, fails, or refuses what it is asked, which only ``refused`` can name."""
    import sqlalchemy.exc
    from mlflow.exceptions import MlflowException

    try:
        yield
    except (MlflowException, sqlalchemy.exc.SQLAlchemyError, OSError) as error:
        clean = without_secrets(uri)
        # MLflow's own message repeats the password.
        cause = error if clean == uri else None
        words = (refusal(error) or " ".join(str(error).split())).replace(uri, clean)[:300]
        if refuses_account(error):
            raise DependencyError(
                f"MLflow refuses this account at {clean}: {words}",
                field=TRACKING_URI,
                mend="Check its credentials and permissions",
            ) from cause
        if refusal(error) is not None:
            raise refused(words) from cause
        unreachable = connection_failure(error)
        raise DependencyError(
            f"MLflow does not answer at {clean}: {unreachable}" if unreachable else f"MLflow fails at {clean}: {words}",
            field=TRACKING_URI,
            mend="Check that the server is up and reachable from here; then run again",
            retryable=True,
        ) from cause


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
