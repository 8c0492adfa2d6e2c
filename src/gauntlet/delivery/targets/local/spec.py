"""The desired state of a local service: the document that the host keeps, and reconciles the service with."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from gauntlet.data.objects.schemes import is_local
from gauntlet.delivery.release import Release
from gauntlet.errors import ConfigurationError, DataError

FORMAT = "gauntlet.local/1"

_VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


@dataclass(frozen=True)
class Mirror:
    """The version that gets copies of the stable version's requests.

    Attributes:
        version: has no live traffic: its answers are compared and dropped.
        share: of the stable version's requests, above 0 and at most 1.
    """

    version: str
    share: float = 1.0


@dataclass(frozen=True)
class Desired:
    """The desired state of a host; validated when built.

    Attributes:
        generation: counts the changes; 0 before the first.
        stable: the version that answers unless another is given a share; ``None`` while nothing was ever served.
        revisions: version → its release; each is a server of its own.
        weights: version → percent of requests, whole numbers that sum to 100; versions left out have 0.
        mirror: the version that gets copies; ``None`` for none.

    Raises:
        ConfigurationError: names the first invalid field.
    """

    generation: int = 0
    stable: str | None = None
    revisions: Mapping[str, Release] = field(default_factory=dict)
    weights: Mapping[str, int] = field(default_factory=dict)
    mirror: Mirror | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "revisions", MappingProxyType(dict(self.revisions)))
        shares = {version: percent for version, percent in self.weights.items() if percent != 0}
        object.__setattr__(self, "weights", MappingProxyType(shares))
        self._check_revisions()
        self._check_weights()
        self._check_mirror()

    @property
    def served(self) -> Release | None:
        """The stable version."""
        return None if self.stable is None else self.revisions[self.stable]

    def to_document(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "format": FORMAT,
            "generation": self.generation,
            "stable": self.stable,
            "revisions": {
                version: {"digest": release.digest, "uri": release.uri} for version, release in self.revisions.items()
            },
            "weights": dict(self.weights),
            "mirror": None if self.mirror is None else {"version": self.mirror.version, "share": self.mirror.share},
        }

    @classmethod
    def from_document(cls, document: Any) -> Desired:
        """From JSON.

        Raises:
            DataError: it is no such document.
            ConfigurationError: a field is invalid.
        """
        try:
            if document["format"] != FORMAT:
                raise ValueError(f"format {document['format']!r}")
            mirror = document["mirror"]
            return cls(
                generation=document["generation"],
                stable=document["stable"],
                revisions={
                    version: Release(version, release["digest"], release["uri"])
                    for version, release in document["revisions"].items()
                },
                weights=document["weights"],
                mirror=None if mirror is None else Mirror(mirror["version"], mirror["share"]),
            )
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise DataError(
                f"is not the desired state of a local service ({type(error).__name__}: {error})",
                field="desired",
                mend=f"Send a document of format {FORMAT}",
            ) from error

    def _check_revisions(self) -> None:
        if type(self.generation) is not int or self.generation < 0:
            raise _wrong("generation", "must be a whole number, 0 or more", self.generation)
        for version, release in self.revisions.items():
            if not _VERSION.fullmatch(version) or version != release.version:
                raise _wrong("revisions", "must be named by versions of letters, digits, dots and dashes", version)
            if not _DIGEST.fullmatch(release.digest):
                raise _wrong(f"revisions.{version}.digest", "must be sha256: and 64 hex digits", release.digest)
            if not isinstance(release.uri, str) or not release.uri or not is_local(release.uri):
                raise _wrong(f"revisions.{version}.uri", "must be the path of a model folder", release.uri)
        if (self.stable is None) != (not self.revisions) or (self.stable or "") not in {"", *self.revisions}:
            raise _wrong("stable", "must be one of the revisions", self.stable)

    def _check_weights(self) -> None:
        for version, percent in self.weights.items():
            if version not in self.revisions:
                raise _wrong(f"weights.{version}", "is no revision", percent)
            if type(percent) is not int or not 0 < percent <= 100:
                raise _wrong(f"weights.{version}", "must be a whole number of percent", percent)
        total = sum(self.weights.values())
        if total != (100 if self.revisions else 0):
            raise _wrong("weights", "must sum to 100", total)

    def _check_mirror(self) -> None:
        if self.mirror is None:
            return
        version, share = self.mirror.version, self.mirror.share
        if version not in self.revisions or version == self.stable or version in self.weights:
            raise _wrong("mirror.version", "must be a revision without a weight", version)
        if not isinstance(share, int | float) or not 0 < share <= 1:
            raise _wrong("mirror.share", "must be above 0 and at most 1", share)


def is_rollback(now: Desired, wanted: Desired) -> bool:
    """Whether a change only sends all requests back to the stable version: the one change that may precede its record.

    No server has to be started for it, and a host that loses it is where it was before.
    """
    return (
        wanted.stable is not None
        and wanted.stable == now.stable
        and dict(wanted.weights) == {wanted.stable: 100}
        and all(now.revisions.get(version) == release for version, release in wanted.revisions.items())
        and wanted.mirror in (None, now.mirror)
    )


def in_force(desired: Desired, usable: frozenset[str]) -> dict[str, int]:
    """The weights in force: a version that is not usable leaves its share to the stable one.

    Args:
        desired: the desired state.
        usable: versions whose server has answered.
    """
    weights: dict[str, int] = {}
    for version, percent in desired.weights.items():
        answering = version if version in usable or desired.stable is None else desired.stable
        weights[answering] = weights.get(answering, 0) + percent
    return weights


def _wrong(name: str, message: str, value: object) -> ConfigurationError:
    return ConfigurationError(message, field=f"desired.{name}", value=value, mend="Correct it")
