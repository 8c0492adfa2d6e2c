"""Code revision for lineage, and digest of the code that a component can reach for the cache key.

A team's own modules (``gauntlet run --code``) are part of both.
"""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

from gauntlet import __version__
from gauntlet.digest import digest_bytes, digest_file, digest_json, digest_tree, short

_LIBRARY = Path(__file__).resolve().parents[1]

# Runs only outside components. Of orchestration, components import component.py and what it imports; of the demo, a
# recipe may name the faulty trainer. A test holds the list to what is imported at run time.
_UNREACHABLE = ("cli/", "orchestration/", "demo/")
_REACHABLE = (
    "orchestration/__init__.py",
    "orchestration/component.py",
    "orchestration/declaration.py",
    "orchestration/users_keys.py",
    "demo/__init__.py",
    "demo/faulty.py",
    "demo/production.py",
)


def run_revision(root: Path, modules: Sequence[Path]) -> str:
    """Revision of the project at ``root``, and of the team's own modules: ``<commit>, features <digest>``.

    Modules are named by their folder and content: they may lie outside every repository.
    """
    return ", ".join([code_revision(root), *(f"{folder.name} {short(modules_digest([folder]))}" for folder in modules)])


def modules_digest(folders: Sequence[Path]) -> str:
    """Digest of the Python files of folders that are put on the import path, in that order."""
    return digest_json([digest_tree(folder, keep=lambda name: name.endswith(".py")) for folder in folders])


def code_revision(root: Path) -> str:
    """Commit of a repository, with ``+<digest>`` appended when its files differ from it.

    Without git, or outside a repository, the package's version.
    """
    head = _git(root, "rev-parse", "HEAD")
    if head is None:
        return f"kfp-gauntlet {__version__}"
    revision = head.decode().strip()
    changed = _git(root, "diff", "HEAD", "--binary") or b""
    listed = _git(root, "ls-files", "--others", "--exclude-standard", "-z") or b""
    new = [name for name in listed.decode().split("\0") if name and (root / name).is_file()]
    if not changed and not new:
        return revision
    difference = digest_json([digest_bytes(changed), [[name, digest_file(root / name)] for name in sorted(new)]])
    return f"{revision}+{short(difference)}"


def code_digest(component: Path, library: Path = _LIBRARY) -> str:
    """Digest of the code a component can reach: its own file, and the library's modules, templates and data."""
    return digest_json([digest_file(component), digest_tree(library, keep=_is_reachable)])


def _is_reachable(name: str) -> bool:
    if "__pycache__" in name or name.endswith(".pyc"):
        return False
    return name in _REACHABLE or not name.startswith(_UNREACHABLE)


def _git(root: Path, *arguments: str) -> bytes | None:
    command = ["git", "-C", str(root), *arguments]
    try:
        process = subprocess.run(command, capture_output=True, check=False)  # noqa: S603 - fixed arguments
    except OSError:
        return None
    return process.stdout if process.returncode == 0 else None
