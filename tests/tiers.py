"""Which part of the suite a run takes: ``make test``, ``make check`` or ``make test-all`` says so in GAUNTLET_TIER.

``test``: the fast tests, with fewer drawn cases.
``check``: those, and every kind of real part once: of many tests that differ in one detail (marked ``exhaustive``) the
    others are left out, kills are sampled, and simulations run only when what they rest on has changed.
``all``: everything, at full counts.

By hand (``pytest tests/engine``) everything that is named runs, at the counts of ``check``.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TypeVar

import pytest

import unchanged

TIER = os.environ.get("GAUNTLET_TIER", "")
QUICK = TIER == "test"
CHECK = TIER == "check"
ALL = TIER == "all"

Case = TypeVar("Case")


def count(usual: int, *, full: int | None = None, quick: int | None = None) -> int:
    """How many trials: the full count in ``make test-all`` alone, the quick one in ``make test`` alone."""
    if ALL and full is not None:
        return full
    return quick if QUICK and quick is not None else usual


def sample(cases: Sequence[Case], *, every: int) -> Sequence[Case]:
    """The cases; in ``make check`` every n-th of them, so that they lie evenly over the whole."""
    return cases[:: every if CHECK else 1]


def leave_out(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Deselect what ``make check`` leaves out, and remember it for ``say_what_was_left_out``."""
    if not CHECK:
        return
    exhaustive = [item for item in items if item.get_closest_marker("exhaustive")]
    simulations = [item for item in items if item.get_closest_marker("simulation") and item not in exhaustive]
    held = unchanged.held({item.path for item in simulations})
    rested = [item for item in simulations if item.path in held]
    config.stash[_LEFT] = (len(exhaustive), len(rested))
    if exhaustive or rested:
        out = {*exhaustive, *rested}
        config.hook.pytest_deselected(items=[*exhaustive, *rested])
        items[:] = [item for item in items if item not in out]


def say_what_was_left_out(config: pytest.Config) -> str:
    """A sentence for the end of the run; empty when nothing was."""
    exhaustive, rested = config.stash.get(_LEFT, (0, 0))
    parts = []
    if exhaustive:
        parts.append(f"{exhaustive} that differ from others in one detail")
    if rested:
        parts.append(f"{rested} simulations of unchanged code ({unchanged.RECORD.name} has their last run)")
    return f"Left to make test-all: {'; '.join(parts)}." if parts else ""


_LEFT = pytest.StashKey[tuple[int, int]]()
