"""A version at 50 %, and a disk that is full, or a journal that is torn: all requests go to stable again, at once."""

import json
import os
import subprocess
import sys
from contextlib import contextmanager

import pytest

from builders.deliverer import Delivery
from builders.disks import fill, make_room, set_read_only, small_disk
from builders.local import ROW, hosting, stub, wait_for
from builders.served_models import brought
from gauntlet.delivery.release import Release
from gauntlet.delivery.rollout.journal import Journal
from gauntlet.delivery.rollout.state import Phase
from gauntlet.delivery.targets.local import transitions
from gauntlet.errors import DependencyError
from gauntlet.model_digest import digest_model

REAL = json.dumps({"instances": [{"x": 1.0}]}).encode()


class AtHalf:
    """A local service on a disk of its own; half of the requests are version 2's, and somebody conducts."""

    def __init__(self, host, second, body=ROW):
        self.host, self.second, self.body = host, second, body
        self.address = f"local:{host.folder}"
        self.harm = host.folder.parent / "harm"
        self.controller = self.begun("roll_out", "--approve", "100", "--harm-file", str(self.harm))
        self.controller.until("Waiting for approval of 100 %")
        self.journal = host.folder / "rollouts" / f"{host.folder.name}.json"
        self.desired = host.folder / "desired.json"

    def begun(self, action, *options):
        return Delivery(self.address, action, self.second, *options)

    def done(self, action):
        """(exit status, what it said of an error, its lines)."""
        delivery = self.begun(action)
        return *delivery.end(), delivery.lines

    def everything_is_with_stable(self):
        state = self.host.client.state()
        assert (dict(state.weights), set(state.desired.revisions)) == ({"1": 100}, {"1"})
        assert {self.host.ask(self.body).version for _ in range(100)} == {"1"}
        return True

    def rollout(self):
        return Journal.from_json(self.journal.read_text()).rollout


@contextmanager
def at_half(folder, versions, command=None, body=ROW, size="2m"):
    with small_disk(folder / "disk", size) as disk, hosting(disk / "loans", command, seconds=30) as host:
        first, second = versions
        host.installed(first)
        service = AtHalf(host, second, body)
        try:
            yield service
        finally:
            service.controller.kill()


@pytest.fixture
def service(tmp_path):
    versions = stub(tmp_path, "1", score=0.25), stub(tmp_path, "2", score=0.75)
    with at_half(tmp_path, versions) as service:
        yield service


def mended(service):
    """With room again everything is written, by the host and by a person's second try."""
    make_room(service.host.folder)
    wait_for(lambda: json.loads(service.desired.read_text())["weights"] == {"1": 100})
    assert service.host.client.state().unwritten == ""
    status, said, lines = service.done("roll_back")
    assert (status, lines[-1]) == (0, "ended: rolled_back"), said
    assert service.rollout().phase is Phase.ROLLED_BACK
    assert list(service.host.folder.rglob("*.partial")) == []
    return True


def test_on_a_full_disk_a_person_rolls_it_back(service):
    service.controller.kill()
    fill(service.host.folder)
    status, said, lines = service.done("roll_back")
    assert status == 3, lines
    assert "UnrecordedRollback: loans: all requests go to version 1 again (Customers complain)" in said
    assert "No space left on device" in said
    assert str(service.desired) in said
    assert service.everything_is_with_stable()
    assert service.rollout().weight == 50, "what was written before is whole"
    assert json.loads(service.desired.read_text())["weights"] == {"1": 50, "2": 50}
    assert mended(service)


def test_on_a_full_disk_harm_rolls_it_back(service):
    fill(service.host.folder)
    service.harm.touch()
    status, said = service.controller.end()
    assert status == 3, service.controller.lines
    assert "all requests go to version 1 again (Harm was shown: answers differ)" in said
    assert service.everything_is_with_stable()
    assert service.rollout().weight == 50
    assert mended(service)


def test_on_a_full_disk_nobody_gets_more_requests(service):
    service.controller.kill()
    fill(service.host.folder)
    first = service.host.service.handle.current()
    with pytest.raises(DependencyError, match=r"cannot write the desired state.*No space left") as refused:
        service.host.client.change(lambda now: transitions.weigh(now, service.second, first, 90))
    assert refused.value.retryable
    status, said, _ = service.done("roll_out")
    assert status == 3
    assert "iterations in a row" in said
    assert dict(service.host.client.state().weights) == {"1": 50, "2": 50}


def test_what_was_done_on_a_full_disk_is_not_undone_by_the_next_rollout(service):
    service.controller.kill()
    fill(service.host.folder)
    service.done("roll_back")
    make_room(service.host.folder)
    wait_for(lambda: not service.host.client.state().unwritten)
    status, said, lines = service.done("roll_out")
    assert (status, lines[-1]) == (0, "ended: rolled_back"), said
    assert "it was removed from the desired state" in service.rollout().reason
    assert service.everything_is_with_stable()


