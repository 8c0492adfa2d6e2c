"""The page of a task that had nothing to do: an optional input was not there."""

from __future__ import annotations

from dataclasses import dataclass

from gauntlet.reports.page import render


@dataclass(frozen=True)
class AbsentView:
    """Why there is nothing."""

    reason: str


def absent_page(reason: str, *, title: str) -> str:
    """A page that says why there is nothing to show."""
    return render("absent.html.j2", title=title, view=AbsentView(reason))
