"""Summarises the state of the analysis in one run: fail, error, pass, or inconclusive, with the numbers."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from gauntlet.delivery.analysis.alpha import alarm_level, log_harm, log_safe, shares
from gauntlet.delivery.analysis.format import duration, e_value, hits, rates
from gauntlet.delivery.analysis.plan import AnalysisPlan, CustomMetric
from gauntlet.delivery.analysis.state import OUTCOMES, AnalysisState, CustomResult, Evidence
from gauntlet.delivery.evidence.sequential import log_e_values
from gauntlet.delivery.rollout.state import AnalysisRun, Metric, Phase, Rollout
from gauntlet.verdict import Status


def summarise(state: AnalysisState, plan: AnalysisPlan, rollout: Rollout, number: int) -> AnalysisRun:
    """Summarise one analysis: a status and a sentence for all metrics together, and for each.

    FAIL once harm is shown, and from then on. ERROR where a metric that has a say could not be measured. PASS where
    every metric that has one passes and the candidate answers its share: each is proven not worse, or (``no_harm``)
    the candidate answered as many requests at this step as would have shown the detectable effect. INCONCLUSIVE
    otherwise, and always without requests.

    Args:
        state: with tests chosen; see ``update``.
        plan: which metrics are analysed, and how.
        rollout: the state before this iteration.
        number: of the analysis.
    """
    assert state.tests is not None
    metrics = tuple(_metric(name, state, plan) for name in state.tests.metrics)
    results = ((metric, state.custom.get(metric.name, CustomResult())) for metric in plan.custom)
    custom = tuple(_custom(metric, result, metric.name in plan.dry_run) for metric, result in results)
    left_out = tuple(
        Metric(name, Status.INCONCLUSIVE, f"{name}: left out, since {why}", dry_run=True)
        for name, why in state.tests.left_out.items()
    )
    deciding = [metric for metric in (*metrics, *custom) if not metric.dry_run]
    status, sentence = _overall(deciding, state, plan, rollout)
    # Its counters go with the candidate: requests between their last reading and its end are not known.
    unknown = rollout.phase is Phase.ROLLING_BACK and state.answered[0] > 0 and not state.candidate
    return AnalysisRun(number, status, sentence, (*metrics, *custom, *left_out), None if unknown else state.answered)


def _overall(deciding: list[Metric], state: AnalysisState, plan: AnalysisPlan, rollout: Rollout) -> tuple[Status, str]:
    failed = _with(deciding, Status.FAIL)
    if state.alarm or failed:
        return Status.FAIL, (failed[0].sentence if failed else _sentence(state.alarm))
    if unmeasured := _with(deciding, Status.ERROR):
        return Status.ERROR, unmeasured[0].sentence
    if starvation := starved(state, rollout.weight, plan.least_share):
        return Status.INCONCLUSIVE, _sentence(starvation)
    if undecided := [metric for metric in _with(deciding, Status.INCONCLUSIVE) if metric.name != OUTCOMES]:
        slowest = max(undecided, key=lambda metric: _missing(metric.name, state))
        return Status.INCONCLUSIVE, _sentence(slowest.sentence.rstrip(".") + _left_out(state))
    return Status.PASS, "No harm: " + "; ".join(metric.sentence.rstrip(".") for metric in deciding) + "."


def _with(metrics: list[Metric], status: Status) -> list[Metric]:
    return [metric for metric in metrics if metric.status is status]


@dataclass(frozen=True)
class _Levels:
    """One metric's evidence, as logarithms, and the thresholds it is compared with."""

    name: str
    evidence: Evidence
    harm: float
    safe: float
    needs: float
    needs_safe: float

    @property
    def strongest(self) -> str:
        """The test that shows most harm: the one whose numbers are reported."""
        panels = [panel for panel in (self.evidence.harm, self.evidence.absolute_harm) if panel]
        logs = np.max([log_e_values(list(panel.values())) for panel in panels], axis=0)
        return list(self.evidence.tallies)[int(logs.argmax())]


def _metric(name: str, state: AnalysisState, plan: AnalysisPlan) -> Metric:
    evidence = state.evidence[name]
    share = shares(state, plan).get(name, 1.0)
    levels = _Levels(
        name,
        evidence,
        log_harm(evidence, state.steps),
        log_safe(evidence),
        -math.log(alarm_level(plan) * share),
        -math.log(plan.alpha_promotion),
    )
    dry_run = name in plan.dry_run
    status, detail = _status(levels, state, plan, dry_run)
    if name == OUTCOMES and state.unlabelled and status is not Status.FAIL:
        status, detail = Status.ERROR, state.unlabelled
    test = levels.strongest
    tally = evidence.tallies[test]
    return Metric(
        name,
        status,
        _sentence(f"{hits(name, test)}: {rates(tally)}; {detail}"),
        log_harm=levels.harm,
        log_safe=levels.safe,
        canary=tally.canary,
        stable=tally.stable,
        dry_run=dry_run,
        test=test,
    )


