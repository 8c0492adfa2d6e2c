"""The groups of tests, as ``groups.toml`` lists them, and the pytest command of each."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
KINDS = ("fast", "slow")
COMMAND = "command"
"""The environment of the ``gauntlet`` command, ``.venv``; every other is an image's."""


@dataclass(frozen=True)
class Group:
    """Tests that run together.

    Attributes:
        kind: ``fast`` or ``slow``.
        name: unique within its kind.
        environment: the image whose environment it runs in, or ``command``.
        paths, besides: patterns of files and folders below the repository; those taken, and those left out of them.
        markers: what makes a test slow.
        alone: nothing may run beside it.
        waits: it waits most of its time, and leaves the processors to two others.
    """

    kind: str
    name: str
    environment: str
    paths: tuple[str, ...]
    besides: tuple[str, ...]
    markers: tuple[str, ...]
    alone: bool
    waits: bool

    @property
    def title(self) -> str:
        """Kind and name, as outputs show them."""
        return f"{self.kind} {self.name}"

    def command(self, markers: str | None = None, *options: str) -> list[str]:
        """The pytest command, to be run in the repository under ``variables``.

        Args:
            markers: which of its tests; by default those of its kind.
            options: further options of pytest.
        """
        home = ".venv" if self.environment == COMMAND else f".environments/{self.environment}"
        slow = " or ".join(self.markers)
        asked = markers or (f"not ({slow})" if self.kind == "fast" else slow)
        found = [str(path.relative_to(ROOT)) for pattern in self.paths for path in sorted(ROOT.glob(pattern))]
        taken = [path for path in found if path not in self.besides]  # pytest ignores nothing that it is given by name
        return [
            f"{home}/bin/python",
            *("-m", "pytest", "-q", *taken),
            *(f"--ignore={path}" for path in self.besides),
            *("-m", asked),
            *options,
        ]

    def variables(self) -> dict[str, str]:
        """The environment variables it runs under."""
        if self.environment == COMMAND:
            return dict(os.environ)
        return {**os.environ, "PYTHONPATH": ".environments/test-tools", "_KFP_RUNTIME": "true"}

    def files(self) -> set[str]:
        """The test files it collects."""
        left_out = {file for path in self.besides for file in _below(path)}
        return {file for pattern in self.paths for file in _below(pattern)} - left_out


def read(listed: str | None = None) -> tuple[Group, ...]:
    """Every group, in the order of the file.

    Args:
        listed: the file's text; that of ``groups.toml`` when absent.
    """
    text = (ROOT / "tests" / "groups.toml").read_text() if listed is None else listed
    document = tomllib.loads(text)
    markers = tuple(document["markers"])
    return tuple(_group(kind, name, entry, markers) for kind in KINDS for name, entry in document.get(kind, {}).items())


def of_kind(kind: str, names: Sequence[str] = ()) -> list[Group]:
    """The groups of a kind; those of the names given, or all."""
    return [group for group in read() if group.kind == kind and (not names or group.name in names)]


def _group(kind: str, name: str, entry: dict[str, Any], markers: tuple[str, ...]) -> Group:
    return Group(
        kind=kind,
        name=name,
        environment=entry.get("environment", name),
        paths=tuple(entry["paths"]),
        besides=tuple(entry.get("besides", ())),
        markers=markers,
        alone=entry.get("alone", False),
        waits=entry.get("waits", False),
    )


def _below(pattern: str) -> set[str]:
    places = [*ROOT.glob(pattern)]
    if not places:
        raise FileNotFoundError(f"tests/groups.toml: {pattern} is not there")
    files = [file for place in places for file in (place.rglob("test_*.py") if place.is_dir() else [place])]
    return {str(file.relative_to(ROOT)) for file in files if file.name.startswith("test_")}
