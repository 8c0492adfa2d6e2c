"""State of the sequential analysis, persisted with the rollout so that a restart continues it exactly."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from gauntlet.delivery.analysis.increments import Exposure
from gauntlet.delivery.counters.source import Counters, Pods
from gauntlet.delivery.evidence.clustering import Scatter
from gauntlet.delivery.evidence.combination import Panel

OUTCOMES = "outcomes"
"""The metric that is counted by labels, which arrive late, and not by the servers."""


@dataclass(frozen=True)
class Tests:
    """The tests of a rollout, by metric and boundary. Fixed before the candidate gets a request.

    Attributes:
        metrics: the metrics tested, in the plan's order.
        boundaries: of latency, in seconds.
        edges: of scores.
        slices: slice → edges of its scores.
        left_out: metrics of the plan that are not tested → why.
    """

    __test__ = False  # not a test of ours, for pytest

    metrics: tuple[str, ...]
    boundaries: tuple[float, ...] = ()
    edges: tuple[float, ...] = ()
    slices: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    left_out: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Tally:
    """One test's counts, of counted intervals only.

    Attributes:
        canary: (hits, requests) of the candidate since the rollout began.
        stable: the same of the stable version.
        before: (hits, requests) of the stable version in the baseline.
        step: requests of the candidate since the present step's weight held.
        stable_step: (hits, requests) of the stable version since then.
        highest: highest rate the stable version was seen to have, in the baseline or over a step.
    """

    canary: tuple[float, float] = (0.0, 0.0)
    stable: tuple[float, float] = (0.0, 0.0)
    before: tuple[float, float] = (0.0, 0.0)
    step: float = 0.0
    stable_step: tuple[float, float] = (0.0, 0.0)
    highest: float = 0.0


@dataclass(frozen=True)
class Evidence:
    """The evidence on one metric.

    Attributes:
        phi: requests that say as much as one independent one.
        phi_reason: how φ was determined.
        harm: tests for harm beside the stable version, one start a step.
        safe: tests for "not worse", the same.
        absolute_harm: tests for harm at full weight, against a limit; empty before.
        absolute_safe: tests for "not worse" at full weight; empty before.
        tallies: counts by test.
        needed: requests the candidate has to answer at this step until the detectable effect would be found, by test;
            ``None`` for a test without a detectable effect.
    """

    phi: float
    phi_reason: str
    harm: Panel
    safe: Panel
    absolute_harm: Panel = field(default_factory=dict)
    absolute_safe: Panel = field(default_factory=dict)
    tallies: Mapping[str, Tally] = field(default_factory=dict)
    needed: Mapping[str, float | None] = field(default_factory=dict)


@dataclass(frozen=True)
class Outcomes:
    """Decisions whose true label has arrived, since the rollout began; counts never fall.

    Attributes:
        canary_wrong: of the candidate's, those that were wrong.
        canary: the candidate's.
        stable_wrong: of the stable version's, those that were wrong.
        stable: the stable version's.
    """

    canary_wrong: float = 0.0
    canary: float = 0.0
    stable_wrong: float = 0.0
    stable: float = 0.0


@dataclass(frozen=True)
class CustomResult:
    """The newest result of a custom metric's query.

    Attributes:
        value: the number; ``None`` where there was no data.
        problem: why the query could not be answered; empty if it could.
        streak: analyses in a row beyond the limit, this one included.
    """

    value: float | None = None
    problem: str = ""
    streak: int = 0


@dataclass(frozen=True)
class CountSample:
    """The counts of every test at one instant.

    Attributes:
        at: seconds since the epoch.
        counts: metric → for each of its tests, in their order: hits and requests of the candidate, then of the stable
            version, since the rollout began.
    """

    at: float
    counts: Mapping[str, tuple[tuple[float, float, float, float], ...]]


@dataclass(frozen=True)
class AnalysisState:
    """The whole state of the analysis. Store it with ``state_codec.to_json``.

    Attributes:
        steps: steps of the rollout; the tests plan one start for each.
        at: when the last reading was taken, seconds since the epoch; ``None`` before the first.
        candidate: the last reading of the candidate's pods.
        stable: the last reading of the stable version's.
        baseline: what the stable version's pods counted before the candidate, together; empty once tests are chosen.
        scatters: how its hits scatter between pods, by ``errors``, ``le=…``, ``above …``.
        tests: what is tested; ``None`` while the baseline is gathered.
        evidence: by metric.
        step: index of the step that is being counted; -1 before the first.
        counted_seconds: how long intervals were counted at this step.
        counted: requests that (candidate, stable) answered in them.
        recent: the same of the newest interval alone.
        left_out: of ``counted``, those that no test was given, as nothing tells whether their pods were restarted.
        in_flight: requests the candidate was working on at the last reading.
        exposure: what (candidate, stable) were given since the first reading, counted or not.
        fresh: the newest reading closed an interval that was counted.
        alarm: sentence of what showed harm; stays once it is raised.
        culprits: metrics that showed harm by themselves, once they have.
        outcomes: the last counts of matured labels.
        unlabelled: why they could not be counted at the last analysis; empty if they could.
        custom: the newest results of custom metrics, by name.
        history: how the counts of metrics with several tests grew, for the report; no decision depends on it.
    """

    steps: int
    at: float | None = None
    candidate: Pods = field(default_factory=dict)
    stable: Pods = field(default_factory=dict)
    baseline: Counters = Counters(0.0, 0.0)  # noqa: RUF009 - frozen
    scatters: Mapping[str, Scatter] = field(default_factory=dict)
    tests: Tests | None = None
    evidence: Mapping[str, Evidence] = field(default_factory=dict)
    step: int = -1
    counted_seconds: float = 0.0
    counted: tuple[float, float] = (0.0, 0.0)
    recent: tuple[float, float] = (0.0, 0.0)
    left_out: tuple[float, float] = (0.0, 0.0)
    in_flight: float = 0.0
    exposure: tuple[Exposure, Exposure] = (Exposure(), Exposure())
    fresh: bool = False
    alarm: str = ""
    culprits: tuple[str, ...] = ()
    outcomes: Outcomes = Outcomes()
    unlabelled: str = ""
    custom: Mapping[str, CustomResult] = field(default_factory=dict)
    history: tuple[CountSample, ...] = ()

    @property
    def answered(self) -> tuple[float, float]:
        """Requests that (candidate, stable) were given since the first reading: answered, or under way."""
        return self.exposure[0].given, self.exposure[1].given
