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
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8080,
    show_default=True,
    help="Port for predictions; 0: any free port.",
)
@click.option(
    "--admin-port",
    type=click.IntRange(0, 65535),
    default=0,
    show_default=True,
    help="Port for state and metrics; 0: any free port, which host.json in FOLDER names.",
)
@click.option("--model-name", default="model", show_default=True, help="The model's name in URL paths.")
@click.option(
    "--timeout",
    type=click.FloatRange(0, min_open=True),
    default=30.0,
    show_default=True,
    help="Timeout of a request in seconds; after it the caller gets a 504.",
)
@click.option(
    "--threshold",
    type=float,
    default=0.5,
    show_default=True,
    help="Decision threshold for comparing the responses of two versions.",
)
@project_option
def serve(folder: Path, project_folder: Path | None, **options: str | int | float) -> None:
    """Serve the models of FOLDER on 127.0.0.1, until Ctrl-C.

    Each version is a model server in its own process, behind a router that splits traffic by weight, names the version
    that answered in x-gauntlet-version, and can mirror requests to a shadow version. FOLDER is created if missing and
    keeps the service's state: a restart, also after a crash, serves the same versions.

    An empty FOLDER answers 503 until a pipeline whose service is local:FOLDER delivers a model to it. GET /v1/state and
    /metrics on the admin port return state and counters.

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
    _exec_host([str(environment.python), "-m", HOST, str(folder), *words])


def _exec_host(command: list[str]) -> None:
    """Replace this process by the host, so that it receives every signal and its exit status is ours."""
    import gauntlet

    source = str(Path(gauntlet.__file__).resolve().parents[1])
    sys.stdout.flush()
    os.execve(command[0], command, {**os.environ, "PYTHONPATH": source})  # noqa: S606 - no shell; fixed arguments
