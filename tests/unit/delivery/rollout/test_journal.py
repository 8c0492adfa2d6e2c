"""The document a rollout leaves behind."""

import json

import pytest

from gauntlet.delivery.release import Release
from gauntlet.delivery.rollout.events import Event
from gauntlet.delivery.rollout.journal import MOST_ENTRIES, Entry, Journal
from gauntlet.delivery.rollout.state import Action, AnalysisRun, Metric, Phase, begin
from gauntlet.errors import JournalUnreadable
from gauntlet.verdict import Status

V1, V2 = (Release(number, f"sha256:{number}", f"models/{number}") for number in "12")
METRIC = Metric("errors", Status.PASS, "3 of 900", log_harm=-1.5, log_safe=3.2, canary=(3, 900), stable=(30, 9_000))
LOOK = AnalysisRun(
    4, Status.PASS, "all is well", (METRIC, Metric("sales", Status.ERROR, "no data", dry_run=True)), (900, 9e3)
)


def entry(at, weight=10, analysis=LOOK):
    return Entry(
        float(at), Phase.RAMPING, weight, Action.WAIT, f"At {weight} %.", analysis, code=Event.STEP_TIME_MISSING
    )


def test_what_was_written_is_read_back():
    journal = Journal(begin("prices", V2, V1, 0.0), '{"evidence": 1}', (entry(1, analysis=None), entry(2)))
    assert Journal.from_json(journal.to_json()) == journal


def test_a_long_timeline_is_thinned_and_keeps_every_change():
    journal = Journal(begin("prices", V2, V1, 0.0))
    weights = [5] * 300 + [10] * 1 + [25] * 3_000 + [50] * 200
    for at, weight in enumerate(weights):
        journal = journal.with_entry(entry(at, weight))
    assert len(journal.entries) <= MOST_ENTRIES
    assert {one.weight for one in journal.entries} == {5, 10, 25, 50}
    assert journal.entries[0].at == 0
    assert next(one.at for one in journal.entries if one.weight == 25) == 301, "when a weight was first given"
    assert [one.at for one in journal.entries] == sorted(one.at for one in journal.entries)
    assert [one.at for one in journal.entries[-100:]] == list(range(len(weights) - 100, len(weights)))


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"format": "gauntlet.journal/9"}', '{"format": "gauntlet.journal/1"}']
)
def test_what_is_no_journal_is_refused(text):
    with pytest.raises(JournalUnreadable):
        Journal.from_json(text)


def test_a_journal_without_a_state_is_refused_by_the_name_of_its_place():
    document = json.loads(Journal(begin("prices", V2, V1, 0.0)).to_json())
    torn = json.dumps({**document, "rollout": document["rollout"][:100]})
    with pytest.raises(JournalUnreadable, match=r"^loans\.json: is not the journal.*Run the pipeline rollback"):
        Journal.from_json(torn, "loans.json")
