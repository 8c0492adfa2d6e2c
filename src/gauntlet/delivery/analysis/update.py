"""Updates the state of the analysis with one more reading of the counters, or with matured labels."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace

from gauntlet.delivery.analysis.alpha import alarm_level, begin_full_traffic, close_step, log_harm, shares
from gauntlet.delivery.analysis.format import e_value
from gauntlet.delivery.analysis.history import append_sample
from gauntlet.delivery.analysis.increments import exposed, increments, total, uncounted
from gauntlet.delivery.analysis.plan import AnalysisPlan
from gauntlet.delivery.analysis.power import FULL_TRAFFIC, requests_needed_at
from gauntlet.delivery.analysis.state import OUTCOMES, AnalysisState, Evidence, Outcomes, Tally
from gauntlet.delivery.analysis.test_selection import begin_tests, counted, kept, update_baseline
from gauntlet.delivery.counters.source import Counters, Pods, Reading
from gauntlet.delivery.evidence.combination import combine, restart_panel, update_panel
from gauntlet.delivery.evidence.counts import Counts
from gauntlet.delivery.rollout.state import Rollout
from gauntlet.errors import DataError


def update(state: AnalysisState, reading: Reading, rollout: Rollout, plan: AnalysisPlan, now: float) -> AnalysisState:
    """Update the state of the analysis with one more reading of the counters.

    While the candidate is deployed, stable's increase is its baseline, until it has ``baseline_requests``; then the
    tests are chosen. Afterwards an interval is counted if it began when the step's weight had held for the warm-up.
    When a step's weight is first seen to hold, every test gets one more start; at full weight tests of the candidate
    alone begin. All requests enter ``exposure``, counted or not. What no test can be given, as nothing tells whether a
    pod was restarted, was answered all the same: no candidate starves of it.

    Args:
        state: as the last persisted analysis left it.
        reading: the counters now.
        rollout: the state before this iteration.
        plan: which metrics are analysed, and how.
        now: seconds since the epoch, by the clock that ``rollout.held_since`` was taken from.

    Raises:
        DataError: the reading cannot be counted, or a required metric is not kept.
        ConfigurationError: the latency promised to users is no boundary of the histogram.
    """
    candidate, stable = (_narrow(state, plan, pods) for pods in (reading.candidate, reading.stable))
    first, since = state.at is None, -math.inf if state.at is None else state.at
    seconds = 0.0 if state.at is None else now - state.at
    paces = [exposure.most(seconds) for exposure in state.exposure]
    gained = (
        increments(state.candidate, candidate, since=since, paces=paces[0]),
        increments(state.stable, stable, since=since, paces=paces[1]),
    )
    after = replace(
        state,
        at=now,
        candidate=candidate,
        stable=stable,
        fresh=False,
        in_flight=float(sum(pod.in_flight for pod in candidate.values())),
        exposure=(
            exposed(state.exposure[0], candidate, gained[0], first=first, seconds=seconds),
            exposed(state.exposure[1], stable, gained[1], first=first, seconds=seconds),
        ),
    )
    if state.tests is None:
        return _measure_baseline(after, gained[1], plan)
    if not rollout.phase.has_traffic or rollout.held_since is None:
        return after
    if state.step != rollout.step:
        after = _enter(after, rollout, plan)
    if state.at is None or state.at < rollout.held_since + plan.warm_up_seconds:
        return after
    arms = total(gained[0]), total(gained[1])
    left = uncounted(state.candidate, candidate, gained[0]), uncounted(state.stable, stable, gained[1])
    after = _count(after, arms, left, alone=rollout.weight == FULL_TRAFFIC, seconds=seconds)
    return _alarmed(after, plan)


def update_outcomes(state: AnalysisState, outcomes: Outcomes, plan: AnalysisPlan) -> AnalysisState:
    """Update the state of the analysis with a new count of matured labels.

    Labels are of requests that were answered long ago, whichever step is on now; they are counted as they come.

    Raises:
        DataError: counts fell, or more turned wrong than were new: what was counted has been changed since.
    """
    if state.tests is None or OUTCOMES not in state.tests.metrics:
        return state
    last = state.outcomes
    pairs = (
        (outcomes.canary_wrong, last.canary_wrong),
        (outcomes.canary, last.canary),
        (outcomes.stable_wrong, last.stable_wrong),
        (outcomes.stable, last.stable),
    )
    canary_wrong, canary, stable_wrong, stable = gained = [now - before for now, before in pairs]
    if min(gained) < 0 or canary_wrong > canary or stable_wrong > stable:
        raise DataError(
            "labels that were counted have been changed or removed",
            field=OUTCOMES,
            value=f"{_as_text(last)} before, {_as_text(outcomes)} now",
            mend="Give every decision's label once, and leave it; what has been counted cannot be rolled back. "
            "Restore the table, or roll out once more under another attempt",
        )
    counts = {OUTCOMES: Counts(*gained)}
    evidence = {**state.evidence, OUTCOMES: _updated(state.evidence[OUTCOMES], counts, alone=False)}
    return _alarmed(replace(state, outcomes=outcomes, unlabelled="", evidence=evidence), plan)


def _as_text(labels: Outcomes) -> str:
    canary = f"{labels.canary_wrong:,.0f} of {labels.canary:,.0f}"
    return f"{canary} and {labels.stable_wrong:,.0f} of {labels.stable:,.0f} wrong"


def _narrow(state: AnalysisState, plan: AnalysisPlan, pods: Pods) -> Pods:
    """The pods' counters without those that no test needs; before there are tests, without those that none can need."""
    tests = state.tests
    if tests is not None:
        return {pod: kept(tests, counters) for pod, counters in pods.items()}
    if "slices" in plan.metrics:
        return dict(pods)
    return {pod: replace(counters, sliced={}) for pod, counters in pods.items()}


