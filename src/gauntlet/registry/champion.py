"""Fetches registered models and verifies them.

Loading a model runs code that its files choose. So a model from the registry is copied, the digest of the copy is
compared with the version's tag, and only then does the copy appear at its destination.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

from gauntlet.digest import digest_tree
from gauntlet.errors import BrokenArtifact, DataError
from gauntlet.lineage.document import LINEAGE_FILE, Document
from gauntlet.model_digest import digest_model
from gauntlet.registry.store import (
    CHAMPION,
    DIGEST_TAG,
    LINEAGE_PART,
    MODEL_PART,
    STATISTICS_PART,
    ModelStore,
    Version,
    require_model_name,
    require_version,
)
from gauntlet.registry.tags import part_digest_tag
from gauntlet.storage import whole_folder, write_absent


@dataclass(frozen=True)
class Champion:
    """Fetched champion.

    Attributes:
        version: the champion's version number as a string; ``""`` when there is none.
        model_digest: digest of the model; ``""`` when there is none.
        model_chain: the model's own lineage chain; ``""`` when unknown.
        statistics_digest: digest of its training statistics; ``""`` when there are none.
        statistics_chain: the lineage chain of the statistics; ``""`` when unknown.
    """

    version: str = ""
    model_digest: str = ""
    model_chain: str = ""
    statistics_digest: str = ""
    statistics_chain: str = ""


def fetch_champion(store: ModelStore, model_name: str, *, model: Path, statistics: Path) -> Champion:
    """Copy and verify the champion and its training statistics; absence markers if there is none.

    Args:
        store: the registry.
        model_name: the registered model; it need not exist.
        model: where the model folder appears; an absence marker when there is no champion.
        statistics: where its training statistics appear; an absence marker when there are none.

    Raises:
        ConfigurationError: invalid model name.
        DataError: the champion has no digest, or its content has another digest.
        DependencyError: the registry does not answer.
    """
    number = store.aliases(require_model_name(model_name)).get(CHAMPION)
    if number is None:
        reason = f"{model_name} has no champion yet"
        write_absent(model, reason)
        write_absent(statistics, reason)
        return Champion()
    version = require_version(store, model_name, number)
    digest, document = fetch_version(store, version, model=model)
    statistics_digest = _fetch_statistics(store, version, statistics)
    recorded = document.artifacts.get(STATISTICS_PART, "") if document else ""
    return Champion(
        version=str(number),
        model_digest=digest,
        model_chain=document.chain(digest) if document else "",
        statistics_digest=recorded or statistics_digest if statistics_digest else "",
        statistics_chain=document.chain(recorded) if document and statistics_digest else "",
    )


def fetch_version(store: ModelStore, version: Version, *, model: Path) -> tuple[str, Document | None]:
    """Copy and verify the model of a version.

    Returns:
        Its digest, and its lineage (``None`` for one that was registered without).

    Raises:
        DataError: it has no digest, or its content has another digest.
        DependencyError: the registry does not answer.
    """
    document = fetch_lineage(store, version)
    return _fetch_model(store, version, model), document


def fetch_lineage(store: ModelStore, version: Version) -> Document | None:
    """Fetch the lineage document of a registered version; ``None`` if it was registered without.

    Raises:
        DataError: the document cannot be read, has a dangling link, or is of another model.
    """
    with tempfile.TemporaryDirectory() as folder:
        if not store.download(version, LINEAGE_PART, Path(folder)):
            return None
        document = Document.read(Path(folder) / LINEAGE_FILE)
    if document.artifacts[MODEL_PART] != version.digest:
        raise _mismatch(version, LINEAGE_PART, expected=version.digest, digest=document.artifacts[MODEL_PART])
    return document


def _fetch_model(store: ModelStore, version: Version, destination: Path) -> str:
    if version.digest is None:
        raise DataError(
            f"has no tag {DIGEST_TAG}, so what it holds cannot be verified and is not loaded",
            field=_label(version),
            mend="Register the model with register_model, or set the tag to the digest of a folder you trust",
        )
    with whole_folder(destination) as folder:
        there = store.download(version, MODEL_PART, folder)
        digest = digest_model(folder) if there else "no files"
        if digest != version.digest:
            raise _mismatch(version, MODEL_PART, expected=version.digest, digest=digest)
    return digest


def _fetch_statistics(store: ModelStore, version: Version, destination: Path) -> str:
    """Fetch the statistics; return their digest, or ``""`` when the version was registered without."""
    with whole_folder(destination) as folder:
        if store.download(version, STATISTICS_PART, folder):
            digest, expected = digest_tree(folder), version.tags.get(part_digest_tag(STATISTICS_PART))
            if digest != expected:
                raise _mismatch(version, STATISTICS_PART, expected=expected, digest=digest)
            return digest
    write_absent(destination, f"{_label(version)} was registered without training statistics")
    return ""


def _mismatch(version: Version, part: str, *, expected: str | None, digest: str) -> BrokenArtifact:
    return BrokenArtifact(
        f"its {part} is not what was registered (expected {expected})",
        field=_label(version),
        value=digest,
        mend="Somebody changed the stored files: find out who, and register the model again",
    )


def _label(version: Version) -> str:
    return f"{version.name} version {version.number}"
