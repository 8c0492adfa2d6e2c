"""An e-process for counts of two arms: evidence that is valid at every interim analysis (docs/canary.md).

>>> harm = begin(Test(Direction.HARM, delta=0.002))
>>> harm = update(harm, Counts(30, 1000, 90, 9000))
>>> e_value(harm) > 1 / 0.05
True
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import Any

import numpy as np

from gauntlet.delivery.evidence.bets import log_bets, log_mean, prior_rate
from gauntlet.delivery.evidence.counts import Counts, whole_number
from gauntlet.errors import ConfigurationError, DataError

FORMAT = "gauntlet.e-process/1"


class Direction(StrEnum):
    """The alternative that large evidence supports."""

    HARM = "harm"
    """The canary's rate is above ρ·stable's + δ."""
    NOT_WORSE = "not_worse"
    """The canary's rate is below ρ·stable's + δ."""


GRIDS = {
    Direction.HARM: (1.03, 1.07, 1.15, 1.3, 1.5, 1.75, 2.0, 2.5, 3.0, 4.0, 6.0, 10.0, 20.0, 50.0),
    Direction.NOT_WORSE: (0.02, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95),
}
"""Factors ψ between the arms' rates that are bet on, with equal weights."""


@dataclass(frozen=True)
class Test:
    """One test, fixed before the first interval.

    Attributes:
        direction: the alternative.
        rho: ρ ≥ 0, allowed ratio of the canary's rate to stable's. 0: a limit of δ alone, without stable.
        delta: δ in [0, 1), allowed difference on top. 0 lets two errors against none look like proof.
        phi: φ ≥ 1, requests that say as much as one independent one (``clustering``).
        starts: steps at which evidence may be counted anew, ≥ 1; 1 for none after the first.

    Raises:
        ConfigurationError: a value is out of its range.
    """

    direction: Direction = Direction.HARM
    rho: float = 1.0
    delta: float = 0.002
    phi: float = 1.0
    starts: int = 1

    __test__ = False  # not a test of ours, for pytest

    def __post_init__(self) -> None:
        ranges = {
            "rho": (0 <= self.rho < math.inf, "be a finite number of at least 0"),
            "delta": (0 <= self.delta < 1, "lie in [0, 1)"),
            "phi": (1 <= self.phi < math.inf, "be a finite number of at least 1"),
            "starts": (self.starts >= 1 and float(self.starts).is_integer(), "be a whole number of at least 1"),
        }
        for field, (good, rule) in ranges.items():
            if not good:
                raise ConfigurationError(
                    f"must {rule}", field=field, value=getattr(self, field), mend=f"Correct {field}"
                )

    @property
    def psi(self) -> tuple[float, ...]:
        """The factors bet on."""
        return GRIDS[self.direction]


@dataclass(frozen=True)
class Process:
    """Evidence so far. Store it with ``to_json``; what is read back goes on bit for bit.

    Attributes:
        test: what is tested.
        log_e: one tuple a start, of one logarithm a ψ, in the order of ``test.psi``.
        hits: hits of both arms so far, with those of the baseline.
        canary_requests: requests of the canary so far.
        stable_requests: requests of stable so far, with those of the baseline.
    """

    test: Test
    log_e: tuple[tuple[float, ...], ...]
    hits: float = 0.0
    canary_requests: float = 0.0
    stable_requests: float = 0.0

    def to_json(self) -> dict[str, Any]:
        """JSON scalars, lists and objects only."""
        past = {"hits": self.hits, "canary_requests": self.canary_requests, "stable_requests": self.stable_requests}
        return {"format": FORMAT, "test": asdict(self.test), "log_e": [list(start) for start in self.log_e], **past}

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Process:
        """Read a process back.

        Raises:
            DataError: the document is not a process, or its parts do not fit each other.
        """
        try:
            if document["format"] != FORMAT:
                raise ValueError(f"format {document['format']!r}")
            given = dict(document["test"])
            test = Test(**{**given, "direction": Direction(given["direction"])})
            log_e = tuple(tuple(float(value) for value in start) for start in document["log_e"])
            past = [float(document[name]) for name in ("hits", "canary_requests", "stable_requests")]
            process = cls(test, log_e, *past)
            if not 1 <= len(log_e) <= test.starts or {len(start) for start in log_e} != {len(test.psi)}:
                raise ValueError(f"log_e has {[len(start) for start in log_e]} values")
            if not all(math.isfinite(value) for start in log_e for value in start):
                raise ValueError("log_e holds a value that is not finite")
            if not (0 <= past[0] <= past[1] + past[2] < math.inf and min(past) >= 0):
                raise ValueError(f"hits, requests of canary and stable are {past}")
        except (KeyError, TypeError, ValueError, ConfigurationError) as error:
            raise DataError(
                "is not the state of a test", field="e-process", value=str(error), mend="Start the rollout anew"
            ) from error
        return process


