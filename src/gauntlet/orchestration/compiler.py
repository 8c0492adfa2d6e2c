"""From definitions to the specs that are committed and published, byte for byte the same on every machine."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches, unified_diff
from pathlib import Path
from typing import Any

import yaml
from google.protobuf import json_format
from kfp.compiler import Compiler

from gauntlet.errors import ConfigurationError
from gauntlet.orchestration.component import image_reference
from gauntlet.orchestration.definition import declarations
from gauntlet.orchestration.placement import CompileSettings
from gauntlet.orchestration.policy import violations
from gauntlet.orchestration.project import Project, load_components, load_pipeline
from gauntlet.settings import parse
from gauntlet.storage import write_text

SETTINGS_FILE = "settings.yaml"
"""``pipelines/settings.yaml``: what the committed specs are compiled with."""

_COMPONENTS = "components"


@dataclass(frozen=True)
class Compiled:
    """A spec and the file it belongs in.

    Attributes:
        name: the pipeline's or component's file name without its ending.
        path: where it is committed.
        text: its YAML, one or two documents.
    """

    name: str
    path: Path
    text: str

    @property
    def committed(self) -> str:
        """What the file holds now; empty if there is none."""
        return self.path.read_text() if self.path.is_file() else ""

    def difference(self, root: Path) -> str:
        """Unified diff from what is committed; empty if it is up to date."""
        name = self.path.relative_to(root).as_posix()
        lines = unified_diff(
            self.committed.splitlines(keepends=True), self.text.splitlines(keepends=True), f"{name} (committed)", name
        )
        return "".join(lines)


def read_settings(project: Project, path: Path | None = None) -> CompileSettings:
    """Compile settings from ``path``, else from ``pipelines/settings.yaml``, else the defaults.

    Raises:
        ConfigurationError: the file cannot be read, has an unknown key, or names a component that does not exist.
    """
    standard = project.pipelines / SETTINGS_FILE
    chosen = path or (standard if standard.is_file() else None)
    if chosen is None:
        return CompileSettings()
    try:
        values = yaml.safe_load(chosen.read_text())
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        reason = " ".join(str(error).split())
        raise ConfigurationError("cannot be read", field=str(chosen), value=reason, mend="Give a YAML file") from error
    if values is not None and not isinstance(values, dict):
        raise ConfigurationError("is not a mapping", field=str(chosen), value=values, mend="Write one key a line")
    settings = parse(CompileSettings, values, field=chosen.name)
    known = project.component_files()
    for name in settings.components:
        if name not in known:
            close = get_close_matches(name, known, n=1)
            mend = f"Did you mean {close[0]!r}?" if close else f"Use one of: {', '.join(known)}"
            raise ConfigurationError("no such component", field=f"{chosen.name}.components", value=name, mend=mend)
    return settings


def compile_pipeline(project: Project, name: str, settings: CompileSettings) -> Compiled:
    """Compile one pipeline and hold it against the house rules.

    Raises:
        ConfigurationError: there is no such pipeline, or its spec breaks a rule.
    """
    definition = load_pipeline(project, name)
    graph = definition.build(settings)
    text = _text(graph)
    spec = json_format.MessageToDict(graph.pipeline_spec)
    broken = violations(spec, text, declarations(), settings)
    if broken:
        raise ConfigurationError(
            " ".join(broken), field=definition.name, mend="Correct the pipeline, its components or the settings"
        )
    stem = name.replace("-", "_")
    return Compiled(stem, project.compiled / f"{stem}.yaml", text)


def compile_components(project: Project, settings: CompileSettings) -> list[Compiled]:
    """Compile every component on its own, for teams that take one into a pipeline of theirs.

    Raises:
        ConfigurationError: the project has no component.
    """
    loaded = load_components(project)
    if not loaded:
        raise ConfigurationError("has no components", field="project", value=str(project.components), mend="Add one")
    specs = []
    for name, component in sorted(loaded.items()):
        image = declarations()[name].image
        text = _text(component).replace(
            f"image: {image_reference(image)}\n", f"image: {settings.images.reference(image)}\n"
        )
        specs.append(Compiled(name, project.compiled / _COMPONENTS / f"{name}.yaml", text))
    return specs


def compile_all(project: Project, settings: CompileSettings) -> list[Compiled]:
    """Compile every pipeline and every component of a project.

    Raises:
        ConfigurationError: there is no pipeline or no component, or a spec breaks a rule.
    """
    pipelines = [compile_pipeline(project, name, settings) for name in project.pipeline_files()]
    if not pipelines:
        raise ConfigurationError("has no pipelines", field="project", value=str(project.pipelines), mend="Add one")
    return [*pipelines, *compile_components(project, settings)]


def orphans(project: Project, compiled: list[Compiled]) -> list[Path]:
    """Committed specs that nothing compiles to any more."""
    current = {one.path for one in compiled}
    return sorted(path for path in project.compiled.rglob("*.yaml") if path not in current)


def write(compiled: Compiled) -> bool:
    """Write a spec where it belongs. Says whether that changed anything."""
    if compiled.committed == compiled.text:
        return False
    write_text(compiled.path, compiled.text)
    return True


def documents(text: str) -> Mapping[str, Any]:
    """The documents of a compiled file as one mapping: the spec's keys, and ``platforms`` if it has a second one."""
    return {key: value for document in _loaded(text) for key, value in document.items()}


def _loaded(text: str) -> Iterator[Mapping[str, Any]]:
    yield from (document for document in yaml.safe_load_all(text) if document)


def _text(component: Any) -> str:
    """What kfp writes: it knows no time and no path."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "spec.yaml"
        Compiler().compile(component, str(path))
        return path.read_text()
