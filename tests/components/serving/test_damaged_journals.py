"""Whatever lies where the journal was: a rollback needs none and keeps it, and then another delivery begins."""

import pytest

from builders.damage import NO_FILES, damages
from builders.host_in_process import V1, V2, V3, Controller, Host, at_half
from gauntlet.delivery.emergency_rollback import is_unfinished
from gauntlet.delivery.rollout.journal import Journal
from gauntlet.delivery.rollout.state import Phase, begin
from gauntlet.errors import BrokenArtifact, ConfigurationError, JournalUnreadable

KINDS = damages(Journal(begin("prices", V2, V1, 0.0)).to_json().replace("[]", "[{}]").encode())


def goes_back_and_on(host, kept):
    """What is there is refused, gone by what the host shows, and put aside; the next version is delivered."""
    with pytest.raises(JournalUnreadable, match=r"loans\.json: is not the journal of a rollout.*Run the pipeline"):
        Controller(host).roll_out()
    assert dict(host.reconciler.router.weights) == {"1": 50, "2": 50}, "a rollout does not go on from it"
    assert is_unfinished(host.service(), 0.0)
    person = Controller(host)
    journal = person.roll_back()
    assert host.has_left(V1)
    assert (journal.rollout.phase, journal.rollout.candidate, journal.rollout.stable) == (Phase.ROLLED_BACK, V2, V1)
    assert any("version 1 is stable, and version 2 has 50 % of the requests" in line for line in person.heard)
    (place,) = host.journal.parent.glob("loans.unreadable-*.json")
    assert any(str(place) in entry.sentence for entry in journal.entries)
    assert kept(place)
    assert person.roll_back() == journal, "repeatable"
    return True


def the_next_is_delivered(host):
    return Controller(host).roll_out(V3).rollout.phase is Phase.PROMOTED and host.has_left(V3)


@pytest.mark.parametrize("kind", KINDS)
def test_a_damaged_journal_closes_no_way_back(tmp_path, kind):
    host = at_half(tmp_path / "loans")
    damaged = damages(host.journal.read_bytes())[kind]
    host.journal.write_bytes(damaged)
    assert goes_back_and_on(host, lambda place: place.read_bytes() == damaged)


@pytest.mark.parametrize("kind", NO_FILES)
def test_what_is_no_file_closes_no_way_back(tmp_path, kind):
    host = at_half(tmp_path / "loans")
    host.journal.unlink()
    NO_FILES[kind](host.journal)
    assert goes_back_and_on(host, lambda place: not place.is_file() or place.is_symlink())
    assert the_next_is_delivered(host)


@pytest.mark.parametrize("gone", ["the journal", "the folder", "a link to nothing", "a file in place of the folder"])
def test_a_journal_that_is_gone_closes_no_way_back(tmp_path, gone):
    host = at_half(tmp_path / "loans")
    for path in host.journal.parent.iterdir():
        if gone != "the journal" or path == host.journal:
            path.unlink()
    if gone == "a link to nothing":
        host.journal.symlink_to("nowhere")
    elif gone != "the journal":
        host.journal.parent.rmdir()
    if gone.startswith("a file"):
        host.journal.parent.write_text("somebody's")
        with pytest.raises(Exception, match=r"all requests go to version 1 again \(Complaints\).*Not a directory"):
            Controller(host).roll_back()
        assert host.has_left(V1)
        host.journal.parent.unlink()
        return
    assert Controller(host).roll_back().rollout.phase is Phase.ROLLED_BACK
    assert host.has_left(V1)
    assert the_next_is_delivered(host)


def test_where_one_version_is_alone_it_stays_and_the_next_delivery_begins_anew(tmp_path):
    host = Host(tmp_path / "loans")
    host.service().handle.install(V1)
    Controller(host).roll_out()
    host.journal.write_bytes(b"half")
    assert not is_unfinished(host.service(), 0.0)
    with pytest.raises(BrokenArtifact, match=r"no version beside the one that has all requests.*It is kept as .*roll"):
        Controller(host).roll_back()
    assert host.has_left(V2)
    assert [path.read_bytes() for path in host.journal.parent.glob("loans.unreadable-*")] == [b"half"]
    with pytest.raises(ConfigurationError, match="has no rollout"):
        Controller(host).roll_back()
    assert the_next_is_delivered(host)


def test_two_of_the_same_are_both_kept(tmp_path):
    host = at_half(tmp_path / "loans")
    for _ in range(2):
        host.journal.write_bytes(b"")
        assert host.service().journals.set_aside("loans")
    assert len(list(host.journal.parent.glob("loans.unreadable-*"))) == 2
