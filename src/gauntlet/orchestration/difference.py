"""Diff of two specs, in terms of the pipeline: parameters, tasks, components, containers, pods."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

# Path prefix of each kind of subject, whose name follows the prefix; most specific first.
_SUBJECTS: tuple[tuple[tuple[str, ...], str, str], ...] = (
    (("root", "inputDefinitions", "parameters"), "parameter", ""),
    (("root", "dag", "tasks"), "task", ""),
    (("components",), "component", "comp-"),
    (("deploymentSpec", "executors"), "container of", "exec-"),
    (("platforms", "kubernetes", "deploymentSpec", "executors"), "pod of", "exec-"),
)

Path = tuple[str, ...]


@dataclass(frozen=True)
class Change:
    """Difference between two specs.

    Attributes:
        subject: what changed: ``parameter seed``, ``task train-model``, ``pipeline``.
        field: which part of it; empty when the whole subject was added or removed.
        before: the old value as JSON; empty if there was none.
        after: the new value as JSON; empty if there is none.
    """

    subject: str
    field: str = ""
    before: str = ""
    after: str = ""

    def __str__(self) -> str:
        if not self.field:
            return f"{self.subject}: {'removed' if self.before else 'added'}"
        if not self.before:
            return f"{self.subject}: {self.field} is now {self.after}"
        if not self.after:
            return f"{self.subject}: {self.field} was {self.before}, now absent"
        return f"{self.subject}: {self.field} {self.before} → {self.after}"


def changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Change]:
    """List the changes from one spec to another; empty if they are equal.

    Args:
        before: the documents of a compiled file, see ``compiler.documents``; empty if there was none.
        after: the same of the new one.
    """
    old, new = dict(_leaves(before)), dict(_leaves(after))
    old_subjects, new_subjects = ({_subject(path)[0] for path in leaves} for leaves in (old, new))
    listed = [Change(subject, before="present") for subject in sorted(old_subjects - new_subjects)]
    listed += [Change(subject, after="present") for subject in sorted(new_subjects - old_subjects)]
    for path in sorted(old.keys() | new.keys()):
        subject, field = _subject(path)
        shared = subject in old_subjects and subject in new_subjects
        if shared and old.get(path) != new.get(path):
            listed.append(Change(subject, field, old.get(path, ""), new.get(path, "")))
    return listed


def _leaves(value: Any, path: Path = ()) -> Iterator[tuple[Path, str]]:
    """Yield every value that is not a mapping, with its path; an empty mapping is a value."""
    if isinstance(value, Mapping) and value:
        for key, part in value.items():
            yield from _leaves(part, (*path, str(key)))
    elif path:
        yield path, json.dumps(value, ensure_ascii=False, sort_keys=True)


def _subject(path: Path) -> tuple[str, str]:
    for prefix, kind, strip in _SUBJECTS:
        if path[: len(prefix)] == prefix and len(path) > len(prefix):
            name, rest = path[len(prefix)], path[len(prefix) + 1 :]
            return f"{kind} {name.removeprefix(strip)}", ".".join(rest) or "value"
    return "pipeline", ".".join(path)
