"""One virtual environment per image, built from the lock that also builds the image.

    python -m gauntlet.orchestration.environments [IMAGE …]

An environment holds exactly what the lock names (hashes checked), kfp itself without its dependencies, and a path to
the library's source. It carries a stamp of what it was built from and is built again when that changes. It is built
aside and moved into place, under a lock that other processes wait for.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from gauntlet.digest import digest_file
from gauntlet.errors import ConfigurationError, DependencyError, GauntletError
from gauntlet.orchestration.project import Project, find_project
from gauntlet.storage import whole_folder, write_json

ACCELERATOR_VARIABLE = "GAUNTLET_ACCELERATOR"
"""``cpu``, ``cuda`` or ``auto`` (the default: whether this machine has an NVIDIA device)."""

PYTHON_VERSION = "3.11"
_RUNTIME_LOCK = "kfp-runtime.lock"
STAMP = "gauntlet-stamp.json"
_NVIDIA_DEVICES = (Path("/dev/nvidiactl"), Path("/dev/nvidia0"))
_SOURCE = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Environment:
    """What an image's code runs in.

    Attributes:
        image: the image's name.
        python: the interpreter.
        lock: digest of the lock it was built from.
    """

    image: str
    python: Path
    lock: str


def ensure_environment(
    project: Project,
    image: str,
    announce: Callable[[str], None] = lambda sentence: None,
    variables: Mapping[str, str] = os.environ,
) -> Environment:
    """The environment of an image, built first if there is none or its lock changed.

    Args:
        project: whose image.
        image: the image's name.
        announce: takes one sentence before a build, which may take minutes.
        variables: the process environment, for ``GAUNTLET_ACCELERATOR``.

    Raises:
        ConfigurationError: no such image.
        DependencyError: uv is missing, or a package cannot be had.
    """
    lock = lock_file(project, image, accelerator(variables))
    folder = project.environments / image
    environment = Environment(image, folder / "bin" / "python", digest_file(lock))
    stamp = stamp_of(lock, project.containers / _RUNTIME_LOCK)
    if _is_current(folder, stamp):
        return environment
    with _exclusive(project.environments / f".{image}.lock"):
        if not _is_current(folder, stamp):
            announce(f"Building the environment of {image} from {lock.relative_to(project.root)}")
            _build(folder, lock, project.containers / _RUNTIME_LOCK, stamp)
    return environment


def images(project: Project) -> tuple[str, ...]:
    """Names of the project's images."""
    return tuple(sorted(path.name for path in project.containers.iterdir() if any(path.glob("*.lock"))))


def lock_file(project: Project, image: str, device: str) -> Path:
    """The lock of an image: ``requirements.lock``, or where there are two, that of the device (``cpu``, ``cuda``)."""
    folder = project.containers / image
    for name in (f"requirements.{device}.lock", "requirements.lock"):
        if (folder / name).is_file():
            return folder / name
    known = images(project)
    close = get_close_matches(image, known, n=1)
    raise ConfigurationError(
        f"has no lock for {device}",
        field="image",
        value=image,
        mend=f"Did you mean {close[0]!r}?" if close else f"Use one of: {', '.join(known)}",
    )


def stamp_of(lock: Path, runtime: Path) -> dict[str, str]:
    """What an environment is built from: two locks, the version of Python, and where the library lies."""
    return {
        "lock": digest_file(lock),
        "runtime": digest_file(runtime),
        "python": PYTHON_VERSION,
        "source": str(_SOURCE),
    }


def accelerator(variables: Mapping[str, str] = os.environ) -> str:
    """``cpu`` or ``cuda``: what was asked for, or else what this machine has."""
    wanted = variables.get(ACCELERATOR_VARIABLE, "auto")
    if wanted in {"cpu", "cuda"}:
        return wanted
    if wanted != "auto":
        raise ConfigurationError(
            "must be auto, cpu or cuda", field=ACCELERATOR_VARIABLE, value=wanted, mend="Correct it or leave it out"
        )
    return "cuda" if any(device.exists() for device in _NVIDIA_DEVICES) else "cpu"


def _is_current(folder: Path, stamp: Mapping[str, str]) -> bool:
    try:
        found = json.loads((folder / STAMP).read_text())
    except (OSError, ValueError):
        return False
    return bool(found == dict(stamp)) and (folder / "bin" / "python").exists()


def _build(folder: Path, lock: Path, runtime: Path, stamp: Mapping[str, str]) -> None:
    uv = _find_uv()
    with whole_folder(folder) as work:
        python = str(work / "bin" / "python")
        _run([uv, "venv", "--quiet", "--relocatable", "--allow-existing", "--python", PYTHON_VERSION, str(work)])
        _run([uv, "pip", "sync", "--quiet", "--require-hashes", "--python", python, str(lock)])
        _run([uv, "pip", "install", "--quiet", "--no-deps", "--require-hashes", "--python", python, "-r", str(runtime)])
        packages = work / "lib" / f"python{PYTHON_VERSION}" / "site-packages"
        (packages / "gauntlet.pth").write_text(f"{_SOURCE}\n")
        write_json(work / STAMP, dict(stamp))


def _find_uv() -> str:
    beside = Path(sys.executable).parent / "uv"
    found = str(beside) if beside.is_file() else shutil.which("uv")
    if found is None:
        raise DependencyError(
            "is needed to build the environments of images and was not found",
            field="uv",
            mend="Install it with 'python3 -m pip install uv', or run 'make setup'",
        )
    return found


def _run(command: list[str]) -> None:
    quiet = {name: value for name, value in os.environ.items() if name not in {"VIRTUAL_ENV", "PYTHONPATH"}}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=quiet)  # noqa: S603 - our own words
    if done.returncode != 0:
        said = " ".join(done.stderr.split()) or f"exit status {done.returncode}"
        raise DependencyError(
            f"could not be built: {said}",
            field="environment",
            mend="Check the network and the package index, then try again",
            retryable=True,
        )


@contextmanager
def _exclusive(path: Path) -> Iterator[None]:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        yield


def main(names: list[str]) -> int:
    """Build the environments named, or all."""
    try:
        project = find_project(Path.cwd())
        for name in names or images(project):
            ensure_environment(project, name, lambda sentence: print(sentence, flush=True))  # noqa: T201 - a small command
    except GauntletError as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)  # noqa: T201 - this module is a small command
        return error.exit_code
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
