"""Page of a task without work: an optional input was absent."""

from __future__ import annotations

from dataclasses import dataclass

from gauntlet.reports.page import render


@dataclass(frozen=True)
class AbsentView:
    """Reason for the absence."""

    reason: str


def absent_page(reason: str, *, title: str) -> str:
    """Render a page with the reason."""
    return render("absent.html.j2", title=title, view=AbsentView(reason))
