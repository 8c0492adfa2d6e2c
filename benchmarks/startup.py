"""From process start to component code, on the engine's own path, for each image that does not load TFDV.

    .venv/bin/python benchmarks/startup.py [IMAGE …]

A component that does nothing is put through the local engine in the environment of each image; the first thing it does
is to note the time. Between the two lie the interpreter, kfp's executor, the component's file, and `gauntlet`.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from pathlib import Path

from gauntlet.orchestration.engine import RunRequest, run_pipeline
from gauntlet.orchestration.environments import ensure_environment
from gauntlet.orchestration.graph import Task
from gauntlet.orchestration.project import Project, find_project
from gauntlet.orchestration.record import RunRecord, RunState, TaskRecord

BUDGET_SECONDS = 0.5
REPEATS = 7
IMAGES = ("evaluation", "model", "delivery")

COMPONENT = '''from gauntlet.orchestration.component import Caching, component


@component(image="{image}", caching=Caching.ACTING)
def note_time() -> float:
    """Note the time."""
    import time

    return time.time()
'''

PIPELINE = '''from components.{image}.note_time import note_time

from gauntlet.orchestration.definition import pipeline


@pipeline(name="startup")
def startup():
    """Note the time."""
    note_time()
'''


class Clock:
    """An observer that notes when a task was handed to the engine."""

    started_at = 0.0

    def note(self, sentence: str) -> None:
        print(sentence)

    def run_started(self, run: RunRecord, folder: Path) -> None: ...

    def task_started(self, task: Task) -> None:
        self.started_at = time.time()

    def task_ended(self, task: TaskRecord) -> None: ...


def measure(ours: Project, image: str, root: Path) -> list[float]:
    """Seconds from the engine's start of the task to its first statement, a first run to warm up left out."""
    for name, text in (
        (f"components/{image}/note_time.py", COMPONENT),
        (f"components/{image}/kfp_config.ini", "[Components]\nnote_time = note_time.py\n"),
        ("pipelines/startup.py", PIPELINE),
    ):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text.format(image=image))
    clock, seconds = Clock(), []
    for _ in range(REPEATS + 1):
        request = RunRequest(
            Project(root),
            "startup",
            {},
            root / "runs",
            environment_of=lambda project, name, announce: ensure_environment(ours, name, announce),
        )
        record, _ = run_pipeline(request, clock)
        assert record.state is RunState.PASSED, record.message
        seconds.append(float(record.tasks[0].results["Output"]) - clock.started_at)
    return seconds[1:]


def main(images: list[str]) -> int:
    """Print a line per image; 1 if the fastest of the repeats is over budget anywhere."""
    ours, within = find_project(Path(__file__).parent), True
    for image in images or IMAGES:
        with tempfile.TemporaryDirectory() as folder:
            seconds = measure(ours, image, Path(folder))
        within &= min(seconds) <= BUDGET_SECONDS
        print(f"{image:<12} best {min(seconds):.3f} s, median {statistics.median(seconds):.3f} s of {len(seconds)}")
    print(f"Budget: {BUDGET_SECONDS} s. {'Kept.' if within else 'Exceeded.'}")
    return 0 if within else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
