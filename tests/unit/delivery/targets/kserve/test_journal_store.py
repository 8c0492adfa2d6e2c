"""The journal in a ConfigMap: versions, people, and what does not fit."""

import pytest

from builders.kserve_rollouts import V1, V2
from builders.memory_cluster import MemoryApi, MemoryServer
from gauntlet.delivery.rollout.controller import start
from gauntlet.delivery.rollout.events import Event
from gauntlet.delivery.rollout.journal import Entry, Journal
from gauntlet.delivery.rollout.ports import Conflict
from gauntlet.delivery.rollout.state import Action, AnalysisRun, Metric, Phase
from gauntlet.delivery.targets.kserve.journal_store import ABORT, APPROVE, MOST_BYTES, ConfigMapJournalStore, fitted
from gauntlet.errors import DataError, DependencyError
from gauntlet.verdict import Status

PATH = "/api/v1/namespaces/ml/configmaps/gauntlet-rollout-loans"


@pytest.fixture
def server():
    return MemoryServer()


@pytest.fixture
def journals(server):
    return ConfigMapJournalStore(MemoryApi(server))


def begun(journals, attempt=""):
    start(journals, "ml/loans", V2, V1, 0.0, attempt)
    return journals.read("ml/loans")


def say(server, **annotations):
    server.request("PATCH", PATH, {"metadata": {"annotations": annotations}})


def test_what_is_written_is_read_and_what_was_read_before_is_a_conflict(journals):
    assert journals.read("ml/loans") is None
    journal, mark = begun(journals)
    entry = Entry(1.0, Phase.DEPLOYING, 0, Action.DEPLOY, "The second.", code=Event.CANDIDATE_DEPLOYING)
    journals.write(journal.with_entry(entry), mark)
    assert [one.sentence for one in journals.read("ml/loans")[0].entries][-1] == "The second."
    with pytest.raises(Conflict):
        journals.write(journal, mark)
    with pytest.raises(Conflict):
        journals.write(journal, "")


def test_a_config_map_that_was_there_before_is_used(journals, server):
    server.request("POST", PATH.rpartition("/")[0], {"metadata": {"name": "gauntlet-rollout-loans"}})
    assert journals.read("ml/loans") is None
    assert begun(journals)[0].rollout.candidate == V2


def test_people_speak_through_annotations(journals, server):
    rollout = begun(journals)[0].rollout
    assert journals.approvals(rollout) == (0, "")
    say(server, **{APPROVE: "50 %"})
    assert journals.approvals(rollout) == (50, "")
    say(server, **{APPROVE: "yes", ABORT: " complaints "})
    assert journals.approvals(rollout) == (0, "complaints")
    say(server, **{ABORT: ""})
    assert journals.approvals(rollout) == (0, "no reason given")


def test_what_they_said_of_one_rollout_is_not_heard_in_the_next(journals, server):
    journal, mark = begun(journals)
    say(server, **{APPROVE: "100", ABORT: "complaints"})
    _, mark = journals.read("ml/loans")
    over = Journal.from_json(journal.to_json().replace("deploying", "rolled_back"))
    journals.write(over.with_entry(over.entries[0]), mark)
    rollout = begun(journals, attempt="mended")[0].rollout
    assert rollout.attempt == "mended"
    assert journals.approvals(rollout) == (0, "")


def test_a_server_that_does_not_answer_says_nothing(server):
    def fate(method, path, when):
        raise DependencyError("does not answer", field=path, value=503, mend="Wait")

    rollout = begun(ConfigMapJournalStore(MemoryApi(server)))[0].rollout
    assert ConfigMapJournalStore(MemoryApi(server, fate)).approvals(rollout) == (0, "")


def long_journal(rollout, entries):
    metrics = tuple(Metric(f"errors {number}", Status.PASS, "x" * 300) for number in range(12))
    look = AnalysisRun(1, Status.PASS, "it was seen", metrics)
    one = Entry(1.0, Phase.RAMPING, 10, Action.WAIT, "A turn.", look, code=Event.STEP_TIME_MISSING)
    return Journal(rollout, "memory", (one,) * entries)


def test_old_looks_are_shortened_until_the_journal_fits(journals):
    journal = long_journal(begun(journals)[0].rollout, 400)
    shorter = fitted(journal)
    assert len(journal.to_json()) > MOST_BYTES >= len(shorter.to_json())
    assert shorter.rollout == journal.rollout
    assert [one.sentence for one in shorter.entries] == [one.sentence for one in journal.entries]
    assert shorter.entries[0].analysis.metrics == ()
    assert shorter.entries[-1] == journal.entries[-1], "the newest stay whole"
    assert fitted(shorter) == shorter


def test_what_cannot_fit_says_so(journals):
    journal = Journal(begun(journals)[0].rollout, "x" * MOST_BYTES)
    with pytest.raises(DataError, match="is longer than 900,000 bytes"):
        journals.write(journal, "")


def test_what_is_no_journal_is_put_away_whole_and_another_begins(journals, server):
    begun(journals)
    server.request("PATCH", PATH, {"data": {"journal": '{"format": "gauntlet.jour', "before": "kept"}})
    with pytest.raises(DataError, match=r"^journal of ConfigMap ml/gauntlet-rollout-loans: is not the journal"):
        journals.read("ml/loans")
    place = journals.set_aside("ml/loans")
    assert place.startswith("ConfigMap ml/gauntlet-rollout-loans-unreadable-")
    away = server.request("GET", PATH.rpartition("/")[0] + "/" + place.rpartition("/")[2])
    assert away["data"] == {"journal": '{"format": "gauntlet.jour'}
    assert journals.read("ml/loans") is None
    assert server.request("GET", PATH)["data"] == {"before": "kept"}, "what is known of before stays"
    begun(journals)


def test_killed_between_the_copy_and_the_end_of_the_old_one_it_is_put_away_again(journals, server):
    begun(journals)
    server.request("PATCH", PATH, {"data": {"journal": "torn"}})
    place = journals.set_aside("ml/loans")
    server.request("PATCH", PATH, {"data": {"journal": "torn"}})
    assert journals.set_aside("ml/loans") == place