def _measure_baseline(state: AnalysisState, gained: Mapping[str, Counters], plan: AnalysisPlan) -> AnalysisState:
    after = update_baseline(state, gained)
    return begin_tests(after, plan) if after.baseline.requests >= plan.baseline_requests else after


def _enter(state: AnalysisState, rollout: Rollout, plan: AnalysisPlan) -> AnalysisState:
    """Begin a step whose weight holds: every test gets one more start, and the requests it needs are computed."""
    weights = shares(state, plan)
    evidence = {
        name: _entered(before, name, rollout.weight, plan, share=weights.get(name, 1.0), state=state)
        for name, before in state.evidence.items()
    }
    return replace(
        state,
        step=rollout.step,
        evidence=evidence,
        counted_seconds=0.0,
        counted=(0.0, 0.0),
        recent=(0.0, 0.0),
        left_out=(0.0, 0.0),
    )


def _entered(
    evidence: Evidence, name: str, weight: int, plan: AnalysisPlan, *, share: float, state: AnalysisState
) -> Evidence:
    tallies = {test: close_step(tally) for test, tally in evidence.tallies.items()}
    entered = replace(evidence, tallies=tallies, needed={})
    if weight != FULL_TRAFFIC and state.step != -1:
        entered = replace(entered, harm=restart_panel(entered.harm), safe=restart_panel(entered.safe))
    if name == OUTCOMES:  # labels of both versions' requests go on arriving at full weight, and hold no step up
        return entered
    block = plan.metric(name)
    if weight == FULL_TRAFFIC:
        entered = begin_full_traffic(entered, block, alpha=plan.alpha, share=share)
    needed = requests_needed_at(entered, block, weight=weight, level=alarm_level(plan), share=share, steps=state.steps)
    return replace(entered, needed=needed)


def _count(
    state: AnalysisState, arms: tuple[Counters, Counters], left: tuple[float, float], *, alone: bool, seconds: float
) -> AnalysisState:
    assert state.tests is not None
    counts = counted(state.tests, *arms)
    evidence = {
        name: _updated(before, counts[name], alone=alone) if name in counts else before
        for name, before in state.evidence.items()
    }
    recent = arms[0].requests + left[0], arms[1].requests + left[1]
    return replace(
        state,
        evidence=evidence,
        history=state.history if state.at is None else append_sample(state.history, evidence, state.at),
        fresh=True,
        recent=recent,
        counted=(state.counted[0] + recent[0], state.counted[1] + recent[1]),
        counted_seconds=state.counted_seconds + seconds,
        left_out=(state.left_out[0] + left[0], state.left_out[1] + left[1]),
    )


def _updated(evidence: Evidence, counts: Mapping[str, Counts], *, alone: bool) -> Evidence:
    """Update the evidence with an interval: beside stable, or of the candidate alone."""
    tallies = {name: _tallied(tally, counts[name]) for name, tally in evidence.tallies.items()}
    if not alone:
        harm, safe = update_panel(evidence.harm, counts), update_panel(evidence.safe, counts)
        return replace(evidence, tallies=tallies, harm=harm, safe=safe)
    single = {name: Counts(test.canary_hits, test.canary_requests, 0, 0) for name, test in counts.items()}
    return replace(
        evidence,
        tallies=tallies,
        absolute_harm=update_panel(evidence.absolute_harm, single),
        absolute_safe=update_panel(evidence.absolute_safe, single),
    )


def _tallied(tally: Tally, counts: Counts) -> Tally:
    return replace(
        tally,
        canary=(tally.canary[0] + counts.canary_hits, tally.canary[1] + counts.canary_requests),
        stable=(tally.stable[0] + counts.stable_hits, tally.stable[1] + counts.stable_requests),
        step=tally.step + counts.canary_requests,
        stable_step=(tally.stable_step[0] + counts.stable_hits, tally.stable_step[1] + counts.stable_requests),
    )


def _alarmed(state: AnalysisState, plan: AnalysisPlan) -> AnalysisState:
    """Raise the alarm where the evidence suffices; it stays raised, also when the evidence falls back later."""
    weights = shares(state, plan)
    log_e = {name: log_harm(state.evidence[name], state.steps) for name in weights}
    alarm = combine(log_e, weights, alpha=alarm_level(plan))
    if not alarm.raised:
        return state
    named = tuple(dict.fromkeys((*state.culprits, *alarm.culprits)))
    needed = 1 / alarm_level(plan)
    sentence = (
        f"Together the metrics show harm (e-value {e_value(alarm.log_e)}, needs {needed:.3g}), {alarm.leading} most"
    )
    return replace(state, culprits=named, alarm=state.alarm or sentence)
