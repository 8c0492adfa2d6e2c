"""Writes docs/schemas/gauntlet.schema.json: ``python docs/team_schema.py``. A test fails when it is out of date."""

from __future__ import annotations

from pathlib import Path

from gauntlet.orchestration.team_file import json_schema_text

SCHEMA = Path(__file__).parent / "schemas" / "gauntlet.schema.json"

if __name__ == "__main__":
    SCHEMA.parent.mkdir(exist_ok=True)
    SCHEMA.write_text(json_schema_text())
