from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

from gauntlet.orchestration.process import Processes


def run(processes: Processes, folder: Path, script: str) -> int:
    return processes.run(["/bin/sh", "-c", script], folder=folder, env={"PATH": os.environ["PATH"]}, log=folder / "log")


def test_both_streams_are_appended_to_the_log_in_the_folder(tmp_path):
    processes = Processes()
    assert run(processes, tmp_path, "pwd; echo error >&2") == 0
    assert run(processes, tmp_path, "echo again; exit 7") == 7
    assert (tmp_path / "log").read_text() == f"{tmp_path}\nerror\nagain\n"


def test_a_signal_is_a_negative_status(tmp_path):
    assert run(Processes(), tmp_path, "kill -9 $$") == -9


def test_what_a_child_leaves_running_ends_with_it(tmp_path):
    assert run(Processes(), tmp_path, "sleep 60 & echo $!") == 0
    pid = int((tmp_path / "log").read_text())
    deadline = time.monotonic() + 5
    while alive(pid) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not alive(pid)


def test_stop_ends_the_children_and_lets_no_more_start(tmp_path):
    processes = Processes()
    statuses: list[int] = []
    thread = threading.Thread(target=lambda: statuses.append(run(processes, tmp_path, "echo up; sleep 60")))
    thread.start()
    while not (tmp_path / "log").exists() or "up" not in (tmp_path / "log").read_text():
        time.sleep(0.01)
    processes.stop()
    thread.join(timeout=10)
    assert statuses == [-15]
    assert run(processes, tmp_path, "echo more") == -15
    assert "more" not in (tmp_path / "log").read_text()


def test_a_child_does_not_outlive_a_parent_that_is_killed(tmp_path):
    script = (
        "import os, sys; from pathlib import Path; from gauntlet.orchestration.process import Processes\n"
        "folder = Path(sys.argv[1])\n"
        "command = ['/bin/sh', '-c', 'echo $$; exec sleep 60']\n"
        "Processes().run(command, folder=folder, env=os.environ, log=folder / 'log')"
    )
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    parent = subprocess.Popen([sys.executable, "-c", script, str(tmp_path)], env=env)
    deadline = time.monotonic() + 30
    while not (tmp_path / "log").exists() or not (tmp_path / "log").read_text().strip():
        assert time.monotonic() < deadline
        time.sleep(0.01)
    pid = int((tmp_path / "log").read_text())
    assert alive(pid)
    parent.kill()
    parent.wait()
    while alive(pid) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not alive(pid)


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False
