"""A model version as something that can be served."""

from __future__ import annotations

from dataclasses import dataclass


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
