"""Whether what is locked has known advisories.

    python containers/advisories.py            hold every lock against containers/advisories.toml; needs no network
    python containers/advisories.py --audit    ask pip-audit also, and say whether its answer means anything

Exit status: 0 nothing found, 1 something found that is not accepted, 2 the list is wrong, 3 could not be checked.

pip-audit prints "No known vulnerabilities found" and exits with 0 where its index answers but has no advisories (as a
mirror of packages may). It is therefore asked about CANARIES first, versions whose advisories are famous: if it finds
nothing in one of them, what it says of the locks is not believed.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
LIST = Path(__file__).with_name("advisories.toml")
CANARIES = {"jinja2": "2.4.1", "pyyaml": "5.3", "pyarrow": "10.0.1"}
FOUND, WRONG_LIST, NOT_CHECKED = 1, 2, 3

Pins = Mapping[str, str]
"""Versions by canonical package name."""


class ListError(ValueError):
    """The list of advisories cannot be used; the message names the entry, the key and the mend."""


@dataclass(frozen=True)
class Advisory:
    """A known fault of a package, and until when it is lived with; ``until`` is None where it is not."""

    package: str
    affected: SpecifierSet
    ids: frozenset[str]
    summary: str
    reason: str = ""
    until: date | None = None

    def accepted(self, today: date) -> bool:
        """Whether it is lived with today; the day ``until`` is the last one."""
        return self.until is not None and today <= self.until

    def hits(self, pins: Pins) -> bool:
        """Whether the version that is pinned, if any, is affected; pre-releases count."""
        return self.package in pins and self.affected.contains(pins[self.package], prereleases=True)


def locks(root: Path = ROOT) -> list[Path]:
    """Every lock of the repository."""
    patterns = ("containers/*.lock", "containers/*/*.lock", "requirements*.lock")
    return sorted(path for pattern in patterns for path in root.glob(pattern))


def pins(lock: Path) -> dict[str, str]:
    """What a lock pins."""
    found = re.findall(r"^([\w.-]+)(?:\[[^\]]*\])?==([^\s;\\]+)", lock.read_text(encoding="utf-8"), re.MULTILINE)
    return {canonicalize_name(name): version for name, version in found}


def read_list(path: Path = LIST) -> list[Advisory]:
    """The advisories of a list.

    Raises:
        ListError: an entry lacks a key, has one of the wrong type, or accepts without a reason or a last day.
    """
    try:
        entries = tomllib.loads(path.read_text(encoding="utf-8")).get("advisory", [])
    except tomllib.TOMLDecodeError as error:
        raise ListError(f"{path.name} is not TOML: {error}.") from None
    return [_advisory(entry, f"{path.name}: advisory {number}") for number, entry in enumerate(entries, 1)]


def _advisory(entry: Mapping[str, Any], where: str) -> Advisory:
    expected = {"package": str, "affected": str, "ids": list, "summary": str, "checked": date}
    for key, kind in expected.items():
        if not isinstance(entry.get(key), kind) or not entry[key]:
            raise ListError(f"{where} has no {key} ({kind.__name__}). Write one.")
    if unknown := entry.keys() - expected.keys() - {"accepted"}:
        raise ListError(f"{where} has the unknown key {min(unknown)}. Take it out.")
    accepted = entry.get("accepted")
    if accepted is not None:
        fields = accepted if isinstance(accepted, dict) else {}
        if not fields.get("reason") or not isinstance(fields.get("until"), date):
            raise ListError(f"{where} is accepted without a reason or a last day. Write accepted = {{reason, until}}.")
    try:
        affected = SpecifierSet(entry["affected"])
    except InvalidSpecifier:
        raise ListError(f"{where}: affected is {entry['affected']!r}. Write versions such as '>=1.0,<1.4'.") from None
    return Advisory(
        canonicalize_name(entry["package"]), affected, frozenset(entry["ids"]), entry["summary"], **(accepted or {})
    )


def findings(advisories: Iterable[Advisory], locked: Mapping[str, Pins], today: date) -> tuple[list[str], list[str]]:
    """Sentences on what fails, and on what is accepted, by lock.

    Raises:
        ListError: an entry affects nothing that is locked; it would hide a later return to that version.
    """
    failing, accepted = [], []
    for item in advisories:
        hit = [(name, held[item.package]) for name, held in locked.items() if item.hits(held)]
        if not hit:
            raise ListError(f"{', '.join(sorted(item.ids))} affects nothing that is locked. Take {item.package} out.")
        for name, version in hit:
            said = f"{name}: {item.package} {version}: {', '.join(sorted(item.ids))}: {item.summary}"
            if item.accepted(today):
                accepted.append(f"{said} Accepted until {item.until}: {item.reason}")
            elif item.until:
                failing.append(f"{said} Accepted only until {item.until}: lift it, or give the reason again.")
            else:
                failing.append(f"{said} Lift it, or accept it with a reason and a last day.")
    return failing, accepted


Audit = Callable[[Pins], Mapping[str, frozenset[str]] | None]
"""Ids of the advisories by package of what was looked up; None where there was no answer."""


def pip_audit(held: Pins, command: Sequence[str] = ("pip-audit",)) -> dict[str, frozenset[str]] | None:
    """What pip-audit says. A package that it skipped is left out; None where it did not answer in JSON."""
    with tempfile.TemporaryDirectory() as folder:
        asked = Path(folder) / "requirements.txt"
        asked.write_text("".join(f"{name}=={version}\n" for name, version in sorted(held.items())), encoding="utf-8")
        options = ["-r", str(asked), "--no-deps", "--disable-pip", "--format", "json", "--progress-spinner", "off"]
        try:
            done = subprocess.run(  # noqa: S603  # a list, and the names come from the locks
                [*command, *options], capture_output=True, text=True, timeout=600, check=False
            )
            answers = json.loads(done.stdout)["dependencies"]
        except (OSError, subprocess.TimeoutExpired, ValueError, KeyError, TypeError):
            return None
    return {
        canonicalize_name(answer["name"]): frozenset(
            identifier for found in answer["vulns"] for identifier in (found["id"], *found.get("aliases", ()))
        )
        for answer in answers
        if "vulns" in answer
    }


def audited(
    locked: Mapping[str, Pins], advisories: Sequence[Advisory], today: date, ask: Audit = pip_audit
) -> tuple[list[str], list[str]]:
    """Sentences on what an audit found that is not accepted, and on what it could not check."""
    canaries = ask(CANARIES)
    blind = [name for name in CANARIES if not canaries or not canaries.get(name)]
    if blind:
        names = ", ".join(f"{name} {CANARIES[name]}" for name in blind)
        return [], [f"pip-audit finds nothing in {names}, which have advisories: what it says of the locks is unknown."]
    found, unchecked = [], []
    for lock, held in locked.items():
        answers = ask(held)
        if answers is None:
            unchecked.append(f"{lock}: pip-audit gave no answer.")
            continue
        if missing := sorted(held.keys() - answers.keys()):
            unchecked.append(f"{lock}: not looked up: {', '.join(missing)}.")
        for package, ids in sorted(answers.items()):
            if ids and not any(
                i.hits(held) and i.accepted(today) and i.ids & ids for i in advisories if i.package == package
            ):
                found.append(f"{lock}: {package} {held.get(package)}: {', '.join(sorted(ids))}.")
    return found, unchecked


def main(arguments: Sequence[str] | None = None) -> int:
    """Print what was found and return the exit status."""
    parser = argparse.ArgumentParser(description="Whether what is locked has known advisories.")
    parser.add_argument("--audit", action="store_true", help="ask pip-audit also")
    parser.add_argument("locks", nargs="*", type=Path, help="other locks to audit; by default the repository's")
    options = parser.parse_args(arguments)
    own = {str(path.relative_to(ROOT)): pins(path) for path in locks()}
    today = date.today()
    try:
        advisories = read_list()
        failing, accepted = findings(advisories, own, today)
    except ListError as error:
        sys.stderr.write(f"{error}\n")
        return WRONG_LIST
    unchecked: list[str] = []
    if options.audit:
        asked = {str(path): pins(path) for path in options.locks} or own
        found, unchecked = audited(asked, advisories, today)
        failing += found
    lines = [f"accepted  {line}" for line in accepted]
    lines += [f"FOUND  {line}" for line in failing]
    lines += [f"COULD NOT BE CHECKED  {line}" for line in unchecked]
    if not failing and not unchecked:
        whom = "by pip-audit, or that is on the list" if options.audit else "that is on the list"
        lines.append(f"{len(own)} locks: nothing else found {whom}.")
    sys.stdout.write("\n".join(lines) + "\n")
    return FOUND if failing else NOT_CHECKED if unchecked else 0


if __name__ == "__main__":
    sys.exit(main())
