"""``gauntlet run``."""

from __future__ import annotations

import sys
from pathlib import Path

import click
from rich.console import Console

from gauntlet.cli.options import project_option, runs_option


@click.command()
@click.argument("pipeline")
@click.option(
    "--params",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    default=None,
    help="YAML or JSON file with the pipeline's parameters.",
)
@click.option("--name", default="", help="Name of the run; generated from the pipeline and the time by default.")
@click.option(
    "--engine",
    type=click.Choice(["venv"]),
    default="venv",
    show_default=True,
    expose_value=False,
    help="Where tasks run: virtual environments. Containers are not supported yet.",
)
@click.option(
    "--code",
    "modules",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    multiple=True,
    help="Folder of your own modules, for a recipe's trainer; on the import path of every task. May be repeated.",
)
@click.option("--no-cache", is_flag=True, help="Run every task, even if nothing it depends on has changed.")
@runs_option
@project_option
def run(
    pipeline: str,
    params: Path | None,
    name: str,
    modules: tuple[Path, ...],
    no_cache: bool,
    runs: Path,
    project_folder: Path | None,
) -> int:
    """Run PIPELINE on this machine, each task in the environment of its image.

    PIPELINE is one of gauntlet.yaml, where the current folder or one above it has this file, or of the project.

    Tasks run in virtual environments built from the lock files of the images, on first use. A pure task whose inputs,
    parameters, code and lock file did not change is restored from the cache. Relative paths in the parameters are
    relative to the current folder; those in gauntlet.yaml, to the folder of that file.

    \b
      gauntlet run loans-training
      gauntlet run continuous_training --params loans.yaml
      gauntlet run continuous-training --params loans.yaml --no-cache --name first
      gauntlet run continuous-training --params loans.yaml --code models/
    """
    from gauntlet.cli.progress import Progress, print_outcome
    from gauntlet.orchestration.engine import RunRequest, run_pipeline
    from gauntlet.orchestration.parameters import read_parameters
    from gauntlet.orchestration.project import find_project
    from gauntlet.orchestration.team_file import find_team

    console = Console(file=sys.stdout, highlight=False)
    project, team = find_project(project_folder or Path.cwd()), find_team(Path.cwd())
    own = team if team is not None and team.has(pipeline) else None
    request = RunRequest(
        project=project,
        pipeline=pipeline,
        definition=own.define(project, pipeline) if own else None,
        folder=own.folder if own else Path.cwd(),
        parameters=read_parameters(params) if params else {},
        runs=runs,
        name=name,
        reuse=not no_cache,
        modules=modules,
    )
    with Progress(console) as progress:
        record, folder = run_pipeline(request, progress)
    print_outcome(console, record, folder)
    return record.exit_status
