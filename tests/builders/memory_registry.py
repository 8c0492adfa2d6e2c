"""A model registry in memory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from gauntlet.errors import DependencyError
from gauntlet.registry.store import DIGEST_TAG, TAG_PREFIX, Version

Files = dict[str, bytes]


@dataclass
class _Entry:
    version: Version
    parts: dict[str, Files]
    description: str


@dataclass
class MemoryStore:
    """A ``ModelStore`` that lives and dies with the process."""

    _entries: dict[tuple[str, int], _Entry] = field(default_factory=dict)
    _aliases: dict[str, dict[str, int]] = field(default_factory=dict)
    _last: dict[str, int] = field(default_factory=dict)

    def aliases(self, name: str) -> Mapping[str, int]:
        """See ``ModelStore.aliases``."""
        return dict(self._aliases.get(name, {}))

    def get(self, name: str, number: int) -> Version | None:
        """See ``ModelStore.get``."""
        entry = self._entries.get((name, number))
        return entry.version if entry else None

    def with_digest(self, name: str, digest: str) -> tuple[Version, ...]:
        """See ``ModelStore.with_digest``."""
        versions = (entry.version for key, entry in sorted(self._entries.items()) if key[0] == name)
        return tuple(version for version in versions if version.tags.get(DIGEST_TAG) == digest)

    def create(self, name: str, parts: Mapping[str, Path], tags: Mapping[str, str], description: str) -> Version:
        """See ``ModelStore.create``."""
        number = self._last[name] = self._last.get(name, 0) + 1
        version = Version(name, number, dict(tags))
        content = {part: _read(folder) for part, folder in parts.items()}
        self._entries[name, number] = _Entry(version, content, description)
        return version

    def discard(self, version: Version) -> None:
        """See ``ModelStore.discard``."""
        del self._entries[version.name, version.number]
        named = self._aliases.get(version.name, {})
        self._aliases[version.name] = {alias: number for alias, number in named.items() if number != version.number}

    def describe(self, version: Version, parts: Mapping[str, Path], tags: Mapping[str, str], description: str) -> None:
        """See ``ModelStore.describe``."""
        entry = self._entry(version.name, version.number)
        entry.parts.update({part: _read(folder) for part, folder in parts.items()})
        others = {key: value for key, value in entry.version.tags.items() if not key.startswith(TAG_PREFIX)}
        entry.version = replace(entry.version, tags={**others, **tags})
        entry.description = description

    def move(self, name: str, assign: Mapping[str, int], remove: tuple[str, ...]) -> None:
        """See ``ModelStore.move``."""
        for number in assign.values():
            self._entry(name, number)
        aliases = {**self._aliases.get(name, {}), **assign}
        self._aliases[name] = {alias: number for alias, number in aliases.items() if alias not in remove}

    def address(self, version: Version) -> str:
        """See ``ModelStore.address``."""
        return f"memory:{version.name}/{version.number}"

    def download(self, version: Version, part: str, destination: Path) -> bool:
        """See ``ModelStore.download``."""
        files = self._entry(version.name, version.number).parts.get(part)
        for name, content in (files or {}).items():
            path = destination / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        return files is not None

    def _entry(self, name: str, number: int) -> _Entry:
        if (name, number) not in self._entries:
            raise DependencyError("no such version", field=name, value=number, mend="Register the model again")
        return self._entries[name, number]


def _read(folder: Path) -> Files:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}
