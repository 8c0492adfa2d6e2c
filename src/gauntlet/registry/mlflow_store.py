"""The model registry in MLflow.

Every version has a run of its own in the experiment ``EXPERIMENT``: the run's artifacts are the parts (``model/``,
``lineage/``, ``statistics/``, ``schema/``), the version's source is the run's ``model/``, and the version links to the
run. The model's files are stored byte for byte as training wrote them; MLflow's own ``log_model`` would rewrite them
and their digest with them.

    MLFLOW_TRACKING_URI   where runs and artifacts are; required: the default is a file, which a pod loses
    MLFLOW_REGISTRY_URI   where registered models are, when elsewhere
"""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from urllib.request import url2pathname

from gauntlet.errors import ConfigurationError, DependencyError
from gauntlet.mlflow_uri import (
    artifact_root,
    connection_failure,
    one_at_a_time,
    refusal,
)
from gauntlet.redaction import without_secrets
from gauntlet.registry.store import DIGEST_TAG, MODEL_PART, TAG_PREFIX, Version

if TYPE_CHECKING:
    from mlflow import MlflowClient

EXPERIMENT = "registrations"
TRACKING_URI = "MLFLOW_TRACKING_URI"
REGISTRY_URI = "MLFLOW_REGISTRY_URI"

_CLIENT_SETTINGS = {
    # MLflow's defaults (7 retries, 120 s each) let a task hang for a quarter of an hour on a server that is down.
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "20",
    "MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR": "1",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
}
"""Environment variables of MLflow's client, unless the user has set them. Seconds."""

_NOT_THERE = {"RESOURCE_DOES_NOT_EXIST", "NOT_FOUND"}
_ALREADY_THERE = {"RESOURCE_ALREADY_EXISTS", "ALREADY_EXISTS"}


def open_store() -> MlflowStore:
    """Open the store that the environment names.

    Raises:
        ConfigurationError: ``MLFLOW_TRACKING_URI`` is not set.
    """
    tracking = os.environ.get(TRACKING_URI, "")
    if not tracking:
        raise ConfigurationError(
            "is not set, so there is no registry to use",
            field=TRACKING_URI,
            mend="Set it to the MLflow server, or to sqlite:////absolute/path/mlflow.db for a local one",
        )
    return MlflowStore(tracking, os.environ.get(REGISTRY_URI) or tracking)


