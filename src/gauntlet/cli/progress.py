"""Progress of a run on the terminal: one line per task with its duration, and a live status line."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from types import TracebackType

from rich.console import Console
from rich.live import Live
from rich.text import Text

from gauntlet.errors import EXIT_USAGE
from gauntlet.orchestration.graph import Task
from gauntlet.orchestration.record import RunRecord, RunState, TaskRecord, TaskState
from gauntlet.orchestration.results import results_of
from gauntlet.orchestration.task import progress_file
from gauntlet.orchestration.verdicts import verdict_of
from gauntlet.progress import read_progress
from gauntlet.reports.format import duration
from gauntlet.verdict import Status, Verdict

_WORDS = {
    TaskState.SUCCEEDED: ("done", "green"),
    TaskState.REUSED: ("reused", "cyan"),
    TaskState.FAILED: ("failed", "bold red"),
    TaskState.SKIPPED: ("skipped", "dim"),
}
_ENDINGS = {
    RunState.PASSED: ("Passed", "bold green"),
    RunState.STOPPED: ("Stopped by a gate", "bold yellow"),
    RunState.BROKEN: ("Broken", "bold red"),
    RunState.INTERRUPTED: ("Interrupted", "bold yellow"),
    RunState.RUNNING: ("Still running, or killed", "bold yellow"),
}
_MISCONFIGURED = ("Wrong configuration", "bold red")
_UNUSABLE = ("Unusable data", "bold red")
_NOTES = "notes"
"""Metadata of an artifact: sentences that a reader should know, one a line."""
_INDENT = "  "
_WORD_WIDTH = 8
_RESULT_WIDTH = 13


class Progress:
    """Observer that prints a run's progress. Use it as a context manager.

    Args:
        console: where to.
        every: seconds between lines about long tasks, where the console is no terminal and has no live line.
    """

    def __init__(self, console: Console, every: float = 30.0) -> None:
        self._console = console
        self._running: dict[str, float] = {}
        self._width = 0
        self._folder = Path()
        # During a run standard output is redirected to kfp's log, so Live must not redirect it.
        self._live = Live(
            get_renderable=self._status_line,
            console=console,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )
        self._every = every
        self._ended = threading.Event()

    def __enter__(self) -> Progress:
        if self._console.is_terminal:
            self._live.start()
        else:
            threading.Thread(target=self._say_now_and_then, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._running.clear()
        self._live.stop()

    def note(self, sentence: str) -> None:
        """Print a message that concerns no task."""
        self._console.print(Text(sentence, style="dim"), soft_wrap=True)

    def run_started(self, run: RunRecord, folder: Path) -> None:
        """Print the run's name."""
        self._folder = folder
        self._width = max((len(task.name) for task in run.tasks), default=0)
        self._console.print(Text.assemble((run.pipeline, "bold"), f"  run {run.name}, {len(run.tasks)} tasks"))

    def task_started(self, task: Task) -> None:
        """Show the task in the live line."""
        self._running[task.name] = time.monotonic()

    def task_ended(self, task: TaskRecord) -> None:
        """Print the task's line, and for a failure its cause and log."""
        self._running.pop(task.name, None)
        self._console.print(task_line(task, self._width), soft_wrap=True)
        if task.state is TaskState.FAILED:
            margin = " " * (len(_INDENT) + _WORD_WIDTH)
            self._console.print(Text(f"{margin}{task.error}", style="red"), soft_wrap=True)
            self._console.print(Text(f"{margin}log: {relative(self._folder / task.log)}"), soft_wrap=True)
        print_finding(self._console, task, self._folder)

    def _status_line(self) -> Text:
        parts = [self._how_far(name, since) for name, since in sorted(self._running.items())]
        return Text(f"{_INDENT}{'running':<{_WORD_WIDTH}}{', '.join(parts)}" if parts else "", style="dim")

    def _how_far(self, name: str, since: float) -> str:
        """``import-snapshot 1 min 30 s: reading 1,200,000 rows (43%), 13,333 a second``."""
        done = read_progress(progress_file(self._folder, name))
        return f"{name} {duration(time.monotonic() - since)}" + (f": {done}" if done else "")

    def _say_now_and_then(self) -> None:
        while not self._ended.wait(self._every):
            for name, since in sorted(self._running.items()):
                if read_progress(progress_file(self._folder, name)):
                    line = f"{_INDENT}{'running':<{_WORD_WIDTH}}{self._how_far(name, since)}"
                    self._console.print(Text(line, style="dim"), soft_wrap=True)


def task_line(task: TaskRecord, width: int) -> Text:
    """``done    train-model    12 s``."""
    word, style = _WORDS[task.state]
    ran = task.state in {TaskState.SUCCEEDED, TaskState.FAILED} and task.seconds is not None
    took = duration(task.seconds) if ran else ""
    return Text.assemble(_INDENT, (f"{word:<{_WORD_WIDTH}}", style), f"{task.name:<{width}}  {took:>10}".rstrip())


def print_finding(console: Console, task: TaskRecord, folder: Path) -> None:
    """Print what a task found that a reader should know: of the data, or as a gate."""
    for artifact in task.artifacts.values():
        for sentence in str(artifact.metadata.get(_NOTES, "")).splitlines():
            console.print(Text(" " * (len(_INDENT) + _WORD_WIDTH) + sentence, style="yellow"), soft_wrap=True)
    verdict = verdict_of(task, folder)
    if verdict is not None and not verdict.status.is_clear:
        console.print(verdict_line(verdict), soft_wrap=True)


def verdict_line(verdict: Verdict) -> Text:
    """What a gate found that a reader should know: ``inconclusive: `income` may have moved …``."""
    style = "yellow" if verdict.enforceable.is_clear or verdict.status is Status.INCONCLUSIVE else "red"
    words = f"{verdict.status.words}: {' '.join(verdict.summary.split())}"
    return Text.assemble(" " * (len(_INDENT) + _WORD_WIDTH), (words, style))


def ending(run: RunRecord) -> Text:
    """Outcome of a run, in one line."""
    wrong_use = _UNUSABLE if run.data_at_fault else _MISCONFIGURED
    word, style = wrong_use if run.exit_status == EXIT_USAGE else _ENDINGS[run.state]
    reused = sum(task.state is TaskState.REUSED for task in run.tasks)
    detail = f", {reused} of {len(run.tasks)} tasks reused" if reused else ""
    return Text.assemble((word, style), f" after {duration(run.seconds)}{detail}")


def print_outcome(console: Console, run: RunRecord, folder: Path, message: str = "") -> None:
    """Print how a run ended, what came out of it, and where its page is.

    Args:
        console: where to.
        run: the run.
        folder: its folder.
        message: why it did not pass, where that was not printed while it ran.
    """
    console.print(ending(run))
    if message:
        console.print(Text(message), soft_wrap=True)
    for name, sentence in results_of(run, folder):
        words = " ".join(sentence.split())
        console.print(Text.assemble((f"{_INDENT}{name.lower():<{_RESULT_WIDTH}}", "dim"), words), soft_wrap=True)
    console.print(f"Report: {relative(folder / 'index.html')}", soft_wrap=True)


def relative(path: Path) -> str:
    """Path relative to the current folder if it is inside it."""
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)
