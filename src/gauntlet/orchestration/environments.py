"""Virtual environments, one per image, built from the lock file that also builds the image.

    python -m gauntlet.orchestration.environments [IMAGE …]

An environment holds exactly the packages in the lock file (hashes checked), kfp without its dependencies, and a path to
the library's source. A stamp records what it was built from; a changed stamp rebuilds it. The build happens in a
temporary folder that is moved into place, under a file lock that other processes wait for.
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
    """Virtual environment of an image.

    Attributes:
        image: the image's name.
        python: path of the interpreter.
        lock: digest of the lock file it was built from.
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
    """Return the environment of an image; build it if it is missing or its lock file changed.

    Args:
        project: the project that defines the image.
        image: the image's name.
        announce: called with one sentence before a build, which may take minutes.
        variables: the process environment, for ``GAUNTLET_ACCELERATOR``.

    Raises:
        ConfigurationError: no such image.
        DependencyError: uv is missing, or a package cannot be installed.
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
    """Lock file of an image: that of the device (``cpu``, ``cuda``) if there is one, else ``requirements.lock``."""
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
    """Inputs of a build: two lock files, the Python version, and the path of the library's source."""
    return {
        "lock": digest_file(lock),
        "runtime": digest_file(runtime),
        "python": PYTHON_VERSION,
        "source": str(_SOURCE),
    }


def accelerator(variables: Mapping[str, str] = os.environ) -> str:
    """Return ``cpu`` or ``cuda``: as configured, else as this machine has."""
    configured = variables.get(ACCELERATOR_VARIABLE, "auto")
    if configured in {"cpu", "cuda"}:
        return configured
    if configured != "auto":
        raise ConfigurationError(
            "must be auto, cpu or cuda", field=ACCELERATOR_VARIABLE, value=configured, mend="Correct it or unset it"
        )
    return "cuda" if any(device.exists() for device in _NVIDIA_DEVICES) else "cpu"


def _is_current(folder: Path, stamp: Mapping[str, str]) -> bool:
    try:
        present = json.loads((folder / STAMP).read_text())
    except (OSError, ValueError):
        return False
    return bool(present == dict(stamp)) and (folder / "bin" / "python").exists()


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
    uv = str(beside) if beside.is_file() else shutil.which("uv")
    if uv is None:
        raise DependencyError(
            "is required to build the environments of images and was not found",
            field="uv",
            mend="Install it with 'python3 -m pip install uv', or run 'make setup'",
        )
    return uv


def _run(command: list[str]) -> None:
    variables = {name: value for name, value in os.environ.items() if name not in {"VIRTUAL_ENV", "PYTHONPATH"}}
    process = subprocess.run(command, capture_output=True, text=True, check=False, env=variables)  # noqa: S603 - fixed arguments
    if process.returncode != 0:
        reason = " ".join(process.stderr.split()) or f"exit status {process.returncode}"
        raise DependencyError(
            f"could not be built: {reason}",
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
    """Build the environments of the named images, or of all."""
    try:
        project = find_project(Path.cwd())
        for name in names or images(project):
            ensure_environment(project, name, lambda sentence: print(sentence, flush=True))  # noqa: T201 - a command line tool
    except GauntletError as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)  # noqa: T201 - a command line tool
        return error.exit_code
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
