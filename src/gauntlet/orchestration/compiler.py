"""Compiler: from definitions to the committed specs, byte for byte the same on every machine."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from difflib import unified_diff
from pathlib import Path
from typing import Any

import yaml
from kfp.compiler import Compiler

from gauntlet.documents import read_settings_text
from gauntlet.errors import ConfigurationError
from gauntlet.orchestration.definition import declarations
from gauntlet.orchestration.placement import CompileSettings
from gauntlet.orchestration.project import Project, load_components, load_pipeline
from gauntlet.orchestration.spec_rules import violations
from gauntlet.orchestration.standalone import standalone_text
from gauntlet.orchestration.team_file import Team, unknown
from gauntlet.settings import parse
from gauntlet.storage import write_text

SETTINGS_FILE = "settings.yaml"
"""``pipelines/settings.yaml``: compile settings of the committed specs."""

_COMPONENTS = "components"
_HEAD = b"# PIPELINE DEFINITION"
"""How kfp begins every spec."""


@dataclass(frozen=True)
class CompiledSpec:
    """Compiled spec and the path it is committed at.

    Attributes:
        name: the pipeline's or component's file name without its suffix.
        path: its path in the project.
        text: its YAML, one or two documents.
    """

    name: str
    path: Path
    text: str

    @property
    def committed(self) -> str:
        """Text of the committed file; empty if there is none."""
        return self.path.read_text() if self.path.is_file() else ""

    def difference(self, root: Path) -> str:
        """Unified diff from the committed file; empty if it is up to date."""
        name = self.path.relative_to(root).as_posix()
        lines = unified_diff(
            self.committed.splitlines(keepends=True), self.text.splitlines(keepends=True), f"{name} (committed)", name
        )
        return "".join(lines)


def read_settings(project: Project, path: Path | None = None) -> CompileSettings:
    """Compile settings from ``path``, else from ``pipelines/settings.yaml``, else the defaults.

    Raises:
        ConfigurationError: the file cannot be read, has an unknown key or one twice, or names a component that does not
            exist.
    """
    standard = project.pipelines / SETTINGS_FILE
    chosen = path or (standard if standard.is_file() else None)
    if chosen is None:
        return CompileSettings()
    try:
        values = read_settings_text(chosen.read_text(encoding="utf-8-sig"), str(chosen))
    except (OSError, ValueError) as error:
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
            raise unknown(kind, name, known, field)


def compile_pipeline(project: Project, name: str, settings: CompileSettings) -> CompiledSpec:
    """Compile one pipeline and check it against the rules for specs.

    Raises:
        ConfigurationError: there is no such pipeline, or its spec breaks a rule.
    """
    definition = load_pipeline(project, name)
    stem = name.replace("-", "_")
    return _checked(CompiledSpec(stem, project.compiled / f"{stem}.yaml", _text(definition.build(settings))), settings)


def compile_team(project: Project, team: Team, names: Iterable[str] = ()) -> list[CompiledSpec]:
    """Compile pipelines of a team's file, all unless some are named, and check them against the rules for specs.

    Raises:
        ConfigurationError: the file has no pipelines or not the one named, one of them cannot be made, or its spec
            breaks a rule.
    """
    wanted = list(names) or list(team.settings.pipelines)
    if not wanted:
        raise ConfigurationError("has no pipelines", field=str(team.path), mend="Add one: pipelines: {name: ...}")
    specs = []
    for name in wanted:
        definition, settings = team.define(project, name), team.compile_settings(name)
        specs.append(_checked(CompiledSpec(name, team.compiled(name), _text(definition.build(settings))), settings))
    return specs


def compile_components(project: Project, settings: CompileSettings) -> list[CompiledSpec]:
    """Compile every component on its own, for teams that use it in their own pipelines.

    Raises:
        ConfigurationError: the project has no component, or a spec breaks a rule.
    """
    loaded = load_components(project)
    if not loaded:
        raise ConfigurationError("has no components", field="project", value=str(project.components), mend="Add one")
    specs = []
    for name, component in sorted(loaded.items()):
        text = standalone_text(component, declarations()[name], settings.images)
        specs.append(_checked(CompiledSpec(name, project.compiled / _COMPONENTS / f"{name}.yaml", text), settings))
    return specs


def compile_all(project: Project, settings: CompileSettings) -> list[CompiledSpec]:
    """Compile every pipeline and every component of a project.

    Raises:
        ConfigurationError: there is no pipeline or no component, or a spec breaks a rule.
    """
    pipelines = [compile_pipeline(project, name, settings) for name in project.pipeline_files()]
    if not pipelines:
        raise ConfigurationError("has no pipelines", field="project", value=str(project.pipelines), mend="Add one")
    compiled = [*pipelines, *compile_components(project, settings)]
    _require_unique_names(compiled)
    return compiled


def component_lists(project: Project) -> list[CompiledSpec]:
    """For each image the list of its components, by which kfp's executor finds a component's file in the image."""
    by_folder: dict[Path, list[str]] = {}
    for path in project.component_files().values():
        by_folder.setdefault(path.parent, []).append(f"{path.stem} = {path.name}\n")
    return [
        CompiledSpec(folder.name, folder / "kfp_config.ini", "".join(["[Components]\n", *sorted(lines)]))
        for folder, lines in by_folder.items()
    ]


def _checked(compiled: CompiledSpec, settings: CompileSettings) -> CompiledSpec:
    """Check a spec against the rules for specs, and return it."""
    broken = violations(documents(compiled.text), compiled.text, declarations(), settings)
    if broken:
        raise ConfigurationError(
            " ".join(broken), field=compiled.name, mend="Correct the pipeline, its components or the settings"
        )
    return compiled


def _require_unique_names(compiled: Iterable[CompiledSpec]) -> None:
    """Reject two specs of one name: the second upload would fail."""
    paths: dict[str, Path] = {}
    for spec in compiled:
        name = documents(spec.text)["pipelineInfo"]["name"]
        other = paths.setdefault(name, spec.path)
        if other != spec.path:
            raise ConfigurationError(
                f"is the name of two specs, {other.name} and {spec.path.name} in {spec.path.parent.name}/",
                field="pipelineInfo.name",
                value=name,
                mend="Rename the pipeline or the component",
            )


def orphans(folder: Path, compiled: list[CompiledSpec]) -> list[Path]:
    """Committed specs of a folder without a source; what is no spec is left alone."""
    current = {spec.path for spec in compiled}
    found = (path for path in folder.rglob("*.yaml") if path not in current)
    return sorted(path for path in found if path.read_bytes().startswith(_HEAD))


def write(compiled: CompiledSpec) -> bool:
    """Write a spec to its path. Returns whether the file changed."""
    if compiled.committed == compiled.text:
        return False
    write_text(compiled.path, compiled.text)
    return True


def documents(text: str) -> Mapping[str, Any]:
    """Merge the documents of a compiled file into one mapping: the spec's keys, and ``platforms`` of a second one."""
    return {key: value for document in _loaded(text) for key, value in document.items()}


def _loaded(text: str) -> Iterator[Mapping[str, Any]]:
    yield from (document for document in yaml.safe_load_all(text) if document)


def _text(component: Any) -> str:
    """YAML as kfp writes it, which contains no time and no path."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "spec.yaml"
        Compiler().compile(component, str(path))
        return path.read_text()
