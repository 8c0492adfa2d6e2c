"""What may lie where a journal was: cut off, emptied, of wrong types, of another format, or no file at all."""

from __future__ import annotations

import json
import os
import random
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any


def damages(good: bytes) -> Mapping[str, bytes]:
    """Contents that are no journal of the service, by what happened to this one."""
    document = json.loads(good)
    rollout, entry = json.loads(document["rollout"]), document["entries"][0]

    def whole(**fields: Any) -> bytes:
        return json.dumps({**document, **fields}).encode()

    def state(**fields: Any) -> bytes:
        return whole(rollout=json.dumps({**rollout, **fields}))

    def line(**fields: Any) -> bytes:
        return whole(entries=[{**entry, **fields}])

    analysis = {"number": 1, "status": "pass", "sentence": "", "metrics": [], "answered": None}
    without = {name: value for name, value in rollout.items() if name != "stable"}
    return {
        "empty": b"",
        "zeros after a loss of power": b"\0" * len(good),
        "cut off": good[: len(good) // 2],
        "without its last byte": good[:-1],
        "written over by a longer one": good + good[-40:],
        "garbage": random.Random(7).randbytes(300),
        "not UTF-8": good.replace(b"begins", b"beg\xff\xfens"),
        "a list": b"[]",
        "null": b"null",
        "nested without end": b"[" * 100_000,
        "nested in its format": b'{"format":' + b"[" * 100_000,
        "another format": whole(format="gauntlet.journal/9"),
        "another format of the state": state(format="gauntlet.rollout/9"),
        "of another service": state(service="other"),
        "state: a list": whole(rollout=[]),
        "state: without a stable version": whole(rollout=json.dumps(without)),
        "state: a key with a flipped bit": good.replace(b"weight", b"wdight"),
        "weight: text": state(weight="50"),
        "weight: 500": state(weight=500),
        "step: null": state(step=None),
        "phase: unknown": state(phase="resting"),
        "stable: null": state(stable=None),
        "candidate: of other types": state(candidate={"version": 2, "digest": None, "uri": []}),
        "began: not a number": state(began=float("nan")),
        "analyses: a boolean": state(analyses=True),
        "analysis state: a mapping": whole(analysis_state={"alpha": 0.05}),
        "entries: a mapping": whole(entries={}),
        "entries: text": whole(entries="abc"),
        "entry: its time is text": line(at="noon"),
        "entry: a pair of nothing": line(analysis={**analysis, "answered": []}),
        "entry: unknown action": line(action="dance"),
    }


def _folder(file: Path) -> None:
    file.mkdir()
    (file / "note.txt").write_text("a folder of somebody")


def _loop(file: Path) -> None:
    other = file.with_name("loop")
    other.symlink_to(file)
    file.symlink_to(other)


NO_FILES: Mapping[str, Callable[[Path], None]] = {
    "a folder": _folder,
    "a pipe": os.mkfifo,
    "a link that loops": _loop,
}
"""What may be in its place and is no file."""
