"""The model registry as Gauntlet needs it: an interface of nine verbs, whatever stands behind it.

A version is a model folder and the evidence beside it (``lineage``, ``statistics``, ``schema``), each a folder by name.
Everything that decides (promotion, registration, fetching) works on this interface and is tested on an implementation
in memory; ``gauntlet.registry.mlflow_store`` is the one in use.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from gauntlet.errors import ConfigurationError, DependencyError

MODEL_PART = "model"
LINEAGE_PART = "lineage"
STATISTICS_PART = "statistics"
SCHEMA_PART = "schema"

DIGEST_TAG = "gauntlet.model_digest"
TAG_PREFIX = "gauntlet."
TAG_VALUE_LIMIT = 5_000
"""Characters in a tag's value that every MLflow server takes (newer ones take 100,000)."""
TAG_KEY_LIMIT = 250

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9 _.-]{0,249}")


@dataclass(frozen=True)
class Version:
    """One version of a registered model.

    Attributes:
        name: the registered model.
        number: counted from 1.
        tags: what is known of it.
    """

    name: str
    number: int
    tags: Mapping[str, str] = field(default_factory=dict)

    @property
    def digest(self) -> str | None:
        """The model's content digest; ``None`` for a version that somebody else registered without one."""
        return self.tags.get(DIGEST_TAG)


class ModelStore(Protocol):
    """A model registry. Every verb raises ``DependencyError`` when the registry does not answer."""

    def aliases(self, name: str) -> Mapping[str, int]:
        """Alias → version number; empty when the registered model does not exist."""

    def get(self, name: str, number: int) -> Version | None:
        """A version, or ``None`` when there is no such version."""

    def with_digest(self, name: str, digest: str) -> tuple[Version, ...]:
        """The versions of a model with this content digest, oldest first."""

    def create(self, name: str, parts: Mapping[str, Path], tags: Mapping[str, str], description: str) -> Version:
        """Store the parts and make a version of them that has its tags from the first moment.

        The registered model is made if it does not exist. Parts are uploaded before the version appears, so a version
        is whole or not there.
        """

    def discard(self, version: Version) -> None:
        """Delete a version that was just created."""

    def describe(self, version: Version, parts: Mapping[str, Path], tags: Mapping[str, str], description: str) -> None:
        """Renew what stands beside the model: upload the parts again, make the ``gauntlet.`` tags exactly these."""

    def move(self, name: str, assign: Mapping[str, int], remove: tuple[str, ...]) -> None:
        """Assign aliases, then remove aliases."""

    def address(self, version: Version) -> str:
        """Where the version's model folder lies, for whoever loads it without this interface: a path or a URI."""

    def download(self, version: Version, part: str, destination: Path) -> bool:
        """Copy a part's content into the existing folder ``destination``; ``False``: the version has no such part."""


def require_model_name(name: str) -> str:
    """Check the name of a registered model.

    Raises:
        ConfigurationError: empty, too long, or with characters that a URL or a registry's search would misread.
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
    """A version that has just been named by an alias or a search.

    Raises:
        DependencyError: it is gone: somebody deleted it in between.
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
