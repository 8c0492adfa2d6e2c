"""Writes docs/schemas/behavior.schema.json: ``python docs/behavior_schema.py``. A test fails when it is out of date."""

from __future__ import annotations

from pathlib import Path

from gauntlet.behavior.json_schema import json_schema_text

SCHEMA = Path(__file__).parent / "schemas" / "behavior.schema.json"

if __name__ == "__main__":
    SCHEMA.parent.mkdir(exist_ok=True)
    SCHEMA.write_text(json_schema_text())
