"""Content digests: ``sha256:<64 hex digits>``, of content alone, never of a path or a time."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable
from pathlib import Path

_BLOCK_BYTES = 1 << 20


def digest_bytes(content: bytes) -> str:
    """Digest of a byte string."""
    return "sha256:" + hashlib.sha256(content).hexdigest()


def digest_json(value: object) -> str:
    """Digest of a JSON value in canonical form: sorted keys, no spaces, UTF-8. NaN is refused."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return digest_bytes(text.encode())


def digest_file(path: Path) -> str:
    """Digest of a file's bytes, read in blocks."""
    state = hashlib.sha256()
    with path.open("rb") as stream:
        while block := stream.read(_BLOCK_BYTES):
            state.update(block)
    return "sha256:" + state.hexdigest()


def digest_tree(root: Path, keep: Callable[[str], bool] = lambda name: True) -> str:
    """Digest of a file, or of a folder as the sorted list of (relative POSIX path, file digest).

    Args:
        root: a file or a folder.
        keep: which relative paths count; the default keeps all.
    """
    if root.is_file():
        return digest_file(root)
    return digest_json([[name, digest_file(root / name)] for name in sorted(filter(keep, _files(root)))])


def short(digest: str, length: int = 12) -> str:
    """The first hex digits of a digest, for people: ``sha256:0123…`` → ``0123…``."""
    return digest.removeprefix("sha256:")[:length]


def _files(root: Path) -> Iterable[str]:
    return (path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file())
