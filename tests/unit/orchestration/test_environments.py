"""Building is played by a small program in uv's place; building for real is what every other test run rests on."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest

from gauntlet.errors import ConfigurationError, DependencyError
from gauntlet.orchestration import environments
from gauntlet.orchestration.environments import STAMP, accelerator, ensure_environment, images, lock_file, main
from toy import ToyProject

FAKE_UV = """#!/bin/sh
echo "$@" >> "{log}"
case "$1" in
  venv)
    for folder; do :; done
    mkdir -p "$folder/bin" "$folder/lib/python3.11/site-packages"
    touch "$folder/bin/python" ;;
  pip) {pip} ;;
esac
"""


@pytest.fixture
def bare(toy: ToyProject, monkeypatch: pytest.MonkeyPatch) -> ToyProject:
    """The toy project before its environment was built, and a uv that only pretends."""
    (toy.folder / ".environments/toy" / STAMP).unlink()
    pretend(toy, monkeypatch, "sleep 0.2")
    return toy


def pretend(toy: ToyProject, monkeypatch: pytest.MonkeyPatch, pip: str) -> None:
    uv = toy.write("bin/uv", FAKE_UV.format(log=toy.folder / "uv.log", pip=pip))
    uv.chmod(0o755)
    monkeypatch.setattr(environments, "_find_uv", lambda: str(uv))


def calls(toy: ToyProject) -> list[str]:
    log = toy.folder / "uv.log"
    return log.read_text().splitlines() if log.exists() else []


def test_it_is_built_from_the_lock_with_hashes_and_kfp_alone(bare):
    announcements: list[str] = []
    built = ensure_environment(bare.project, "toy", announcements.append, {})
    assert built.python == bare.folder / ".environments/toy/bin/python"
    assert built.lock == bare.lock
    assert announcements == ["Building the environment of toy from containers/toy/requirements.lock"]
    venv, sync, runtime = calls(bare)
    assert venv.startswith("venv")
    assert "--require-hashes" in sync
    assert sync.endswith("containers/toy/requirements.lock")
    assert "--no-deps --require-hashes" in runtime
    assert runtime.endswith("containers/kfp-runtime.lock")
    folder = bare.folder / ".environments/toy"
    source = (folder / "lib/python3.11/site-packages/gauntlet.pth").read_text().strip()
    assert Path(source, "gauntlet", "__init__.py").is_file()
    assert json.loads((folder / STAMP).read_text())["lock"] == bare.lock


def test_it_is_built_again_only_when_a_lock_changes(bare):
    ensure_environment(bare.project, "toy", variables={})
    ensure_environment(bare.project, "toy", variables={})
    assert len(calls(bare)) == 3
    bare.write("containers/toy/requirements.lock", "# other\n")
    ensure_environment(bare.project, "toy", variables={})
    assert len(calls(bare)) == 6
    bare.write("containers/kfp-runtime.lock", "# other\n")
    ensure_environment(bare.project, "toy", variables={})
    assert len(calls(bare)) == 9


def test_a_failed_build_leaves_what_was_there(bare, monkeypatch):
    before = (bare.folder / ".environments/toy/bin/python").read_text()
    pretend(bare, monkeypatch, "echo no such package >&2; exit 1")
    with pytest.raises(DependencyError, match="no such package") as caught:
        ensure_environment(bare.project, "toy", variables={})
    assert caught.value.retryable
    assert caught.value.exit_code == 3
    assert (bare.folder / ".environments/toy/bin/python").read_text() == before
    assert [path.name for path in (bare.folder / ".environments").iterdir() if "partial" in path.name] == []


def test_two_at_once_build_once(bare):
    threads = [threading.Thread(target=ensure_environment, args=(bare.project, "toy")) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    assert len(calls(bare)) == 3


def test_without_uv_the_error_says_how_to_get_it(toy, monkeypatch, tmp_path):
    (toy.folder / ".environments/toy" / STAMP).unlink()
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("sys.executable", str(tmp_path / "python"))
    with pytest.raises(DependencyError, match="pip install uv"):
        ensure_environment(toy.project, "toy", variables={})


def test_an_unknown_image_gets_a_suggestion(toy):
    with pytest.raises(ConfigurationError, match="Did you mean 'toy'"):
        ensure_environment(toy.project, "tow", variables={})


def test_where_there_are_two_locks_the_device_decides(toy):
    cpu = toy.write("containers/model/requirements.cpu.lock", "")
    cuda = toy.write("containers/model/requirements.cuda.lock", "")
    assert lock_file(toy.project, "model", "cpu") == cpu
    assert lock_file(toy.project, "model", "cuda") == cuda
    assert lock_file(toy.project, "toy", "cuda").name == "requirements.lock"
    assert images(toy.project) == ("model", "toy")


def test_the_device_is_what_was_asked_for_or_what_is_there(monkeypatch, tmp_path):
    monkeypatch.setattr(environments, "_NVIDIA_DEVICES", (tmp_path / "nvidia",))
    assert accelerator({}) == "cpu"
    assert accelerator({"GAUNTLET_ACCELERATOR": "cuda"}) == "cuda"
    (tmp_path / "nvidia").touch()
    assert accelerator({}) == "cuda"
    assert accelerator({"GAUNTLET_ACCELERATOR": "cpu"}) == "cpu"
    with pytest.raises(ConfigurationError, match="must be auto, cpu or cuda"):
        accelerator({"GAUNTLET_ACCELERATOR": "gpu"})


def test_the_small_command_builds_all_and_reports_errors(bare, monkeypatch, capsys):
    monkeypatch.chdir(bare.folder)
    assert main([]) == 0
    assert len(calls(bare)) == 3
    assert main(["tow"]) == 2
    assert "Did you mean 'toy'" in capsys.readouterr().err