def test_with_a_torn_journal_a_person_rolls_it_back_and_the_journal_is_kept(service):
    service.controller.kill()
    torn = service.journal.read_bytes()[:700]
    service.journal.write_bytes(torn)
    status, said, _ = service.done("roll_out")
    assert status == 3
    assert f"{service.journal}: is not the journal of a rollout" in said
    assert "Run the pipeline rollback" in said
    assert dict(service.host.client.state().weights) == {"1": 50, "2": 50}, "a rollout does not go on from it"
    status, said, lines = service.done("roll_back")
    assert (status, lines[-1]) == (0, "ended: rolled_back"), said
    assert any("version 2 has 50 % of the requests" in line for line in lines if line.startswith("heard: "))
    assert service.everything_is_with_stable()
    (kept,) = service.journal.parent.glob("loans.unreadable-*.json")
    assert kept.read_bytes() == torn
    found = Journal.from_json(service.journal.read_text())
    assert (found.rollout.phase, found.rollout.candidate) == (Phase.ROLLED_BACK, service.second)
    assert any(str(kept) in entry.sentence for entry in found.entries)


def test_with_a_torn_journal_on_a_full_disk_a_person_rolls_it_back(service):
    service.controller.kill()
    torn = service.journal.read_bytes()[:700]
    service.journal.write_bytes(torn)
    fill(service.host.folder)
    status, said, _ = service.done("roll_back")
    assert status == 3
    assert "all requests go to version 1 again (Customers complain)" in said
    assert service.everything_is_with_stable()
    kept = [path for path in service.journal.parent.glob("loans*.json") if path.read_bytes() == torn]
    assert len(kept) == 1, "it is never lost"


def test_without_any_journal_a_person_rolls_it_back(service):
    service.controller.kill()
    service.journal.unlink()
    status, said, lines = service.done("roll_back")
    assert (status, lines[-1]) == (0, "ended: rolled_back"), said
    assert service.everything_is_with_stable()


@pytest.mark.parametrize("trouble", [fill, set_read_only])
def test_a_host_is_started_again_on_a_disk_that_takes_no_writes(service, trouble):
    """What it was, it is: its files stay right, so its clients find it, and a person can roll back."""
    service.controller.kill()
    service.host.kill()
    before = json.loads((service.host.folder / "host.json").read_text())
    trouble(service.host.folder)
    service.host.start(silent=True)
    after = json.loads((service.host.folder / "host.json").read_text())
    assert before == after
    wait_for(lambda: dict(service.host.client.state().weights) == {"1": 50, "2": 50})
    wait_for(lambda: all(service.host.ask(service.body).status == 200 for _ in range(20)))
    status, said, _ = service.done("roll_back")
    assert status == 3
    assert "all requests go to version 1 again (Customers complain)" in said
    assert service.everything_is_with_stable()
    assert service.host.end() == 0, "no trace back where its address cannot be removed"


def test_where_nobody_would_find_it_a_host_says_so_and_ends(tmp_path):
    with small_disk(tmp_path / "disk") as disk:
        (disk / "loans").mkdir()
        set_read_only(disk)
        host = "gauntlet.delivery.targets.local.server.host"
        words = [sys.executable, "-m", host, str(disk / "loans"), "--port", "0"]
        env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
        done = subprocess.run(words, env=env, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 3
    place, last = disk / "loans" / "host.json", done.stderr.splitlines()[-1]
    assert last.startswith(f"DependencyError: {place}: cannot be written (Read-only file system)")
    assert "Traceback" not in done.stderr


def test_a_full_disk_has_a_reserve_for_a_rollback(tmp_path):
    versions = stub(tmp_path, "1", score=0.25), stub(tmp_path, "2", score=0.75)
    with at_half(tmp_path, versions, size="8m") as service:
        service.controller.kill()
        reserve = service.host.folder / "reserve"
        wait_for(reserve.exists)
        fill(service.host.folder)
        status, said, lines = service.done("roll_back")
        assert (status, lines[-1]) == (0, "ended: rolled_back"), said
        assert service.everything_is_with_stable()
        assert service.rollout().phase is Phase.ROLLED_BACK
        assert json.loads(service.desired.read_text())["weights"] == {"1": 100}
        assert not reserve.exists()
        make_room(service.host.folder)
        wait_for(reserve.exists)


def test_on_a_full_disk_real_servers_go_back(tmp_path):
    first = brought(tmp_path / "1", lambda frame: frame["x"].to_numpy() * 0.25, {"x": "double"})
    second = brought(tmp_path / "2", lambda frame: frame["x"].to_numpy() * 0.75, {"x": "double"})
    versions = Release("1", digest_model(first), str(first)), Release("2", digest_model(second), str(second))
    host = "gauntlet.delivery.targets.local.server.host"
    words = [sys.executable, "-m", host, str(tmp_path / "disk/loans"), "--port", "0"]
    with at_half(tmp_path, versions, words, REAL) as service:
        service.controller.kill()
        fill(service.host.folder)
        status, said, _ = service.done("roll_back")
        assert status == 3
        assert "all requests go to version 1 again" in said
        assert service.everything_is_with_stable()
        assert service.host.ask(REAL).json == {"predictions": [0.25]}
        assert mended(service)
