"""Peers run in environments of their own, made when first needed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def enter(name: str) -> None:
    """Go on in ``.environments/bench-NAME``, made from ``benchmarks/requirements-NAME.lock``, with ``src`` on the path.

    Returns when this process runs there; otherwise replaces it by one that does, with the same arguments.
    """
    folder = ROOT / ".environments" / f"bench-{name}"
    if Path(sys.prefix) == folder:
        sys.path.insert(0, str(ROOT / "src"))
        return
    python = folder / "bin" / "python"
    if not python.exists():
        uv = shutil.which("uv") or str(ROOT / ".tools" / "uv" / "bin" / "uv")
        lock = ROOT / "benchmarks" / f"requirements-{name}.lock"
        subprocess.run([uv, "venv", "-q", "--python", "3.11", str(folder)], check=True)
        subprocess.run([uv, "pip", "sync", "-q", "--require-hashes", "-p", str(python), str(lock)], check=True)
    os.execv(python, [str(python), *sys.argv])
