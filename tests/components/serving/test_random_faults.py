"""Random faults over local rollouts: each ends promoted or rolled back, and nobody is harmed on the way."""

import tempfile
from collections import Counter
from pathlib import Path

import pytest

from builders.fault_trials import FAULTS, Trial
from tiers import count

TRIALS = count(100, full=1_000, quick=20)
SEEN = 25
"""Trials, about, in which each fault comes to pass at least once."""


@pytest.fixture
def folder(tmp_path):
    """In memory where there is such a disk: thousands of small files are written."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else tmp_path) as made:
        yield Path(made)


def test_whatever_happens_a_rollout_ends_and_a_harmful_version_never_has_more_than_its_step(folder):
    ended, came = Counter(), Counter()
    for number in range(TRIALS):
        outcome = Trial(number, folder / str(number) / "loans").run()
        ended[outcome.phase, "harmful" if outcome.harmful else "good"] += 1
        came.update(outcome.faults)
    assert ended["promoted", "harmful"] == 0
    assert TRIALS < SEEN or set(came) == set(FAULTS), "each came to pass"
    assert min(ended["promoted", "good"], ended["rolled_back", "good"], ended["rolled_back", "harmful"]) > 0
    print(dict(ended), dict(came))  # noqa: T201 - the counts in docs/local.md


def test_without_faults_a_good_version_is_promoted_and_a_harmful_one_rolled_back(folder):
    for number in range(4):
        trial = Trial(number, folder / str(number) / "loans")
        trial.coming = []
        assert trial.run().phase == ("rolled_back" if trial.harmful else "promoted")
