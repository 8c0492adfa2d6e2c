"""Writes the table of gates in docs/architecture.md: ``make docs``. A test fails when the page is not up to date."""

from __future__ import annotations

from itertools import groupby
from pathlib import Path

from gauntlet.gates import GATES

PAGE = Path(__file__).with_name("architecture.md")
HEADING = "## The gates of a run\n"
END = "\n`src/gauntlet/gates.py` holds this table"


def table() -> str:
    """The table, in the order in which runs meet the gates."""
    lines = ["| before | gate | asks | settings | numbers |", "|---|---|---|---|---|"]
    for stage, gates in groupby(GATES, key=lambda gate: gate.stage):
        for place, gate in enumerate(gates):
            page = f"[{gate.page.removesuffix('.md')}]({gate.page})"
            cells = ["" if place else stage.value, f"`{gate.name}`", gate.question, f"`{gate.parameter}`", page]
            lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def page(text: str) -> str:
    """The page with the table as it should be.

    Raises:
        ValueError: the page has no such section.
    """
    before, heading, rest = text.partition(HEADING)
    _, end, after = rest.partition(END)
    if not end:
        raise ValueError(f"{PAGE.name} has no section {HEADING.strip()!r} that ends in {END.strip()!r}")
    return f"{before}{heading}{table()}{end}{after}"


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text()))
