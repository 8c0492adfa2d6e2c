"""How far a long task is: rows, share and rate, for whoever runs it, and now and then a line in its log.

A task writes what it has done into the file that ``GAUNTLET_PROGRESS_FILE`` names, at most once a second; the console
reads it. On a cluster, where nobody names a file, the task's log has a line every half minute.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from gauntlet.storage import write_json

PROGRESS_FILE = "GAUNTLET_PROGRESS_FILE"
"""Environment variable: the file to write progress into."""

_FILE_SECONDS, _LOG_SECONDS = 1.0, 30.0

Item = TypeVar("Item")


@dataclass(frozen=True)
class Done:
    """What a task has done.

    Attributes:
        doing: what it does, a present participle: ``reading``.
        rows: rows done.
        share: of the whole, in [0, 1]; ``None``: not known.
        rate: rows a second, over all of it so far.
    """

    doing: str
    rows: int
    share: float | None
    rate: float

    def __str__(self) -> str:
        share = "" if self.share is None else f" ({self.share:.0%})"
        return f"{self.doing} {self.rows:,} rows{share}, {self.rate:,.0f} a second"


def watched(
    doing: str,
    items: Iterable[Item],
    rows: Callable[[Item], int],
    *,
    total: float = 0,
    amount: Callable[[Item], float] | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> Iterator[Item]:
    """Pass items on, and write down how far they are once each has been dealt with.

    Args:
        doing: what is done with them.
        items: batches, say.
        rows: rows of an item.
        total: of all amounts; 0: not known, and no share is said.
        amount: what an item adds to the share; its rows by default.
        clock: seconds, from any beginning.
    """
    file = os.environ.get(PROGRESS_FILE)
    start = filed = logged = clock()
    done_rows, done = 0, 0.0
    for item in items:
        yield item
        count = rows(item)
        done_rows += count
        done += amount(item) if amount is not None else count
        now = clock()
        if now - filed < _FILE_SECONDS:
            continue
        state = Done(doing, done_rows, min(done / total, 1.0) if total else None, done_rows / (now - start))
        filed = now
        if file:
            with suppress(OSError):  # a full disk ends the task soon enough, and by another message
                write_json(Path(file), vars(state))
        if now - logged >= _LOG_SECONDS:
            logged = now
            sys.stderr.write(f"{state}\n")


def read_progress(file: Path) -> Done | None:
    """What a task has last written down; ``None`` without any."""
    try:
        fields: dict[str, Any] = json.loads(file.read_text())
        return Done(**fields)
    except (OSError, ValueError, TypeError):
        return None
