"""``gauntlet compile`` and ``gauntlet diff``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console
from rich.text import Text

from gauntlet.cli.options import project_option, settings_option
from gauntlet.errors import EXIT_PASS

if TYPE_CHECKING:
    from gauntlet.orchestration.compiler import CompiledSpec

EXIT_DIFFERENT = 1


@click.command("compile")
@click.argument("pipeline", required=False)
@click.option(
    "--check", is_flag=True, help="Write nothing; show what is not up to date, and exit with 1 if anything is."
)
@settings_option
@project_option
def compile_command(pipeline: str | None, check: bool, settings: Path | None, project_folder: Path | None) -> int:
    """Compile PIPELINE, or every pipeline and component, into pipelines/compiled.

    In a folder with a gauntlet.yaml: compile the pipelines of that file, into the folder compiled beside it.

    A component is found in its image by a list of the image's components (kfp_config.ini), which is written too.
    Images, resources, node selectors, tolerations and secrets come from the settings file. The specs are the same,
    byte for byte, on every machine, and are checked against the rules for specs: a component that reads or changes the
    outside world is never cached, only training requests an accelerator, every input has a description.

    \b
      gauntlet compile
      gauntlet compile loans-training
      gauntlet compile continuous_training --settings production.yaml
      gauntlet compile --check
    """
    from gauntlet.orchestration.compiler import orphans, write

    console = Console(file=sys.stdout, highlight=False)
    root, folder, compiled = _compile(pipeline, settings, project_folder)
    stale = [] if pipeline else orphans(folder, compiled)
    lists = [] if pipeline else _component_lists(root)
    if check:
        differences = [text for spec in [*compiled, *lists] if (text := spec.difference(root))]
        for text in differences:
            console.print(Text(text), soft_wrap=True)
        for path in stale:
            console.print(f"{path.relative_to(root)}: no source compiles to it any more", soft_wrap=True)
        if differences or stale:
            console.print("Not up to date. Run 'gauntlet compile' and commit the result.")
            return EXIT_DIFFERENT
        console.print(f"{len(compiled)} specs are up to date.")
        return EXIT_PASS
    for path in stale:
        path.unlink()
        console.print(f"removed  {path.relative_to(root)}", soft_wrap=True)
    for spec in [*compiled, *lists]:
        word = "written" if write(spec) else "same"
        console.print(f"{word:<8} {spec.path.relative_to(root)}", soft_wrap=True)
    return EXIT_PASS


@click.command()
@click.argument("pipeline", required=False)
@settings_option
@project_option
def diff(pipeline: str | None, settings: Path | None, project_folder: Path | None) -> int:
    """Show what changed since PIPELINE, or everything, was last compiled, by parameter, task and component.

    Exits with 1 if anything changed.

    \b
      gauntlet diff
      gauntlet diff continuous_training --settings production.yaml
    """
    from gauntlet.orchestration.compiler import documents, orphans
    from gauntlet.orchestration.difference import changes

    console = Console(file=sys.stdout, highlight=False)
    root, folder, compiled = _compile(pipeline, settings, project_folder)
    by_path = {spec.path: changes(documents(spec.committed), documents(spec.text)) for spec in compiled}
    stale = [] if pipeline else orphans(folder, compiled)
    for path, listed in by_path.items():
        if listed:
            console.print(Text(str(path.relative_to(root)), style="bold"), soft_wrap=True)
        for change in listed:
            console.print(Text(f"  {change}"), soft_wrap=True)
    for path in stale:
        console.print(f"{path.relative_to(root)}: no source compiles to it any more", soft_wrap=True)
    if not any(by_path.values()) and not stale:
        console.print("Nothing changed.")
        return EXIT_PASS
    return EXIT_DIFFERENT


def _component_lists(root: Path) -> list[CompiledSpec]:
    """The lists of a project's components; a team's folder has none."""
    from gauntlet.orchestration.compiler import component_lists
    from gauntlet.orchestration.project import Project

    return component_lists(Project(root))


def _compile(
    pipeline: str | None, settings: Path | None, project_folder: Path | None
) -> tuple[Path, Path, list[CompiledSpec]]:
    """The folder that paths are shown from, the one that specs lie in, and the specs."""
    from gauntlet.orchestration.compiler import compile_all, compile_pipeline, compile_team, read_settings
    from gauntlet.orchestration.project import find_project
    from gauntlet.orchestration.team_file import find_team

    project = find_project(project_folder or Path.cwd())
    team = None if settings else find_team(Path.cwd())
    if team is not None and (pipeline is None or team.has(pipeline)):
        return team.folder, team.compiled_folder, compile_team(project, team, [pipeline] if pipeline else ())
    chosen = read_settings(project, settings)
    compiled = [compile_pipeline(project, pipeline, chosen)] if pipeline else compile_all(project, chosen)
    return project.root, project.compiled, compiled
