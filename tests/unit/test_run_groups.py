from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import run_groups

MAKEFILE = """
good:
\t@echo three passed
bad:
\t@echo one failed; exit 3
alone:
\t@echo two failed; exit 1
last:
\t@echo nobody kept us
"""


def make(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    (folder / "Makefile").write_text(MAKEFILE)
    told = [sys.executable, run_groups.__file__, *arguments]
    return subprocess.run(told, cwd=folder, capture_output=True, text=True, check=False)


def test_a_group_that_fails_keeps_no_other_from_running_and_is_named_at_the_end(tmp_path: Path) -> None:
    done = make(tmp_path, "bad", "good", "--alone", "alone", "last")
    assert done.returncode == 1
    for said in ("three passed", "one failed", "two failed", "nobody kept us"):
        assert said in done.stdout
    *_, alone, last, failed = done.stdout.splitlines()
    assert alone.split()[:2] == ["alone", "FAILED"]
    assert last.split()[:2] == ["last", "passed"]
    assert failed == "Failed: bad, alone (2 of 4)."


def test_groups_that_pass_make_a_run_that_passes(tmp_path: Path) -> None:
    done = make(tmp_path, "good", "last")
    assert done.returncode == 0
    assert done.stdout.endswith("All passed (2).\n")


def test_a_group_that_make_does_not_know_has_failed(tmp_path: Path) -> None:
    done = make(tmp_path, "goood", "good")
    assert done.returncode == 1
    assert "No rule to make target" in done.stdout
    assert done.stdout.endswith("Failed: goood (1 of 2).\n")
