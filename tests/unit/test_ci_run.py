"""``.ci/run`` with a make that only says what it was asked for: what is run, and what is reported."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

RUN = Path(__file__).parents[2] / ".ci" / "run"


def run(folder: Path, failing: str = "none") -> tuple[int, str, list[str]]:
    """The exit status, the output and the targets made, where make fails for one target."""
    scripts = {
        "make": f'echo "$@" >> made\ncase " $* " in *" {failing} "*) exit 2;; esac',
        "id": "echo 1000",  # nobody who could install packages
    }
    (folder / "bin").mkdir()
    for name, script in scripts.items():
        place = folder / "bin" / name
        place.write_text(f"#!/bin/sh\n{script}\n")
        place.chmod(0o755)
    for name in ("dirname",):
        (folder / "bin" / name).symlink_to(shutil.which(name) or name)
    (folder / ".ci").mkdir()
    shutil.copy(RUN, folder / ".ci" / "run")
    done = subprocess.run(
        [shutil.which("bash") or "bash", str(folder / ".ci" / "run")],
        env={"PATH": str(folder / "bin"), "TMPDIR": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout, (folder / "made").read_text().splitlines()


def test_everything_is_run_and_said_to_pass(tmp_path: Path) -> None:
    status, shown, made = run(tmp_path)
    assert status == 0
    assert made == ["setup", "check"]
    assert shown.endswith("\nEverything passed.\n")
    assert re.search(r"\nDebian packages \d+ s, environments \d+ s, checks \d+ s\.\n", shown)


@pytest.mark.parametrize("failing", ["setup", "check"])
def test_what_fails_keeps_nothing_else_from_running(tmp_path: Path, failing: str) -> None:
    status, shown, made = run(tmp_path, failing)
    assert status == 1
    assert made == ["setup", "check"]
    assert shown.endswith(f"\nFailed:\n  make {failing}\n")
