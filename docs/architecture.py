"""Writes the tables of docs/architecture.md: ``make docs``. A test fails when the page is not up to date."""

from __future__ import annotations

import re
from itertools import groupby
from pathlib import Path

from gauntlet.gates import GATES

PAGE = Path(__file__).with_name("architecture.md")
COMPONENTS = PAGE.parents[1] / "components"
HEADING = "## The gates of a run\n"
END = "\n`src/gauntlet/gates.py` holds this table"
ROW_OF_IMAGE = re.compile(r"^(\| `(\w+)` \| [^|]+ \|)[^|]*\|$", re.MULTILINE)
"""A row of the table of images: the image, what it holds, and its components."""


def gates() -> str:
    """The table of gates, in the order in which runs meet them."""
    lines = ["| before | gate | asks | settings | numbers |", "|---|---|---|---|---|"]
    for stage, members in groupby(GATES, key=lambda gate: gate.stage):
        for place, gate in enumerate(members):
            page = f"[{gate.page.removesuffix('.md')}]({gate.page})"
            cells = ["" if place else stage.value, f"`{gate.name}`", gate.question, f"`{gate.parameter}`", page]
            lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def page(text: str) -> str:
    """The page with both tables as they should be.

    Raises:
        ValueError: the page has no section for the gates.
    """
    before, heading, rest = text.partition(HEADING)
    _, end, after = rest.partition(END)
    if not end:
        raise ValueError(f"{PAGE.name} has no section {HEADING.strip()!r} that ends in {END.strip()!r}")
    return f"{ROW_OF_IMAGE.sub(_row_of_image, before)}{heading}{gates()}{end}{after}"


def _row_of_image(row: re.Match[str]) -> str:
    names = [f"`{path.stem}`" for path in sorted((COMPONENTS / row[2]).glob("*.py"))]
    return f"{row[1]} {' '.join(names)} |"


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text()))
