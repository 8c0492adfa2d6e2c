"""The codes of a timeline: on the page for users, in the source, and in what a rollout leaves behind."""

import ast
import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from builders.journals import rolled_out
from gauntlet.delivery.rollout.events import Event, event_of
from gauntlet.delivery.rollout.journal import Journal
from gauntlet.delivery.rollout.timeline import timeline_json

ROOT = Path(__file__).parents[4]
DELIVERY = ROOT / "src" / "gauntlet" / "delivery"
WRITTEN = [event for event in Event if event is not Event.OVER]


def listed(page):
    """The codes in the first column of the page's tables."""
    return re.findall(r"^\| `([a-z_.]+)` \|", page, re.MULTILINE)


def named(tree):
    """The members of ``Event`` that a module names."""
    return {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "Event"
    }


def test_the_page_lists_every_code_once_and_no_others():
    page = listed((ROOT / "docs" / "timeline.md").read_text())
    assert sorted(page) == sorted(event.value for event in WRITTEN)


def test_a_code_that_the_page_lacks_is_found():
    assert listed("| `started` | it began |\n| `gone` | no more |\ntext `not.a.row`\n") == ["started", "gone"]


def test_every_code_is_written_somewhere():
    modules = [path for path in DELIVERY.rglob("*.py") if path.name != "events.py"]
    assert set.union(*(named(ast.parse(path.read_text())) for path in modules)) == {event.name for event in Event}
    assert named(ast.parse("Entry(code=Event.STARTED), Phase.RAMPING")) == {"STARTED"}


@pytest.mark.parametrize("event", Event)
def test_a_code_is_stable_text_without_numbers_or_names(event):
    assert re.fullmatch(r"[a-z_]+(\.[a-z_]+)?", event.value)


def test_every_entry_of_a_rollout_has_a_code_and_its_document_shows_it():
    journal = rolled_out(canary={"errors": 0.06}, bad_from=10)
    codes = [entry["code"] for entry in timeline_json(journal)["entries"]]
    assert codes == [entry.code for entry in journal.entries]
    assert codes[0] == "started"
    assert codes.count("step.started") == 2
    assert codes[-2:] == ["rollback.harm", "rolled_back"]
    assert "aborted" in [entry.code for entry in rolled_out(refused_at=20).entries]
    assert rolled_out().entries[-1].code is Event.PROMOTED


def test_a_journal_from_before_there_were_codes_is_read():
    journal = rolled_out(turns=8)
    document = json.loads(journal.to_json())
    for entry in document["entries"]:
        del entry["code"]
    old = Journal.from_json(json.dumps(document))
    assert old == replace(journal, entries=tuple(replace(entry, code=None) for entry in journal.entries))
    assert Journal.from_json(old.to_json()) == old
    assert {entry["code"] for entry in timeline_json(old)["entries"]} == {None}


def test_a_code_of_a_later_version_does_not_make_a_journal_unreadable():
    assert event_of("step.skipped") is None
    assert event_of("step.started") is Event.STEP_STARTED
    text = rolled_out(turns=3).to_json().replace('"code":"started"', '"code":"begun.again"')
    assert Journal.from_json(text).entries[0].code is None