def begin(test: Test, *, baseline: tuple[float, float] = (0, 0)) -> Process:
    """A process without evidence, E = 1.

    Args:
        test: what is tested.
        baseline: (hits, requests) of stable before the canary. They centre the first bets and are no evidence.

    Raises:
        DataError: the baseline cannot be counts.
    """
    hits, requests = baseline
    whole_number(hits, field="baseline hits")
    whole_number(requests, field="baseline requests")
    if hits > requests:
        raise DataError(
            f"are more than the {requests:g} requests", field="baseline hits", value=hits, mend="Correct the baseline"
        )
    return Process(test, (_nothing(test),), float(hits), 0.0, float(requests))


def update(process: Process, counts: Counts) -> Process:
    """The process after one more interval. An interval in which one arm has no requests shows nothing (unless ρ = 0).

    Args:
        process: the evidence before it.
        counts: what the interval showed; intervals must not overlap.
    """
    return update_all([process], [counts])[0]


def update_all(processes: Sequence[Process], counts: Sequence[Counts]) -> list[Process]:
    """Update many processes, those of one test at once; bit for bit the same numbers as ``update``."""
    updated = list(processes)
    for places in _alike(processes):
        group = _updated([processes[place] for place in places], [counts[place] for place in places])
        for place, process in zip(places, group, strict=True):
            updated[place] = process
    return updated


def _updated(processes: Sequence[Process], counts: Sequence[Counts]) -> list[Process]:
    test = processes[0].test
    x, n_c, y, n_s = np.array(
        [(count.canary_hits, count.canary_requests, count.stable_hits, count.stable_requests) for count in counts]
    ).T
    hits, canary, stable = np.array(
        [(process.hits, process.canary_requests, process.stable_requests) for process in processes]
    ).T
    prior = prior_rate(hits, canary, stable, rho=test.rho, delta=test.delta)
    gained = log_bets(x, n_c, y, n_s, prior, rho=test.rho, delta=test.delta, psi=test.psi)
    log_e = np.array([process.log_e for process in processes]) + gained[:, None, :] / test.phi
    sums = np.array([hits + x + y, canary + n_c, stable + n_s]).T.tolist()
    return [
        Process(test, tuple(map(tuple, starts)), *total) for starts, total in zip(log_e.tolist(), sums, strict=True)
    ]


def _alike(processes: Sequence[Process]) -> list[list[int]]:
    """Indices of the processes, grouped by test and number of starts."""
    groups: dict[tuple[Test, int], list[int]] = {}
    for place, process in enumerate(processes):
        groups.setdefault((process.test, len(process.log_e)), []).append(place)
    return list(groups.values())


def restart(process: Process) -> Process:
    """Add a start: evidence is also counted from here on alone, as at the beginning of a step.

    Raises:
        ConfigurationError: all planned starts are used up.
    """
    if len(process.log_e) >= process.test.starts:
        raise ConfigurationError(
            "has no start left; the number of starts is part of the test",
            field="starts",
            value=process.test.starts,
            mend="Plan one start a step, before the first interval",
        )
    return replace(process, log_e=(*process.log_e, _nothing(process.test)))


def log_e_value(process: Process) -> float:
    """Logarithm of the evidence; E ≥ 1/α ever happens with a chance of at most α if there is nothing to find.

    Harm: the mean over all planned starts; one that has not begun counts 1. (A mean over the starts so far is not
    valid: its bound is α(1 + 1/2 + … + 1/starts).) Not worse: the least of the starts that have begun, which refutes
    "worse from some step on".
    """
    return float(mixed(np.asarray(process.log_e), process.test))


def log_e_values(processes: Sequence[Process]) -> np.ndarray:
    """(processes,) ``log_e_value`` of many processes."""
    logs = np.zeros(len(processes))
    for places in _alike(processes):
        logs[places] = mixed(np.array([processes[place].log_e for place in places]), processes[places[0]].test)
    return logs


def e_value(process: Process) -> float:
    """The evidence E itself; infinite beyond the range of a float."""
    logarithm = log_e_value(process)
    return math.exp(logarithm) if logarithm < 709 else math.inf


def mixed(log_e: np.ndarray, test: Test) -> np.ndarray:
    """(...) evidence from (..., starts so far, K) logarithms; see ``log_e_value``."""
    starts = log_mean(log_e)
    if test.direction is Direction.NOT_WORSE:
        return np.asarray(starts.min(axis=-1))
    waiting = np.zeros((*starts.shape[:-1], int(test.starts) - starts.shape[-1]))
    return log_mean(np.concatenate([starts, waiting], axis=-1))


def _nothing(test: Test) -> tuple[float, ...]:
    return (0.0,) * len(test.psi)
