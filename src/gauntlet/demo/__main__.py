"""``python -m gauntlet.demo``: two quarters of loan applications, the first to a champion, the second past it."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import click
import yaml
from rich.console import Console
from rich.text import Text

from gauntlet.cli.main import report_errors
from gauntlet.cli.progress import Progress, ending, shown
from gauntlet.demo.loans import generate, write_csv
from gauntlet.demo.story import tell
from gauntlet.errors import EXIT_PASS
from gauntlet.orchestration.engine import RunRequest, run_pipeline
from gauntlet.orchestration.project import find_project
from gauntlet.orchestration.record import RunState

SEED = 20
SPANS = (1, 2)


@click.command()
@click.option("--rows", default=20_000, show_default=True, help="Applications a quarter.")
@click.option(
    "--folder", type=click.Path(path_type=Path), default=Path("runs/demo"), show_default=True, help="Where it all goes."
)
def demo(rows: int, folder: Path) -> int:
    """Take a quarter of generated loan applications to a champion, and the next quarter's model past it."""
    console = Console(file=sys.stdout, highlight=False)
    project = find_project(Path.cwd())
    parameters = yaml.safe_load((project.root / "examples" / "loans.yaml").read_text())
    _forget_models(folder)
    told: list[str] = []
    for span in SPANS:
        data = folder / "data" / f"loans-{span}.csv"
        write_csv(generate(span, rows, SEED), str(data))
        request = RunRequest(
            project=project,
            pipeline="continuous_training",
            parameters={**parameters, "data": [{"uri": str(data.resolve())}]},
            runs=folder,
        )
        with Progress(console) as progress:
            record, run = run_pipeline(request, progress)
        console.print(ending(record))
        console.print()
        told += [f"Quarter {span}: {rows:,} loan applications", *(f"  {line}" for line in tell(record, run))]
        told.append(f"  {'report':<8}  {shown(run / 'index.html')}")
        if record.state is not RunState.PASSED:
            break
    for line in told:
        console.print(Text(line), soft_wrap=True)
    return record.exit_status if record.state is not RunState.PASSED else EXIT_PASS


def _forget_models(folder: Path) -> None:
    """Start with an empty registry, so that the story is the same every time; what pure tasks made is kept."""
    for name in ("mlflow.db", "mlflow-artifacts"):
        path = folder / name
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


if __name__ == "__main__":
    report_errors(demo)
