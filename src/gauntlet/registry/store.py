"""Interface of the model registry: nine operations, independent of the implementation.

A version is a model folder and the evidence beside it (``lineage``, ``statistics``, ``schema``), each a folder by name.
Promotion, registration and fetching use this interface only, and are tested on an implementation in memory;
``gauntlet.registry.mlflow_store`` is the one in use.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from gauntlet.errors import ConfigurationError, DataError, DependencyError

MODEL_PART = "model"
LINEAGE_PART = "lineage"
STATISTICS_PART = "statistics"
SCHEMA_PART = "schema"

DIGEST_TAG = "gauntlet.model_digest"
TAG_PREFIX = "gauntlet."
CHAMPION = "champion"
CHALLENGER = "challenger"
PREVIOUS = "previous"
"""Alias of the version that was champion before this one."""
TAG_VALUE_LIMIT = 5_000
"""Longest tag value that every MLflow server accepts (newer ones accept 100,000)."""
TAG_KEY_LIMIT = 250

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9 _.-]{0,249}")


@dataclass(frozen=True)
class Version:
    """Version of a registered model.

    Attributes:
        name: the registered model.
        number: counted from 1.
        tags: its tags.
    """

    name: str
    number: int
    tags: Mapping[str, str] = field(default_factory=dict)

    @property
    def digest(self) -> str | None:
        """The model's content digest; ``None`` for a version registered without one."""
        return self.tags.get(DIGEST_TAG)


class ModelStore(Protocol):
    """Model registry. Every operation raises ``DependencyError`` when the registry does not answer."""

    def aliases(self, name: str) -> Mapping[str, int]:
        """Alias → version number; empty when the registered model does not exist."""

    def get(self, name: str, number: int) -> Version | None:
        """Get a version; ``None`` if there is none."""

    def with_digest(self, name: str, digest: str) -> tuple[Version, ...]:
        """Find the versions of a model with this content digest, oldest first."""

    def create(self, name: str, parts: Mapping[str, Path], tags: Mapping[str, str], description: str) -> Version:
        """Store the parts and create a version of them together with its tags.

        The registered model is created if it does not exist. Parts are uploaded before the version appears, so a
        version is complete or absent.
        """

    def discard(self, version: Version) -> None:
        """Delete a version that was just created."""

    def describe(self, version: Version, parts: Mapping[str, Path], tags: Mapping[str, str], description: str) -> None:
        """Renew the parts beside the model, and replace the ``gauntlet.`` tags."""

    def move(self, name: str, assign: Mapping[str, int], remove: tuple[str, ...]) -> None:
        """Assign aliases, then remove aliases."""

    def address(self, version: Version) -> str:
        """Path or URI of the version's model folder, for loading it without this interface."""

    def download(self, version: Version, part: str, destination: Path) -> bool:
        """Copy a part into the existing folder ``destination``; ``False`` if the version has no such part."""


def require_model_name(name: str) -> str:
    """Check the name of a registered model.

    Raises:
        ConfigurationError: empty, too long, or with characters that are special in URLs or searches.
    """
    if not _NAME.fullmatch(name):
        raise ConfigurationError(
            "is no name for a registered model",
            field="model_name",
            value=name,
            mend="Use 1 to 250 letters, digits, blanks, '_', '.', '-', beginning with a letter or digit",
        )
    return name


def require_version(store: ModelStore, name: str, number: int) -> Version:
    """Get a version that an alias or a search has just returned.

    Raises:
        DependencyError: it was deleted in between.
    """
    version = store.get(name, number)
    if version is None:
        raise DependencyError(
            "the registry names a version that is not there",
            field=name,
            value=number,
            mend="Try again; if it stays, set the alias to a version that exists",
            retryable=True,
        )
    return version


def parse_number(version: str) -> int:
    """Parse a version number.

    Raises:
        ConfigurationError: it is no positive integer.
    """
    if not (version.isascii() and version.isdigit() and int(version) > 0):
        raise ConfigurationError("is no version number", field="version", value=version, mend="Give a number, as 7")
    return int(version)


def find_candidate(store: ModelStore, model_name: str, version: str = "") -> Version:
    """Find the version to deliver.

    Args:
        store: the registry.
        model_name: the registered model.
        version: its number; empty for the challenger, or the champion where there is no challenger.

    Raises:
        ConfigurationError: there is no such version, or nothing to deliver.
        DataError: the version has no digest, so a server could not verify it.
        DependencyError: the registry does not answer.
    """
    aliases = store.aliases(require_model_name(model_name))
    number = parse_number(version) if version else aliases.get(CHALLENGER, aliases.get(CHAMPION))
    candidate = store.get(model_name, number) if number is not None else None
    if candidate is None:
        raise ConfigurationError(
            "there is no such version" if version else "has neither a challenger nor a champion",
            field=f"version of {model_name}" if version else model_name,
            value=version or None,
            mend="Register a model first (continuous_training), or name a version that is registered",
        )
    if not candidate.digest:
        raise DataError(
            f"has no tag {DIGEST_TAG}, so a server could not verify it",
            field=f"{model_name} version {number}",
            mend="Register the model with register_model, or set the tag to the digest of a folder you trust",
        )
    return candidate
