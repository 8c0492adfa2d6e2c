"""The lines under a page's title that say what it is about, filled in after the page was made.

A view knows its numbers. Which model, label, data and split they are of is in the lineage of the task's inputs; which
run it was, and when, only the engine knows, since no clock and no run name reaches a pure component. So a page has a
place for each, and who knows fills it; a page without the place stays as it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from gauntlet.reports.page import ABOUT, RUN, partial


@dataclass(frozen=True)
class RunLink:
    """The run that a page belongs to.

    Attributes:
        name: the run's name.
        pipeline: its pipeline.
        started: when it started, with its time zone.
        href: its page, relative to this one.
        reused: whether the page was made by an earlier run, from the same inputs.
    """

    name: str
    pipeline: str
    started: datetime
    href: str
    reused: bool = False


def with_facts(page: str, facts: Sequence[tuple[str, str]]) -> str:
    """Fill in what a page is about: (name, value) pairs."""
    return page.replace(ABOUT, partial("about.html.j2", facts=facts), 1) if facts else page


def with_run(page: str, run: RunLink) -> str:
    """Fill in which run a page belongs to."""
    return page.replace(RUN, partial("run_link.html.j2", run=run), 1)