def _status(levels: _Levels, state: AnalysisState, plan: AnalysisPlan, dry_run: bool) -> tuple[Status, str]:
    evidence = levels.evidence
    if levels.harm >= levels.needs or (levels.name in state.culprits and not dry_run):
        return Status.FAIL, f"e-value {e_value(levels.harm)}, needs {e_value(levels.needs)}"
    if not all(tally.canary[1] for tally in evidence.tallies.values()):
        return Status.INCONCLUSIVE, "no data of the candidate"
    if levels.safe >= levels.needs_safe:
        return Status.PASS, f"proven not worse (e-value {e_value(levels.safe)})"
    missing = missing_requests(evidence)
    if plan.promote_on == "no_harm" and missing == 0:
        return Status.PASS, _no_harm(evidence)
    if plan.promote_on == "proven" or missing is None:
        return (
            Status.INCONCLUSIVE,
            f"not yet proven (e-value {e_value(levels.safe)}, needs {e_value(levels.needs_safe)})",
        )
    return (
        Status.INCONCLUSIVE,
        f"{missing:,.0f} more requests{_how_long(missing, state)} would show the detectable effect",
    )


def missing_requests(evidence: Evidence) -> float | None:
    """Requests the candidate still has to answer at this step until the detectable effects would have been found.

    ``None`` where a test has no detectable effect.
    """
    if not evidence.needed or None in evidence.needed.values():
        return None
    return max(max((needed or 0.0) - evidence.tallies[test].step, 0.0) for test, needed in evidence.needed.items())


def _no_harm(evidence: Evidence) -> str:
    most = max(value or 0.0 for value in evidence.needed.values())
    return f"no harm seen at the {most:,.0f} requests that would show the detectable effect"


def _how_long(missing: float, state: AnalysisState) -> str:
    rate = state.counted[0] / state.counted_seconds if state.counted_seconds else 0.0
    return f" (about {duration(missing / rate)})" if rate else ""


def _missing(name: str, state: AnalysisState) -> float:
    """Requests that a metric still needs, infinity where unknown; the one that needs most explains the wait."""
    evidence = state.evidence.get(name)
    missing = None if evidence is None else missing_requests(evidence)
    return math.inf if missing is None else missing


def _custom(metric: CustomMetric, answer: CustomResult, dry_run: bool) -> Metric:
    bound = f"{'at most' if metric.direction == 'max' else 'at least'} {metric.limit:g} is allowed"
    if answer.problem:
        status, detail = Status.ERROR, answer.problem
    elif answer.value is None:
        status, detail = Status.INCONCLUSIVE, "no data"
    elif not answer.streak:
        status, detail = Status.PASS, f"{answer.value:g}; {bound}"
    else:
        status = Status.FAIL if answer.streak >= metric.consecutive else Status.INCONCLUSIVE
        detail = f"{answer.value:g}; {bound} ({answer.streak} of {metric.consecutive} analyses in a row)"
    return Metric(metric.name, status, _sentence(f"{metric.name}: {detail}"), dry_run=dry_run)


def _sentence(text: str) -> str:
    return text.rstrip(".") + "."


MUCH = 0.1
"""Part of a version's requests that is worth a word when no test was given it."""


def _left_out(state: AnalysisState) -> str:
    """How many requests of this step no test was given; empty where these are few."""
    versions = zip(("candidate", "stable version"), state.left_out, state.counted, strict=True)
    much = [
        f"{left:,.0f} of the {name}'s {answered:,.0f}" for name, left, answered in versions if left > MUCH * answered
    ]
    unknown = "are left out, since their counters do not tell whether a server was restarted"
    return f"; {' and '.join(much)} requests {unknown}" if much else ""


LEAST_EXPECTED = 20.0
"""Least number of requests meant for the candidate from which starvation is judged."""


def starved(state: AnalysisState, weight: int, least_share: float) -> str:
    """Why the candidate seems to hang, or not to be reached; empty where it answers its share.

    Both the step so far and its newest interval are checked: a hang after a good start shows in the interval.

    Args:
        state: with the counts of the step.
        weight: percent of requests the candidate should have.
        least_share: part of that below which it is starved, in [0, 1].
    """
    for where, (candidate, stable) in (("at this step", state.counted), ("since the last analysis", state.recent)):
        answered = candidate + stable
        expected = answered * weight / 100
        if expected >= LEAST_EXPECTED and candidate < least_share * expected:
            return (
                f"the candidate answered {candidate:,.0f} of {answered:,.0f} requests {where}, and about "
                f"{expected:,.0f} were meant for it; {state.in_flight:,.0f} are in flight"
            )
    if state.in_flight and not state.recent[0]:
        return (
            f"the candidate answered nothing since the last analysis, and {state.in_flight:,.0f} requests are in flight"
        )
    return ""