class MlflowStore:
    """A ``ModelStore`` on an MLflow server or database.

    Args:
        tracking: URI of the tracking store.
        registry: URI of the model registry.
    """

    def __init__(self, tracking: str, registry: str) -> None:
        for name, value in _CLIENT_SETTINGS.items():
            os.environ.setdefault(name, value)
        from mlflow import MlflowClient

        self._tracking = tracking
        self._registry = registry
        from mlflow.exceptions import MlflowException

        try:
            with self._service("opening the registry"), one_at_a_time(tracking):
                self._client: MlflowClient = MlflowClient(tracking_uri=tracking, registry_uri=registry)
        except DependencyError as failure:
            # Opening contacts no server; MLflow only refuses addresses of an unsupported scheme here.
            if not isinstance(failure.__cause__, MlflowException):
                raise
            raise ConfigurationError(
                "is no address that MLflow knows",
                field=TRACKING_URI if registry == tracking else f"{TRACKING_URI} or {REGISTRY_URI}",
                value=without_secrets(registry),
                mend="Use http:// or https:// with the server's name, or sqlite:////absolute/path/mlflow.db",
            ) from failure.__cause__

    @property
    def place(self) -> str:
        """Where registered models are, without passwords."""
        return without_secrets(self._registry)

    def aliases(self, name: str) -> Mapping[str, int]:
        """See ``ModelStore.aliases``."""
        with self._service("reading aliases"), _or_none():
            aliases = self._client.get_registered_model(name).aliases
            return {alias: int(number) for alias, number in aliases.items()}
        return {}

    def get(self, name: str, number: int) -> Version | None:
        """See ``ModelStore.get``."""
        with self._service("reading a version"), _or_none():
            return _version(self._client.get_model_version(name, str(number)))
        return None

    def with_digest(self, name: str, digest: str) -> tuple[Version, ...]:
        """See ``ModelStore.with_digest``."""
        query = f"name = '{name}' AND tags.`{DIGEST_TAG}` = '{digest}'"
        with self._service("searching versions"):
            versions = [_version(version) for version in self._client.search_model_versions(query)]
        return tuple(sorted(versions, key=lambda version: version.number))

    def create(self, name: str, parts: Mapping[str, Path], tags: Mapping[str, str], description: str) -> Version:
        """See ``ModelStore.create``."""
        with self._service("registering"):
            with _unless_there():
                self._client.create_registered_model(name)
            run = self._client.create_run(self._experiment(), run_name=f"register {name}", tags=_run_tags(name, tags))
            try:
                self._upload(run.info.run_id, parts)
                created = self._client.create_model_version(
                    name,
                    source=f"{run.info.artifact_uri}/{MODEL_PART}",
                    run_id=run.info.run_id,
                    tags=dict(tags),
                    description=description,
                )
            except BaseException:
                with contextlib.suppress(Exception):  # report the original error
                    self._client.set_terminated(run.info.run_id, "FAILED")
                raise
            self._client.set_terminated(run.info.run_id, "FINISHED")
        return _version(created)

    def discard(self, version: Version) -> None:
        """See ``ModelStore.discard``."""
        with self._service("deleting a version"):
            run = self._run_of(version)
            self._client.delete_model_version(version.name, str(version.number))
            if run:
                self._client.delete_run(run)

    def describe(self, version: Version, parts: Mapping[str, Path], tags: Mapping[str, str], description: str) -> None:
        """See ``ModelStore.describe``."""
        name, number = version.name, str(version.number)
        with self._service("describing a version"):
            if run := self._run_of(version):
                self._upload(run, parts)
            for key in version.tags:
                if key.startswith(TAG_PREFIX) and key not in tags:
                    self._client.delete_model_version_tag(name, number, key)
            for key, value in tags.items():
                if version.tags.get(key) != value:
                    self._client.set_model_version_tag(name, number, key, value)
            self._client.update_model_version(name, number, description)

    def move(self, name: str, assign: Mapping[str, int], remove: tuple[str, ...]) -> None:
        """See ``ModelStore.move``."""
        with self._service("moving aliases"):
            for alias, number in assign.items():
                self._client.set_registered_model_alias(name, alias, str(number))
            for alias in remove:
                self._client.delete_registered_model_alias(name, alias)

    def address(self, version: Version) -> str:
        """See ``ModelStore.address``. A local store's ``file:`` URIs are given as paths."""
        with self._service("asking where a model lies"):
            address = str(self._address(version, MODEL_PART))
        return url2pathname(urlsplit(address).path) if address.startswith("file:") else address

    def download(self, version: Version, part: str, destination: Path) -> bool:
        """See ``ModelStore.download``."""
        with self._service(f"downloading {part}"), tempfile.TemporaryDirectory() as folder:
            with _or_none():
                address = self._address(version, part)
                if address is None:
                    return False
                from mlflow.artifacts import download_artifacts

                downloaded = download_artifacts(address, dst_path=folder, tracking_uri=self._tracking)
                shutil.copytree(downloaded, destination, dirs_exist_ok=True)
                return True
            return False

    def _address(self, version: Version, part: str) -> str | None:
        """Address of a part; ``None`` if the version has no such part."""
        if part == MODEL_PART:
            return str(self._client.get_model_version_download_uri(version.name, str(version.number)))
        run = self._run_of(version)
        if run is None or part not in {file.path for file in self._client.list_artifacts(run)}:
            return None
        return f"{self._client.get_run(run).info.artifact_uri}/{part}"

    def _run_of(self, version: Version) -> str | None:
        run: str | None = self._client.get_model_version(version.name, str(version.number)).run_id
        return run or None

    def _upload(self, run: str, parts: Mapping[str, Path]) -> None:
        for part, folder in parts.items():
            self._client.log_artifacts(run, str(folder), part)

    def _experiment(self) -> str:
        experiment = self._client.get_experiment_by_name(EXPERIMENT)
        if experiment is None:
            with _unless_there():
                self._client.create_experiment(EXPERIMENT, artifact_location=artifact_root(self._tracking, EXPERIMENT))
            experiment = self._client.get_experiment_by_name(EXPERIMENT)
        if experiment.lifecycle_stage != "active":
            raise DependencyError(
                "the experiment that holds registrations was deleted",
                field=EXPERIMENT,
                mend="Restore it: mlflow experiments restore -x " + str(experiment.experiment_id),
            )
        return str(experiment.experiment_id)

    @contextlib.contextmanager
    def _service(self, doing: str) -> Iterator[None]:
        """Convert errors of MLflow and its dependencies to ``DependencyError``."""
        from mlflow.exceptions import MlflowException
        from sqlalchemy.exc import SQLAlchemyError

        try:
            yield
        except MlflowException as error:
            raise self._failed(doing, error, refused=refusal(error) is not None) from error
        except (SQLAlchemyError, OSError) as error:  # requests' exceptions are OSErrors
            raise self._failed(doing, error, refused=False) from error

    def _failed(self, doing: str, error: Exception, *, refused: bool) -> DependencyError:
        message = without_secrets(" ".join(str(error).split()))
        return DependencyError(
            f"MLflow {'refused what was asked' if refused else 'failed'} while {doing}",
            field=without_secrets(self._registry),
            value=connection_failure(error) or message,
            mend="Check the request and the permissions of this account"
            if refused
            else f"Check that the server runs and can be reached from here, or correct {TRACKING_URI}",
            retryable=not refused,
        )


@contextlib.contextmanager
def _or_none() -> Iterator[None]:
    """Ignore MLflow's error for a missing resource."""
    from mlflow.exceptions import MlflowException

    try:
        yield
    except MlflowException as error:
        if error.error_code not in _NOT_THERE:
            raise


@contextlib.contextmanager
def _unless_there() -> Iterator[None]:
    """Ignore MLflow's error for a resource that another process has just created."""
    from mlflow.exceptions import MlflowException

    try:
        yield
    except MlflowException as error:
        if error.error_code not in _ALREADY_THERE:
            raise


def _version(mlflow_version: Any) -> Version:
    return Version(mlflow_version.name, int(mlflow_version.version), dict(mlflow_version.tags))


def _run_tags(name: str, tags: Mapping[str, str]) -> dict[str, str]:
    return {DIGEST_TAG: tags[DIGEST_TAG], f"{TAG_PREFIX}registered_model": name}
