"""The journal in a ConfigMap: versions, people, and what does not fit."""

import pytest

from builders.kserve_rollouts import V1, V2
from builders.memory_cluster import MemoryApi, MemoryServer
from gauntlet.delivery.rollout.controller import Conflict, start
from gauntlet.delivery.rollout.journal import Entry, Journal
from gauntlet.delivery.rollout.state import Do, Look, Metric, Phase
from gauntlet.delivery.targets.kserve.journal_store import APPROVE, MOST_BYTES, REFUSE, ConfigMapLedger, fitted
from gauntlet.errors import DataError, DependencyError
from gauntlet.verdict import Status

PATH = "/api/v1/namespaces/ml/configmaps/gauntlet-rollout-loans"


@pytest.fixture
def server():
    return MemoryServer()


@pytest.fixture
def ledger(server):
    return ConfigMapLedger(MemoryApi(server))


def begun(ledger, attempt=""):
    start(ledger, "ml/loans", V2, V1, 0.0, attempt)
    return ledger.read("ml/loans")


def say(server, **annotations):
    server.request("PATCH", PATH, {"metadata": {"annotations": annotations}})


def test_what_is_written_is_read_and_what_was_read_before_is_a_conflict(ledger):
    assert ledger.read("ml/loans") is None
    journal, mark = begun(ledger)
    entry = Entry(1.0, Phase.DEPLOYING, 0, Do.DEPLOY, "The second.")
    ledger.write(journal.with_entry(entry), mark)
    assert [one.sentence for one in ledger.read("ml/loans")[0].entries][-1] == "The second."
    with pytest.raises(Conflict):
        ledger.write(journal, mark)
    with pytest.raises(Conflict):
        ledger.write(journal, "")


def test_a_config_map_that_was_there_before_is_used(ledger, server):
    server.request("POST", PATH.rpartition("/")[0], {"metadata": {"name": "gauntlet-rollout-loans"}})
    assert ledger.read("ml/loans") is None
    assert begun(ledger)[0].rollout.candidate == V2


def test_people_speak_through_annotations(ledger, server):
    rollout = begun(ledger)[0].rollout
    assert ledger.people(rollout) == (0, "")
    say(server, **{APPROVE: "50 %"})
    assert ledger.people(rollout) == (50, "")
    say(server, **{APPROVE: "yes", REFUSE: " complaints "})
    assert ledger.people(rollout) == (0, "complaints")
    say(server, **{REFUSE: ""})
    assert ledger.people(rollout) == (0, "no reason given")


def test_what_they_said_of_one_rollout_is_not_heard_in_the_next(ledger, server):
    journal, mark = begun(ledger)
    say(server, **{APPROVE: "100", REFUSE: "complaints"})
    _, mark = ledger.read("ml/loans")
    over = Journal.from_json(journal.to_json().replace("deploying", "rolled_back"))
    ledger.write(over.with_entry(over.entries[0]), mark)
    rollout = begun(ledger, attempt="mended")[0].rollout
    assert rollout.attempt == "mended"
    assert ledger.people(rollout) == (0, "")


def test_a_server_that_does_not_answer_says_nothing(server):
    def fate(method, path, when):
        raise DependencyError("does not answer", field=path, value=503, mend="Wait")

    rollout = begun(ConfigMapLedger(MemoryApi(server)))[0].rollout
    assert ConfigMapLedger(MemoryApi(server, fate)).people(rollout) == (0, "")


def long_journal(rollout, entries):
    metrics = tuple(Metric(f"errors {number}", Status.PASS, "x" * 300) for number in range(12))
    look = Look(1, Status.PASS, "it was seen", metrics)
    one = Entry(1.0, Phase.RAMPING, 10, Do.WAIT, "A turn.", look)
    return Journal(rollout, "memory", (one,) * entries)


def test_old_looks_are_shortened_until_the_journal_fits(ledger):
    journal = long_journal(begun(ledger)[0].rollout, 400)
    shorter = fitted(journal)
    assert len(journal.to_json()) > MOST_BYTES >= len(shorter.to_json())
    assert shorter.rollout == journal.rollout
    assert [one.sentence for one in shorter.entries] == [one.sentence for one in journal.entries]
    assert shorter.entries[0].look.metrics == ()
    assert shorter.entries[-1] == journal.entries[-1], "the newest stay whole"
    assert fitted(shorter) == shorter


def test_what_cannot_fit_says_so(ledger):
    journal = Journal(begun(ledger)[0].rollout, "x" * MOST_BYTES)
    with pytest.raises(DataError, match="is longer than 900,000 bytes"):
        ledger.write(journal, "")


def test_what_is_no_journal_is_put_away_whole_and_another_begins(ledger, server):
    begun(ledger)
    server.request("PATCH", PATH, {"data": {"journal": '{"format": "gauntlet.jour', "before": "kept"}})
    with pytest.raises(DataError, match=r"^journal of ConfigMap ml/gauntlet-rollout-loans: is not the journal"):
        ledger.read("ml/loans")
    place = ledger.set_aside("ml/loans")
    assert place.startswith("ConfigMap ml/gauntlet-rollout-loans-unreadable-")
    away = server.request("GET", PATH.rpartition("/")[0] + "/" + place.rpartition("/")[2])
    assert away["data"] == {"journal": '{"format": "gauntlet.jour'}
    assert ledger.read("ml/loans") is None
    assert server.request("GET", PATH)["data"] == {"before": "kept"}, "what is known of before stays"
    begun(ledger)


def test_killed_between_the_copy_and_the_end_of_the_old_one_it_is_put_away_again(ledger, server):
    begun(ledger)
    server.request("PATCH", PATH, {"data": {"journal": "torn"}})
    place = ledger.set_aside("ml/loans")
    server.request("PATCH", PATH, {"data": {"journal": "torn"}})
    assert ledger.set_aside("ml/loans") == place
