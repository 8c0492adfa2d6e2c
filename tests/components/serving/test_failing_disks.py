"""Disks that are full, over a quota, read-only or broken, whoever runs the tests: weights go back first."""

import errno
import os
from pathlib import Path

import pytest

from builders.faulty_files import FaultyFiles, failing, nothing
from builders.host_in_process import V1, V3, Controller, at_half
from gauntlet.delivery.emergency_rollback import UnrecordedRollback
from gauntlet.delivery.rollout.state import Phase
from gauntlet.delivery.targets.local.client.host_client import HOST_FILE
from gauntlet.delivery.targets.local.reserve import RESERVE_BYTES, RESERVE_FILE, keep_reserve
from gauntlet.delivery.targets.local.server.address import Address, forget_address, former_address, tell_address
from gauntlet.delivery.targets.local.server.host import only_one, read_desired
from gauntlet.errors import BrokenArtifact, ConfigurationError, DependencyError, GauntletError

NUMBERS = [errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO, errno.EACCES]


def name(value):
    return errno.errorcode[value] if isinstance(value, int) else None


@pytest.fixture
def disk(tmp_path):
    with FaultyFiles(tmp_path / "loans").installed() as disk:
        yield disk


@pytest.mark.parametrize("number", NUMBERS, ids=name)
@pytest.mark.parametrize("harmful", [False, True], ids=["a person", "harm"])
def test_no_disk_is_needed_for_the_way_back(tmp_path, disk, number, harmful):
    host = at_half(tmp_path / "loans", harmful=harmful)
    disk.fault = failing(number, "write")
    one = Controller(host, harmful=harmful)
    with pytest.raises(UnrecordedRollback, match=f"all requests go to version 1 again.*{os.strerror(number)}") as said:
        one.roll_out() if harmful else one.roll_back()
    assert host.has_left(V1)
    assert str(host.folder / "desired.json") in str(said.value)
    disk.fault = nothing
    host.later()
    assert read_desired(host.folder / "desired.json") == host.reconciler.desired
    assert one.roll_back().rollout.phase is Phase.ROLLED_BACK
    assert Controller(host).roll_out(V3).rollout.phase is Phase.PROMOTED


@pytest.mark.parametrize("number", [errno.EIO, errno.EACCES], ids=name)
def test_a_disk_that_cannot_be_read_either_closes_no_way_back(tmp_path, disk, number):
    host = at_half(tmp_path / "loans")

    def unreadable(kind, path):
        if kind == "write" or path == str(host.journal):
            raise OSError(number, os.strerror(number), path)

    disk.fault = unreadable
    with pytest.raises(GauntletError, match=os.strerror(number)):
        Controller(host).roll_out()
    with pytest.raises(UnrecordedRollback, match=f"all requests go to version 1 again.*{os.strerror(number)}"):
        Controller(host).roll_back()
    assert host.has_left(V1)


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT], ids=name)
def test_a_reserve_is_given_up_for_the_way_back_and_for_nothing_else(tmp_path, disk, number):
    host = at_half(tmp_path / "loans", harmful=True)
    keep_reserve(host.folder)
    reserve = host.folder / RESERVE_FILE
    assert reserve.stat().st_blocks * 512 >= RESERVE_BYTES

    def full(kind, path):
        if kind == "write" and reserve.exists() and Path(path).name != RESERVE_FILE:
            raise OSError(number, os.strerror(number), path)

    disk.fault = full
    with pytest.raises(DependencyError, match="iterations in a row"):
        Controller(host).roll_out(attempt="another")  # a good one would go on; its steps are no way back
    assert reserve.exists()
    assert Controller(host, harmful=True).roll_out().rollout.phase is Phase.ROLLED_BACK
    assert not reserve.exists()
    assert read_desired(host.folder / "desired.json") == host.reconciler.desired


def test_a_quota_that_no_reserve_helps_is_said(tmp_path, disk):
    host = at_half(tmp_path / "loans")
    keep_reserve(host.folder)
    disk.fault = failing(errno.EDQUOT, "write")
    with pytest.raises(UnrecordedRollback, match="quota exceeded"):
        Controller(host).roll_back()
    assert host.has_left(V1)


FORMER = Address("http://127.0.0.1:8080", "http://127.0.0.1:9090", "first")
NOW = Address(FORMER.url, FORMER.admin, "second")


@pytest.mark.parametrize("number", NUMBERS, ids=name)
def test_a_host_that_listens_where_the_last_one_did_needs_no_write(tmp_path, disk, number):
    folder = tmp_path / "loans"
    assert tell_address(folder, FORMER, Address(), {"pid": 1}) == ""
    disk.fault = failing(number, "write")
    assert former_address(folder) == FORMER
    with only_one(folder):
        assert tell_address(folder, NOW, former_address(folder), {"pid": 2}) == "first"
        elsewhere = Address("http://127.0.0.1:1", FORMER.admin, "second")
        with pytest.raises(DependencyError, match=rf"host\.json: cannot be written \({os.strerror(number)}\)"):
            tell_address(folder, elsewhere, former_address(folder), {"pid": 2})
        forget_address(folder)
        with pytest.raises(ConfigurationError, match="served by another process"), only_one(folder):
            pass
    assert former_address(folder) == FORMER


@pytest.mark.parametrize("content", ["", "[]", "{}", "[" * 100_000, '{"format": "gauntlet.host/1", "url": 1}'])
def test_an_address_that_cannot_be_read_is_none(tmp_path, content):
    (tmp_path / HOST_FILE).write_text(content)
    assert former_address(tmp_path) == Address()
    assert Address("http://[", "http://127.0.0.1:x").port == 0


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(ConfigurationError, match="folder: cannot be made or opened"), only_one(tmp_path / "file" / "x"):
        pass


@pytest.mark.parametrize("content", ["", "[]", "{}", "[" * 100_000, "\0" * 90])
def test_a_desired_state_that_cannot_be_read_is_named(tmp_path, content):
    (tmp_path / "desired.json").write_text(content)
    with pytest.raises(BrokenArtifact, match=r"desired\.json: cannot be read"):
        read_desired(tmp_path / "desired.json")
