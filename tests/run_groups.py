"""Make several groups of tests, whatever becomes of each, and say at the end which failed.

    python tests/run_groups.py test-model test-data --alone test-serving

Two groups run at a time, and the output of each is shown when it ends; then those that bear nothing beside them, one by
one. The exit status is 1 if a group failed.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass

AT_ONCE = 2


@dataclass(frozen=True)
class Outcome:
    """How a group ended: the exit status of its make, and how long it took."""

    group: str
    status: int
    seconds: float


def run_groups(together: Sequence[str], alone: Sequence[str] = ()) -> list[Outcome]:
    """Make every group, and show what each says."""
    outcomes = []
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for ended in as_completed([pool.submit(_make, group, quietly=True) for group in together]):
            outcome, output = ended.result()
            show(f"\n{outcome.group}:\n{output}")
            outcomes.append(outcome)
    for group in alone:
        show(f"\n{group}:\n")
        outcomes.append(_make(group, quietly=False)[0])
    return outcomes


def summary(outcomes: Sequence[Outcome]) -> str:
    """A line for each group, and one that says what failed."""
    lines = [
        f"  {one.group:<18}{'passed' if one.status == 0 else f'FAILED (exit status {one.status})':<26}"
        f"{one.seconds:6.0f} s"
        for one in outcomes
    ]
    failed = [one.group for one in outcomes if one.status != 0]
    last = f"Failed: {', '.join(failed)}" if failed else "All passed"
    last += f" ({len(failed)} of {len(outcomes)})." if failed else f" ({len(outcomes)})."
    return "\n".join(["", *lines, last, ""])


def show(text: str) -> None:
    """To the standard output, at once."""
    sys.stdout.write(text)
    sys.stdout.flush()


def _make(group: str, *, quietly: bool) -> tuple[Outcome, str]:
    start = time.monotonic()
    done = subprocess.run(
        [os.environ.get("MAKE", "make"), "--no-print-directory", group],
        stdout=subprocess.PIPE if quietly else None,
        stderr=subprocess.STDOUT if quietly else None,
        text=True,
        errors="replace",
    )
    return Outcome(group, done.returncode, time.monotonic() - start), done.stdout or ""


def main() -> int:
    """Run what the command line names."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("together", nargs="*", help="groups that may run beside another")
    parser.add_argument("--alone", nargs="*", default=[], help="groups that run after the others, one by one")
    asked = parser.parse_args()
    outcomes = run_groups(asked.together, asked.alone)
    show(summary(outcomes))
    return int(any(outcome.status for outcome in outcomes))


if __name__ == "__main__":
    sys.exit(main())
