"""``gauntlet report``."""

from __future__ import annotations

import sys
from pathlib import Path

import click
from rich.console import Console
from rich.text import Text

from gauntlet.cli.options import runs_option


@click.command()
@click.argument("run", default="latest")
@runs_option
def report(run: str, runs: Path) -> int:
    """Show RUN (the latest by default): its tasks and what gates found, what came out, and the path of its report.

    RUN is the name of a run, or the path of its folder. The exit status is that of the run.

    \b
      gauntlet report
      gauntlet report continuous-training-20260301-140509
    """
    from gauntlet.cli.progress import print_finding, print_outcome, task_line
    from gauntlet.orchestration.liveness import read_run

    console = Console(file=sys.stdout, highlight=False)
    folder = runs / run if (runs / run).is_dir() else Path(run)
    record = read_run(folder)
    console.print(Text.assemble((record.pipeline, "bold"), f"  run {record.name}, started {record.started}"))
    width = max((len(task.name) for task in record.tasks), default=0)
    for task in record.tasks:
        console.print(task_line(task, width), soft_wrap=True)
        print_finding(console, task, folder)
    print_outcome(console, record, folder.resolve(), message=record.message)
    return record.exit_status
