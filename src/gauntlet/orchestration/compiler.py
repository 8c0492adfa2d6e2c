"""From definitions to the specs that are committed and published, byte for byte the same on every machine."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches, unified_diff
from pathlib import Path
from typing import Any

import yaml
from kfp.compiler import Compiler

from gauntlet.errors import ConfigurationError
from gauntlet.orchestration.definition import declarations
from gauntlet.orchestration.placement import CompileSettings
from gauntlet.orchestration.policy import violations
from gauntlet.orchestration.project import Project, load_components, load_pipeline
from gauntlet.orchestration.standalone import standalone_text
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
    _require_known("component", f"{chosen.name}.components", settings.components, project.component_files())
    _require_known("pipeline", f"{chosen.name}.deadlines", settings.deadlines, project.pipeline_files())
    return settings


def _require_known(kind: str, field: str, names: Iterable[str], known: Mapping[str, Path]) -> None:
    for name in names:
        if name not in known:
            close = get_close_matches(name, known, n=1)
            mend = f"Did you mean {close[0]!r}?" if close else f"Use one of: {', '.join(known)}"
            raise ConfigurationError(f"no such {kind}", field=field, value=name, mend=mend)


def compile_pipeline(project: Project, name: str, settings: CompileSettings) -> Compiled:
    """Compile one pipeline and hold it against the house rules.

    Raises:
        ConfigurationError: there is no such pipeline, or its spec breaks a rule.
    """
    definition = load_pipeline(project, name)
    graph = definition.build(settings)
    stem = name.replace("-", "_")
    return _held(Compiled(stem, project.compiled / f"{stem}.yaml", _text(graph)), settings)


def compile_components(project: Project, settings: CompileSettings) -> list[Compiled]:
    """Compile every component on its own, for teams that take one into a pipeline of theirs.

    Raises:
        ConfigurationError: the project has no component, or a spec breaks a rule.
    """
    loaded = load_components(project)
    if not loaded:
        raise ConfigurationError("has no components", field="project", value=str(project.components), mend="Add one")
    specs = []
    for name, component in sorted(loaded.items()):
        text = standalone_text(component, declarations()[name], settings.images)
        specs.append(_held(Compiled(name, project.compiled / _COMPONENTS / f"{name}.yaml", text), settings))
    return specs


def compile_all(project: Project, settings: CompileSettings) -> list[Compiled]:
    """Compile every pipeline and every component of a project.

    Raises:
        ConfigurationError: there is no pipeline or no component, or a spec breaks a rule.
    """
    pipelines = [compile_pipeline(project, name, settings) for name in project.pipeline_files()]
    if not pipelines:
        raise ConfigurationError("has no pipelines", field="project", value=str(project.pipelines), mend="Add one")
    compiled = [*pipelines, *compile_components(project, settings)]
    _require_own_names(compiled)
    return compiled


def _held(compiled: Compiled, settings: CompileSettings) -> Compiled:
    """The spec, held against the house rules."""
    broken = violations(documents(compiled.text), compiled.text, declarations(), settings)
    if broken:
        raise ConfigurationError(
            " ".join(broken), field=compiled.name, mend="Correct the pipeline, its components or the settings"
        )
    return compiled


def _require_own_names(compiled: Iterable[Compiled]) -> None:
    """Two specs of one name cannot both be published: the second upload is refused."""
    seen: dict[str, Path] = {}
    for one in compiled:
        name = documents(one.text)["pipelineInfo"]["name"]
        other = seen.setdefault(name, one.path)
        if other != one.path:
            raise ConfigurationError(
                f"is the name of two specs, {other.name} and {one.path.name} of {one.path.parent.name}",
                field="pipelineInfo.name",
                value=name,
                mend="Rename the pipeline or the component",
            )


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
