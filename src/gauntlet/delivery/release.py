"""A model version as something that can be served, resolved from the registry."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from gauntlet.digest import digest_json
from gauntlet.errors import ConfigurationError
from gauntlet.model_digest import verify_model
from gauntlet.registry.store import MODEL_PART, ModelStore, Version
from gauntlet.storage import whole_folder, working_folder


@dataclass(frozen=True)
class Release:
    """Enough to serve a version, and to bring it back years later without asking the registry.

    Attributes:
        version: its number in the registry; a label of every metric.
        digest: the model's content digest (``sha256:…``), which a server verifies before it loads anything.
        uri: where the model folder lies, as the target reads it (a path, ``gs://…``, ``s3://…``).
    """

    version: str
    digest: str
    uri: str

    def __str__(self) -> str:
        return f"version {self.version}"


LOCAL = "local"
_UNREADABLE = ("mlflow-artifacts", "models", "runs", "memory", "file", "")


def resolve_release(store: ModelStore, version: Version, service: str) -> Release:
    """A version as the target of a service can fetch it.

    A local service gets a copy of its own, verified, that stays when the registry is gone. A cluster's storage
    initializer fetches from the registry's artifact store itself, so that has to be one it can read.

    Args:
        store: the registry.
        version: has a digest.
        service: the address of the service, ``local:FOLDER`` or ``kserve:NAMESPACE/NAME``.

    Raises:
        DataError: what the registry holds is not what was registered.
        ConfigurationError: a cluster could not read it from where it lies.
        DependencyError: the registry does not answer.
    """
    digest, number = version.digest or "", str(version.number)
    kind, _, rest = service.partition(":")
    if kind == LOCAL:
        return Release(number, digest, str(_copied(store, version, (working_folder() / rest).resolve() / "models")))
    address = store.address(version)
    if address.partition(":")[0] in _UNREADABLE or "://" not in address:
        raise ConfigurationError(
            "lies where a cluster cannot fetch it",
            field=f"{version.name} version {number}",
            value=address,
            mend="Give MLflow an artifact root on gs://, s3://, https:// or a volume (pvc://), not one it proxies",
        )
    return Release(number, digest, address)


def _copied(store: ModelStore, version: Version, folder: Path) -> Path:
    digest = version.digest or ""
    place = folder / digest_json(digest).rpartition(":")[2][:16]
    if not place.exists():
        folder.mkdir(parents=True, exist_ok=True)
        with whole_folder(place) as copy:
            store.download(version, MODEL_PART, copy)
            verify_model(copy, digest)
    return place
