"""``gauntlet.yaml``: what a team has. Its images, where its tasks run, and its pipelines with their own few inputs.

images: {registry: ghcr.io/acme, tag: "1.4.0"}
placement:
  components: {train_model: {memory: 64Gi}}
pipelines:
  loans-training:
    pipeline: continuous_training
    parameters: loans.yaml
    ask: [data, promote]

A pipeline of the file is one of Gauntlet's with values given: they are no inputs any more, what nobody asks for has its
default, and branches that look at what is not there (no history, no serving log) have no tasks.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any

from google.protobuf import json_format
from pydantic import Field, StringConstraints

from gauntlet.documents import read_settings_text
from gauntlet.errors import ConfigurationError
from gauntlet.orchestration.definition import NAME, PipelineDefinition
from gauntlet.orchestration.parameters import check_values, read_parameters
from gauntlet.orchestration.placement import CompileSettings, Images, Placement
from gauntlet.orchestration.project import Project, load_pipeline
from gauntlet.settings import Settings, parse

FILE = "gauntlet.yaml"
COMPILED = "compiled"
"""Folder beside the file that holds its compiled pipelines."""
PipelineName = Annotated[str, StringConstraints(pattern=NAME.pattern)]


class TeamPipeline(Settings):
    """A pipeline of the team's: one of Gauntlet's, or of its project, with values given."""

    pipeline: str = Field(min_length=1, description="The pipeline it is made of: continuous_training.")
    parameters: str | dict[str, Any] = Field(
        default={}, description="Values of its parameters, or the file that holds them; they are no inputs any more."
    )
    ask: tuple[str, ...] = Field(default=(), description="Parameters that stay inputs, with their defaults.")
    description: str = Field(default="", description="What the UI says of it.")
    deadline_seconds: int | None = Field(default=None, ge=1, description="Longest run, instead of the file's.")


class TeamPlacement(Settings):
    """Where tasks run."""

    defaults: Placement = Field(default=Placement(), description="For every component.")
    components: dict[str, Placement] = Field(
        default={}, description="By component (train_model): what is written here replaces the default, field by field."
    )


class TeamFile(Settings):
    """What a team has: ``gauntlet.yaml``."""

    images: Images = Field(default=Images(), description="Where the images lie.")
    placement: TeamPlacement = Field(
        default=TeamPlacement(), description="Resources, nodes, secrets, retries and time limits."
    )
    deadline_seconds: int = Field(default=172_800, ge=1, description="Longest run, from its start.")
    pipelines: dict[PipelineName, TeamPipeline] = Field(default={}, description="Name → pipeline.")


@dataclass(frozen=True)
class Team:
    """A team's file, read.

    Attributes:
        path: the file.
        settings: what is in it.
    """

    path: Path
    settings: TeamFile

    @property
    def folder(self) -> Path:
        """Where the file lies; paths in it are relative to that."""
        return self.path.parent

    def has(self, name: str) -> bool:
        """Whether a pipeline of this name is in the file."""
        return name in self.settings.pipelines

    @property
    def compiled_folder(self) -> Path:
        """Where the specs of its pipelines are written; nothing else lies there."""
        return self.folder / COMPILED

    def compiled(self, name: str) -> Path:
        """Where a pipeline's spec is written."""
        return self.compiled_folder / f"{name}.yaml"

    def compile_settings(self, name: str) -> CompileSettings:
        """What a pipeline of the file is compiled with."""
        entry, whole = self.settings.pipelines[name], self.settings
        return CompileSettings(
            images=whole.images,
            defaults=whole.placement.defaults,
            components=whole.placement.components,
            deadline_seconds=entry.deadline_seconds or whole.deadline_seconds,
        )

    def define(self, project: Project, name: str) -> PipelineDefinition:
        """A pipeline of the file, ready to be built.

        Args:
            project: where the pipelines lie that these are made of.
            name: the pipeline.

        Raises:
            ConfigurationError: no such pipeline; or a parameter of it does not exist, is missing, of another type, or
                given and asked for.
        """
        if not self.has(name):
            raise unknown("pipeline", name, self.settings.pipelines, f"{self.path.name}: pipelines")
        for component in self.settings.placement.components:
            if component not in project.component_files():
                field = f"{self.path.name}: placement.components"
                raise unknown("component", component, project.component_files(), field)
        entry, place = self.settings.pipelines[name], f"{self.path.name}: pipelines.{name}"
        try:
            definition = load_pipeline(project, entry.pipeline)
            generic = json_format.MessageToDict(definition.build(self.compile_settings(name)).pipeline_spec)
            given = check_values(generic, self._parameters(entry))
            return definition.baked(name, given, entry.ask, entry.description)
        except ConfigurationError as error:
            raise ConfigurationError(
                error.message, field=f"{place}.{error.field}", value=error.value, mend=error.mend
            ) from error

    def _parameters(self, entry: TeamPipeline) -> dict[str, Any]:
        if isinstance(entry.parameters, str):
            return read_parameters(self.folder / entry.parameters)
        return entry.parameters


def find_team(start: Path) -> Team | None:
    """Read the file of the folder, or of the nearest one above that has it; ``None`` if none has.

    Raises:
        ConfigurationError: as ``read_team``.
    """
    for folder in (start.resolve(), *start.resolve().parents):
        if (folder / FILE).is_file():
            return read_team(folder / FILE)
    return None


def read_team(path: Path) -> Team:
    """Read a team's file.

    Raises:
        ConfigurationError: it cannot be read, has an unknown key or one twice, or a value that cannot be meant.
    """
    try:
        values = read_settings_text(path.read_text(encoding="utf-8-sig"), path.name)
    except (OSError, ValueError) as error:
        reason = " ".join(str(error).split())
        raise ConfigurationError("cannot be read", field=str(path), value=reason, mend="Give a YAML file") from error
    if values is not None and not isinstance(values, dict):
        raise ConfigurationError("is not a mapping", field=str(path), value=values, mend="Write one key a line")
    return Team(path, parse(TeamFile, values, field=path.name))


def json_schema_text() -> str:
    """The file's JSON Schema, for editors."""
    schema = TeamFile.model_json_schema()
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "title": FILE}
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def unknown(kind: str, name: str, known: Mapping[str, object], field: str) -> ConfigurationError:
    """What is raised for a name that is none of those known."""
    close = get_close_matches(name, known, n=1)
    mend = f"Did you mean {close[0]!r}?" if close else f"Use one of: {', '.join(known) or '(none is defined)'}"
    return ConfigurationError(f"no such {kind}", field=field, value=name, mend=mend)
