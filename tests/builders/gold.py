"""Gold files: what a page looked like when somebody last looked at it.

``GAUNTLET_UPDATE_GOLD=1`` writes them anew; look at the difference before committing it.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

_STYLE = re.compile(r"<style>.*?</style>", re.DOTALL)
_STYLE_DIGEST = re.compile(r"style-src 'sha256-[^']*'")


def normalised(page: str) -> str:
    """A page without its style sheet and without blank lines, one tag a line."""
    without_style = _STYLE_DIGEST.sub("style-src '…'", _STYLE.sub("<style></style>", page))
    lines = (line.strip() for line in without_style.replace("><", ">\n<").splitlines())
    return "\n".join(line for line in lines if line) + "\n"


def assert_gold(page: str, gold: Path) -> None:
    """The page is what the gold file says, or becomes it when asked to."""
    found = normalised(page)
    if os.environ.get("GAUNTLET_UPDATE_GOLD") == "1":
        gold.parent.mkdir(parents=True, exist_ok=True)
        gold.write_text(found)
    assert gold.is_file(), f"{gold.name} is missing: run with GAUNTLET_UPDATE_GOLD=1 and look at what it wrote"
    assert found == gold.read_text(), f"{gold.name} differs: look, then run with GAUNTLET_UPDATE_GOLD=1"
