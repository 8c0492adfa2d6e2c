"""The lease: held by one process, given back by the kernel when that is killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from builders.disks import fill, set_read_only, small_disk
from gauntlet.delivery.rollout.lease import LeaseTaken
from gauntlet.delivery.targets.local.client.lease import LocalLease
from gauntlet.errors import DependencyError

HOLDER = """
import sys, time
from pathlib import Path
from gauntlet.delivery.targets.local.client.lease import LocalLease
lease = LocalLease(Path(sys.argv[1]))
lease.acquire("loans")
print("held", flush=True)
time.sleep(600)
"""


def test_one_holds_it_until_it_is_given_back(tmp_path):
    ours, theirs = LocalLease(tmp_path), LocalLease(tmp_path)
    ours.acquire("loans")
    ours.acquire("loans")
    ours.check("loans")
    with pytest.raises(LeaseTaken, match=f"process {os.getpid()} acts on loans"):
        theirs.acquire("loans")
    theirs.acquire("prices")
    ours.release("loans")
    with pytest.raises(LeaseTaken, match="was lost"):
        ours.check("loans")
    theirs.acquire("loans")
    for service in ("loans", "prices"):
        theirs.release(service)


def test_the_kernel_gives_back_what_a_killed_process_held(tmp_path):
    path = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    holder = subprocess.Popen([sys.executable, "-c", HOLDER, str(tmp_path)], stdout=subprocess.PIPE, env=path)
    try:
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(LeaseTaken, match=f"process {holder.pid} acts"):
            LocalLease(tmp_path).acquire("loans")
    finally:
        holder.send_signal(signal.SIGKILL)
        holder.communicate()
    lease = LocalLease(tmp_path)
    lease.acquire("loans")
    lease.release("loans")


def test_a_lock_file_that_was_removed_is_no_lease(tmp_path):
    lease = LocalLease(tmp_path)
    lease.acquire("loans")
    (tmp_path / "loans.lease").unlink()
    with pytest.raises(LeaseTaken, match="was lost"):
        lease.check("loans")
    lease.acquire("loans")
    lease.check("loans")
    lease.release("loans")


def test_a_full_disk_keeps_nobody_from_acting(tmp_path):
    with small_disk(tmp_path / "disk") as disk:
        lease = LocalLease(disk)
        lease.acquire("loans")
        lease.release("loans")
        fill(disk)
        lease.acquire("loans")
        lease.check("loans")
        with pytest.raises(LeaseTaken, match="acts on loans"):
            LocalLease(disk).acquire("loans")
        lease.release("loans")


def test_a_disk_that_takes_no_writes_keeps_nobody_from_acting(tmp_path):
    with small_disk(tmp_path / "disk") as disk:
        lease = LocalLease(disk)
        lease.acquire("loans")
        lease.release("loans")
        set_read_only(disk)
        lease.acquire("loans")
        with pytest.raises(LeaseTaken):
            LocalLease(disk).acquire("loans")
        lease.release("loans")


def test_where_no_lock_file_can_be_made_the_folder_is_locked(tmp_path):
    with small_disk(tmp_path / "disk") as disk:
        set_read_only(disk)
        for folder in (disk, disk / "rollouts"):  # the second is not there, and cannot be made
            lease = LocalLease(folder)
            lease.acquire("loans")
            lease.check("loans")
            with pytest.raises(LeaseTaken):
                LocalLease(folder).acquire("loans")
            lease.release("loans")


def test_who_locks_the_folder_loses_the_lease_to_a_lock_file(tmp_path):
    (tmp_path / "loans.lease").symlink_to(tmp_path / "no" / "folder")
    lease = LocalLease(tmp_path)
    lease.acquire("loans")
    lease.check("loans")
    (tmp_path / "loans.lease").unlink()
    other = LocalLease(tmp_path)
    other.acquire("loans")
    with pytest.raises(LeaseTaken, match="was lost"):
        lease.check("loans")
    with pytest.raises(LeaseTaken):
        lease.acquire("loans")


def test_where_there_is_nothing_to_lock_it_says_so(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(DependencyError, match=r"prices\.lease: cannot be made, opened or locked") as refused:
        LocalLease(tmp_path / "file" / "no" / "rollouts").acquire("prices")
    assert refused.value.retryable
