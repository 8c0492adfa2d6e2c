"""Build the images with Buildah, Podman or Docker, whichever works.

    .venv/bin/python containers/build.py [IMAGE …] [--base REFERENCE] [--accelerator cpu|cuda] [--once]

An image is named as compiled pipelines name it (``gauntlet/data:0.1.0``). It is told the digest of its lock and the
code revision, which lineage records. Certificates and the package index of this machine are passed to the build and
are not kept. Machines that reach no image registry make a base first: ``containers/bootstrap-base.sh``.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from gauntlet.digest import digest_file
from gauntlet.errors import DependencyError, GauntletError
from gauntlet.orchestration.component import image_reference
from gauntlet.orchestration.environments import images, lock_file
from gauntlet.orchestration.project import find_project
from gauntlet.orchestration.revision import code_revision

ROOT = Path(__file__).resolve().parents[1]

PASSED_ON = ("SSL_CERT_FILE", "PIP_CERT", "PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL")
"""Variables of this machine that a build may need to reach a package index."""

CERTIFICATES = Path("/etc/ssl/certs")


def build_command(
    tool: str, image: str, *, lock: Path, base: str | None, revision: str, once: bool = False
) -> list[str]:
    """The command that builds one image.

    Args:
        tool: ``podman``, ``buildah`` or ``docker``.
        image: the image's name; its folder under ``containers`` holds the Containerfile.
        lock: the lock to install.
        base: reference of the base image; the Containerfile's own when ``None``.
        revision: the code revision.
        once: keep no intermediate layers.
    """
    arguments = {
        "LOCK_DIGEST": digest_file(lock),
        "CODE_REVISION": revision,
        **({"BASE": base} if base else {}),
        **({"LOCK": lock.name} if lock.name != "requirements.lock" else {}),
        **{name: os.environ[name] for name in PASSED_ON if name in os.environ},
    }
    return [
        *((tool, "bud") if tool == "buildah" else (tool, "build")),
        *("--network", "host"),
        *_local_options(tool, once),
        *(word for name, value in arguments.items() for word in ("--build-arg", f"{name}={value}")),
        *("--file", str(ROOT / "containers" / image / "Containerfile")),
        *("--tag", image_reference(image)),
        str(ROOT),
    ]


def find_tool() -> str:
    """The container tool that works here."""
    script = [str(ROOT / "containers" / "find-tool.sh")]
    done = subprocess.run(script, capture_output=True, text=True, check=False)  # noqa: S603 - our own script
    if done.returncode != 0:
        raise DependencyError(done.stderr.strip(), field="CONTAINER_TOOL", mend="Install Podman, Buildah or Docker")
    return done.stdout.strip()


def _local_options(tool: str, once: bool) -> Iterator[str]:
    """Options that Podman and Buildah have and Docker has not: keep layers, lend certificates, choose the isolation."""
    if tool == "docker":
        return
    yield "--layers=false" if once else "--layers"
    if CERTIFICATES.is_dir():
        yield from ("--volume", f"{CERTIFICATES}:{CERTIFICATES}:ro")
    if isolation := os.environ.get("BUILDAH_ISOLATION"):
        yield from ("--isolation", isolation)


def main(words: Sequence[str]) -> int:
    """Build the images named, or all."""
    project = find_project(ROOT)
    parser = argparse.ArgumentParser(description="Build Gauntlet's images.")
    parser.add_argument("images", nargs="*", metavar="IMAGE", help=f"which; default: {', '.join(images(project))}")
    parser.add_argument("--base", default=os.environ.get("GAUNTLET_BASE_IMAGE"), help="base image to build on")
    parser.add_argument("--accelerator", choices=["cpu", "cuda"], default="cpu", help="which lock model is built from")
    parser.add_argument(
        "--once", action="store_true", help="keep no intermediate layers: quicker once, slower the next time"
    )
    given = parser.parse_args(words)
    try:
        tool, revision = find_tool(), code_revision(ROOT)
        for image in given.images or images(project):
            lock = lock_file(project, image, given.accelerator)
            command = build_command(tool, image, lock=lock, base=given.base, revision=revision, once=given.once)
            if subprocess.run(command, check=False).returncode != 0:  # noqa: S603 - our own words
                raise DependencyError("the build failed", field=image, mend="Read what the build said above")
            sys.stdout.write(f"built {image_reference(image)}\n")
    except GauntletError as error:
        sys.stderr.write(f"{type(error).__name__}: {error}\n")
        return error.exit_code
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
