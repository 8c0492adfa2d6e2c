"""Build the images with Buildah, Podman or Docker, whichever works.

    .venv/bin/python containers/build.py [IMAGE …] [--base REFERENCE] [--accelerator cpu|cuda]

An image is named as compiled pipelines name it (``gauntlet/data:0.1.0``). It is told the digest of its lock and the
code revision, which lineage records. Certificates and package indexes of this machine are lent to the build as secrets:
neither the image nor its history holds them. Machines that reach no image registry make a base first:
``containers/bootstrap-base.sh``.
"""

from __future__ import annotations

import argparse
import os
import shlex
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from gauntlet.digest import digest_file
from gauntlet.errors import DependencyError, GauntletError
from gauntlet.orchestration.declaration import image_reference
from gauntlet.orchestration.environments import images, lock_file
from gauntlet.orchestration.project import find_project
from gauntlet.orchestration.revision import code_revision

ROOT = Path(__file__).resolve().parents[1]

INDEXES = ("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "UV_DEFAULT_INDEX", "UV_INDEX")
"""Variables of this machine that say where packages come from. pip's serve uv too, as in ``containers/install.sh``."""

SERVER = "serving"
"""The image that serves a model; all others hold components alone."""

COMPILERS = {"data": "g++ python3-dev"}
"""Image → Debian packages that building its lock takes: Beam and TFDV need packages that come as source alone."""

CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")
"""The public certificates this machine trusts, unless ``SSL_CERT_FILE`` names others."""


def build_command(
    tool: str,
    image: str,
    *,
    lock: Path,
    revision: str,
    secrets: Mapping[str, Path],
    base: str | None = None,
) -> list[str]:
    """The command that builds one image.

    Args:
        tool: ``podman``, ``buildah`` or ``docker``.
        image: the image's name, which is that of its folders under ``containers`` and ``components``.
        lock: the lock to install.
        revision: the code revision.
        secrets: files lent to the build, by the name the Containerfile asks for.
        base: reference of the base image; the Containerfile's own when ``None``.
    """
    arguments = {
        "IMAGE": image,
        "LOCK": lock.name,
        "LOCK_DIGEST": digest_file(lock),
        "CODE_REVISION": revision,
        **({"BASE": base} if base else {}),
        **({"COMPILERS": COMPILERS[image]} if image in COMPILERS else {}),
    }
    return [
        *((tool, "bud") if tool == "buildah" else (tool, "build")),
        *("--network", "host"),
        *_local_options(tool),
        *(word for name, value in arguments.items() for word in ("--build-arg", f"{name}={value}")),
        *(word for name, path in secrets.items() for word in ("--secret", f"id={name},src={path}")),
        *("--file", str(ROOT / "containers" / "Containerfile")),
        *("--target", "server" if image == SERVER else "components"),
        *("--tag", image_reference(image)),
        str(ROOT),
    ]


@contextmanager
def lent(variables: Mapping[str, str]) -> Iterator[dict[str, Path]]:
    """Files that a build may read and not keep: this machine's certificates and package indexes, where it has any."""
    certificates = Path(variables.get("SSL_CERT_FILE", CERTIFICATES))
    given = {"certificates": certificates} if certificates.is_file() else {}
    lines = [f"export {name}={shlex.quote(variables[name])}\n" for name in INDEXES if variables.get(name)]
    with tempfile.NamedTemporaryFile("w", prefix="indexes-") as file:
        file.writelines(lines)
        file.flush()
        yield {**given, "indexes": Path(file.name)} if lines else given


def find_tool() -> str:
    """The container tool that works here."""
    script = [str(ROOT / "containers" / "find-tool.sh")]
    done = subprocess.run(script, capture_output=True, text=True, check=False)  # noqa: S603 - our own script
    if done.returncode != 0:
        raise DependencyError(done.stderr.strip(), field="CONTAINER_TOOL", mend="Install Podman, Buildah or Docker")
    return done.stdout.strip()


def _local_options(tool: str) -> Iterator[str]:
    """Options of Podman and Buildah alone: keep layers (Docker does so unasked), and the isolation."""
    if tool == "docker":
        return
    yield "--layers"
    if isolation := os.environ.get("BUILDAH_ISOLATION"):
        yield from ("--isolation", isolation)


def main(words: Sequence[str]) -> int:
    """Build the images named, or all."""
    project = find_project(ROOT)
    parser = argparse.ArgumentParser(description="Build Gauntlet's images.")
    parser.add_argument("images", nargs="*", metavar="IMAGE", help=f"which; default: {', '.join(images(project))}")
    parser.add_argument("--base", default=os.environ.get("GAUNTLET_BASE_IMAGE"), help="base image to build on")
    parser.add_argument("--accelerator", choices=["cpu", "cuda"], default="cpu", help="which lock model is built from")
    given = parser.parse_args(words)
    try:
        tool, revision = find_tool(), code_revision(ROOT)
        with lent(os.environ) as secrets:
            for image in given.images or images(project):
                lock = lock_file(project, image, given.accelerator)
                command = build_command(tool, image, lock=lock, revision=revision, secrets=secrets, base=given.base)
                start = time.monotonic()
                if subprocess.run(command, check=False).returncode != 0:  # noqa: S603 - our own words
                    raise DependencyError("the build failed", field=image, mend="Read what the build said above")
                sys.stdout.write(f"built {image_reference(image)} in {time.monotonic() - start:.0f} s\n")
                sys.stdout.flush()
    except GauntletError as error:
        sys.stderr.write(f"{type(error).__name__}: {error}\n")
        return error.exit_code
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
