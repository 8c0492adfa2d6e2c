"""``gauntlet serve`` becomes the host: the interpreter of the serving environment, with the options it was given."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from gauntlet.cli.serve import HOST, IMAGE
from gauntlet.orchestration import environments

PROGRAM = """
import sys
from pathlib import Path
from gauntlet.cli.main import main
from gauntlet.orchestration import environments
interpreters = Path(sys.argv.pop(1))
environments.ensure_environment = lambda project, image, announce: environments.Environment(
    image, interpreters / image, "sha256:lock"
)
main()
"""
ECHO = """#!{python}
import json, os, sys
print(json.dumps([sys.argv[1:], os.environ["PYTHONPATH"], os.getpid()]))
"""


@pytest.fixture
def interpreters(tmp_path: Path) -> Path:
    """A folder with an interpreter that says what it was asked to run."""
    echo = tmp_path / IMAGE
    echo.write_text(ECHO.format(python=sys.executable))
    echo.chmod(0o755)
    return tmp_path


def serve(interpreters: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", PROGRAM, str(interpreters), "serve", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, env=env)


def test_it_becomes_the_host_of_the_folder(interpreters):
    process = serve(interpreters, "services/loans", "--port", "9000", "--model-name", "loans")
    assert process.returncode == 0, process.stderr
    words, path, _ = json.loads(process.stdout)
    assert words[:3] == ["-m", HOST, "services/loans"]
    assert sorted(words[3:]) == [
        "--admin-port=0",
        "--model-name=loans",
        "--port=9000",
        "--threshold=0.5",
        "--timeout=30.0",
    ]
    assert path == str(Path(environments.__file__).resolve().parents[2]), "the library of the command, and no other"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "Missing argument 'FOLDER'"),
        (["x", "--port", "70000"], "70000 is not in the range"),
        (["x", "--timeout", "0"], "0.0 is not in the range"),
    ],
)
def test_wrong_use_is_said(interpreters, arguments, message):
    process = serve(interpreters, *arguments)
    assert process.returncode == 2
    assert message in process.stderr
