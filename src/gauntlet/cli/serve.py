"""``gauntlet serve``."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

from gauntlet.cli.options import project_option

HOST = "gauntlet.delivery.targets.local.server.host"
IMAGE = "serving"


@click.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.option("--port", type=click.IntRange(0, 65535), default=8080, show_default=True, help="For callers; 0: any.")
@click.option(
    "--admin-port",
    type=click.IntRange(0, 65535),
    default=0,
    show_default=True,
    help="For state and metrics; 0: any. host.json in FOLDER says which.",
)
@click.option("--model-name", default="model", show_default=True, help="The model's name in paths.")
@click.option(
    "--timeout",
    type=click.FloatRange(0, min_open=True),
    default=30.0,
    show_default=True,
    help="Seconds an answer may take before the caller gets a 504.",
)
@click.option(
    "--threshold",
    type=float,
    default=0.5,
    show_default=True,
    help="Scores at or above it decide for the class, when answers of two versions are compared.",
)
@project_option
def serve(folder: Path, project_folder: Path | None, **options: str | int | float) -> None:
    """Serve the models of FOLDER on 127.0.0.1, until Ctrl-C.

    Each version is a model server of its own process, behind a router that splits requests by weight, says in
    x-gauntlet-version who answered, and can copy requests to a version that answers nobody. FOLDER is made if it is
    not there, and remembers what serves: started again, it goes on from there, also after a crash.

    An empty FOLDER answers 503 until something is delivered to it, by a pipeline whose service is local:FOLDER.
    GET /v1/state and /metrics on the other port say what runs and what was counted.

    \b
      gauntlet serve services/loans
      gauntlet serve services/loans --port 9000 --model-name loans
      curl -d '{"instances": [{"age": 40}]}' http://127.0.0.1:9000/v1/models/loans:predict
    """
    from gauntlet.orchestration.environments import ensure_environment
    from gauntlet.orchestration.project import find_project

    project = find_project(project_folder or Path.cwd())
    environment = ensure_environment(project, IMAGE, lambda sentence: click.echo(sentence, err=True))
    words = [f"--{name.replace('_', '-')}={value}" for name, value in options.items()]
    _become([str(environment.python), "-m", HOST, str(folder), *words])


def _become(command: list[str]) -> None:
    """Go on as the host itself: Ctrl-C and every other signal then reach it, and its exit status is ours."""
    import gauntlet

    source = str(Path(gauntlet.__file__).resolve().parents[1])
    sys.stdout.flush()
    os.execve(command[0], command, {**os.environ, "PYTHONPATH": source})  # noqa: S606 - no shell; words of our own
