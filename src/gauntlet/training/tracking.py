"""MLflow tracking: checks the server before training, records the run after it.

Training may have taken hours by then, so a single parameter that MLflow rejects is left out with a warning; the rest is
recorded, and the artifact ``recipe.json`` holds every setting whatever names MLflow accepts.
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
from gauntlet.mlflow_uri import (
    artifact_root,
    connection_failure,
    one_at_a_time,
    refusal,
    refuses_account,
)
from gauntlet.redaction import without_secrets
from gauntlet.training.threads import use_passive_wait

TRACKING_URI = "MLFLOW_TRACKING_URI"
_LONGEST_PARAMETER = 6_000
RECIPE_FILE = "recipe.json"
_FAIL_FAST = {"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1", "MLFLOW_HTTP_REQUEST_TIMEOUT": "5"}

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Experiment:
    """Existing experiment on a reachable tracking server.

    Attributes:
        uri: URI of the tracking server.
        id: the experiment's id.
        name: its name.
    """

    uri: str
    id: str
    name: str


def tracking_uri() -> str:
    """Read the tracking URI from ``MLFLOW_TRACKING_URI``.

    Raises:
        ConfigurationError: it is not set; MLflow would silently write into the current folder.
    """
    uri = os.environ.get(TRACKING_URI, "").strip()
    if not uri:
        raise ConfigurationError(
            "is not set, so the run cannot be recorded",
            field=TRACKING_URI,
            mend="Set it to your MLflow server, or to sqlite:////absolute/path/mlflow.db",
        )
    return uri


def open_experiment(uri: str, name: str) -> Experiment:
    """Get or create an experiment, with a timeout of a few seconds.

    Raises:
        ConfigurationError: the name is empty, or the server rejects it.
        DependencyError: the server is unreachable, fails, or denies the account.
    """
    if not name.strip():
        raise ConfigurationError("must not be empty", field="experiment", value=name, mend="Name the experiment")
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    use_passive_wait()

    def rejected(reason: str) -> GauntletError:
        return ConfigurationError(
            f"MLflow rejects it: {reason}",
            field="experiment",
            value=name,
            mend=f"Use another name, or check that {without_secrets(uri)} is an MLflow server",
        )

    with _translate_errors(uri, rejected), _environment(_FAIL_FAST):
        from mlflow.exceptions import MlflowException
        from mlflow.tracking import MlflowClient

        with one_at_a_time(uri):
            client = MlflowClient(uri)
        existing = client.get_experiment_by_name(name)
        if existing is None:
            try:
                return Experiment(uri, str(client.create_experiment(name, artifact_root(uri, name))), name)
            except MlflowException:
                # Another task may have created it in between.
                existing = client.get_experiment_by_name(name)
                if existing is None:
                    raise
        if existing.lifecycle_stage != "active":
            raise ConfigurationError(
                "this experiment was deleted in MLflow",
                field="experiment",
                value=name,
                mend="Restore it, or use another name",
            )
        return Experiment(uri, str(existing.experiment_id), name)


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
    """Record one finished run.

    Args:
        experiment: from ``open_experiment``.
        parameters: flat name → value.
        recipe: all settings, for the artifact ``recipe.json``.
        metrics: final values.
        curves: metric name → value per step.
        tags: tags of the run, such as digests.
        model: the model folder, stored as the run's artifact ``model``.

    Returns:
        The run's id.

    Raises:
        DependencyError: the server does not respond, fails, or denies the account.
        InternalError: it rejects the run itself. A single rejected parameter, metric or tag is left out.
    """
    import time

    def rejected(reason: str) -> GauntletError:
        return InternalError(f"MLflow rejects the record of this run: {reason}", field=experiment.name)

    with _translate_errors(experiment.uri, rejected):
        from mlflow.entities import Metric, Param, RunTag
        from mlflow.tracking import MlflowClient

        client = MlflowClient(experiment.uri)
        run = str(client.create_run(experiment.id).info.run_id)
        try:
            client.log_artifacts(run, str(model), "model")
            client.log_dict(run, dict(recipe), RECIPE_FILE)
            now = int(time.time() * 1000)
            name = f"train_{tags.get('model_digest', run)[7:15]}"
            _log(client, run, tags=[RunTag(key, str(value)) for key, value in {**tags, "mlflow.runName": name}.items()])
            _log(client, run, params=[Param(key, str(value)[:_LONGEST_PARAMETER]) for key, value in parameters.items()])
            _log(client, run, metrics=[Metric(key, value, now, 0) for key, value in metrics.items()])
            for key, values in curves.items():
                for start in range(0, len(values), 1000):
                    steps = enumerate(values[start : start + 1000], start)
                    _log(client, run, metrics=[Metric(key, value, now, step) for step, value in steps])
        except BaseException:
            with suppress(Exception):  # report the original error
                client.set_terminated(run, "FAILED")
            raise
        client.set_terminated(run, "FINISHED")
        return run


def _log(client: Any, run: str, **entities: Sequence[Any]) -> None:
    """Log entities in one batch; if MLflow rejects it, log each alone and warn about the rejected ones."""
    from mlflow.exceptions import MlflowException

    try:
        client.log_batch(run, **entities)
    except MlflowException as error:
        if refusal(error) is None or refuses_account(error):
            raise
    else:
        return
    for kind, every in entities.items():
        for entity in every:
            try:
                client.log_batch(run, **{kind: [entity]})
            except MlflowException as error:
                reason = refusal(error)
                if reason is None or refuses_account(error):
                    raise
                log.warning("MLflow rejects %s %r, which the run now lacks: %s", kind, entity.key, reason)


@contextmanager
def _translate_errors(uri: str, rejected: Callable[[str], GauntletError]) -> Iterator[None]:
    """Translate MLflow's errors: unreachable, failed, account denied, or request rejected (``rejected``)."""
    import sqlalchemy.exc
    from mlflow.exceptions import MlflowException

    try:
        yield
    except (MlflowException, sqlalchemy.exc.SQLAlchemyError, OSError) as error:
        clean = without_secrets(uri)
        # MLflow's own message contains the password.
        cause = error if clean == uri else None
        message = without_secrets(refusal(error) or " ".join(str(error).split()))[:300]
        if refuses_account(error):
            raise DependencyError(
                f"MLflow denies this account at {clean}: {message}",
                field=TRACKING_URI,
                mend="Check its credentials and permissions",
            ) from cause
        if refusal(error) is not None:
            raise rejected(message) from cause
        unreachable = connection_failure(error)
        raise DependencyError(
            f"MLflow is unreachable at {clean}: {unreachable}"
            if unreachable
            else f"MLflow fails at {clean}: {message}",
            field=TRACKING_URI,
            mend="Check that the server is up and reachable from here, then retry",
            retryable=True,
        ) from cause


@contextmanager
def _environment(values: Mapping[str, str]) -> Iterator[None]:
    """Set environment variables that the user has not set, within the context."""
    added = {key: value for key, value in values.items() if key not in os.environ}
    os.environ.update(added)
    try:
        yield
    finally:
        for key in added:
            del os.environ[key]
