"""``python -m gauntlet.demo``: trains and delivers models of two quarters of loans, with optional faults."""

from __future__ import annotations

import shutil
import sys
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import yaml
from rich.console import Console
from rich.text import Text

from gauntlet.cli.main import report_errors
from gauntlet.cli.progress import Progress, ending, relative
from gauntlet.demo.faults import FAULTS, FIRST, SECOND, Changes, Fault, Materials, merged, sound
from gauntlet.demo.loans import generate, write_csv
from gauntlet.demo.production import Production, Traffic, production
from gauntlet.demo.summary import line, summarise_delivery, summarise_training
from gauntlet.errors import EXIT_PASS
from gauntlet.orchestration.engine import RunRequest, run_pipeline
from gauntlet.orchestration.environments import ensure_environment
from gauntlet.orchestration.project import Project, find_project
from gauntlet.orchestration.record import RunRecord, RunState

SEED = 20
RATE = 120.0
"""Applications a second in production."""


@dataclass(frozen=True)
class DemoRuns:
    """Project, folder and console of the demo's runs."""

    project: Project
    folder: Path
    console: Console

    def run(self, pipeline: str, parameters: dict[str, Any]) -> tuple[RunRecord, Path]:
        """Run a pipeline and print its progress."""
        request = RunRequest(project=self.project, pipeline=pipeline, parameters=parameters, runs=self.folder)
        with Progress(self.console) as progress:
            record, run = run_pipeline(request, progress)
        self.console.print(ending(record))
        self.console.print()
        return record, run

    def say(self, sentence: str) -> None:
        """Print a line."""
        self.console.print(sentence)

    def materials(self, rows: int) -> Materials:
        """Settings of the generated data."""
        environment = ensure_environment(self.project, "model", self.say)
        folder = self.folder / "data"
        folder.mkdir(parents=True, exist_ok=True)
        return Materials(folder, rows, SEED, environment.python)

    def example(self, name: str) -> dict[str, Any]:
        """Parameters of an example, as a user would write them."""
        return dict(yaml.safe_load((self.project.root / "examples" / f"{name}.yaml").read_text()))


@click.command()
@click.option("--rows", default=20_000, show_default=True, help="Applications a quarter.")
@click.option(
    "--folder", type=click.Path(path_type=Path), default=Path("runs/demo"), show_default=True, help="Where it all goes."
)
@click.option("--fault", default="", help="Plant a fault: one of those that --fault list shows.")
def demo(rows: int, folder: Path, fault: str) -> int:
    """Take a quarter of generated loan applications to a champion that serves, and the next quarter's model past it.

    With a fault planted, the second quarter's model is stopped: by a gate on its way to the registry, or in production,
    after every test before has passed. The command then ends with 1, as a blocked run does.
    """
    if fault == "list":
        for name, fault_kind in FAULTS.items():
            click.echo(f"{name:<14} {fault_kind.words} ({fault_kind.gate})")
        return EXIT_PASS
    if fault and fault not in FAULTS:
        raise click.UsageError(f"There is no fault {fault!r}. Use one of: {', '.join(FAULTS)}.")
    runs = DemoRuns(find_project(Path.cwd()), folder, Console(file=sys.stdout, highlight=False))
    _forget(folder)
    lines: list[str] = []
    try:
        if fault and FAULTS[fault].plant:
            return _before_the_registry(runs, rows, FAULTS[fault], lines)
        return _to_production(runs, rows, fault, lines)
    finally:
        for text in lines:
            runs.console.print(Text(text), soft_wrap=True)


def _before_the_registry(runs: DemoRuns, rows: int, fault: Fault, lines: list[str]) -> int:
    """Train both quarters, the second with a fault of training; production is never reached."""
    assert fault.plant is not None
    materials = runs.materials(rows)
    for span in (FIRST, SECOND):
        record = _train(runs, span, rows, fault.plant(span, materials), fault if span == SECOND else None, lines)
        if record.state is not RunState.PASSED:
            return record.exit_status
    return EXIT_PASS


def _to_production(runs: DemoRuns, rows: int, fault: str, lines: list[str]) -> int:
    """Train and deliver both quarters, the second with a fault that shows in production, if any."""
    environment = ensure_environment(runs.project, "serving", runs.say)
    parameters, materials = runs.example("loans-delivery"), runs.materials(rows)
    with production(runs.folder, environment.python, parameters["served_as"]) as place:
        for span in (FIRST, SECOND):
            planted, changes = fault if span == SECOND else "", sound(span, materials)
            if planted:
                changes["recipe"] = {"trainer": "gauntlet.demo.faulty:train", "options": {"fault": planted}}
            record = _train(runs, span, rows, changes, FAULTS[planted] if planted else None, lines)
            if record.state is not RunState.PASSED:
                return record.exit_status
            record = _deliver(runs, place, parameters, span, planted, lines)
            if record.state is not RunState.PASSED:
                return record.exit_status
    return EXIT_PASS


def _train(runs: DemoRuns, span: int, rows: int, changes: Changes, fault: Fault | None, lines: list[str]) -> RunRecord:
    parameters = merged(runs.example("loans"), changes)
    record, run = runs.run("continuous_training", parameters)
    planted = f"; planted: {fault.words}" if fault else ""
    lines.append(f"Quarter {span}: {rows:,} loan applications{planted}")
    lines += [
        f"  {words}" for words in (*summarise_training(record, run), line("report", relative(run / "index.html")))
    ]
    if record.state is not RunState.PASSED:
        lines.append("")
    return record


def _deliver(
    runs: DemoRuns, place: Production, parameters: dict[str, Any], span: int, fault: str, lines: list[str]
) -> RunRecord:
    """Deliver the quarter's model; production has traffic from the second delivery on."""
    requests = runs.folder / "data" / f"requests-{span}.csv"
    write_csv(generate(span + 1, 2_000, SEED + 1, label=False), str(requests))
    parameters = {
        **parameters,
        "service": place.service,
        "staging": place.staging,
        "requests": [{"uri": str(requests.resolve())}],
    }
    if fault:
        # A shadow would find the fault first; advisory, so that the canary is seen to find it.
        parameters["enforcement_policy"] = {"advisory": ["shadow"]}
    first = span == FIRST
    with nullcontext(Traffic(Path())) if first else place.traffic(requests, rate=RATE) as traffic:
        record, run = runs.run("continuous_delivery", parameters)
    callers = {} if first else traffic.counts()
    lines += [
        f"  {words}"
        for words in (*summarise_delivery(record, run, callers), line("report", relative(run / "index.html")))
    ]
    lines.append("")
    return record


def _forget(folder: Path) -> None:
    """Delete registry and production of an earlier demo, so that every run is the same.

    Cached outputs of pure tasks are kept.
    """
    for name in ("mlflow.db", "mlflow-artifacts", "production", "staging"):
        path = folder / name
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


if __name__ == "__main__":
    report_errors(demo)
