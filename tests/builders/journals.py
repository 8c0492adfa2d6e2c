"""Journals of rollouts as a controller would write them: real decisions, real evidence, made-up requests."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from gauntlet.delivery.evidence.counts import Counts
from gauntlet.delivery.evidence.sequential import Direction, Process, Test, begin, log_e_value, update
from gauntlet.delivery.release import Release
from gauntlet.delivery.rollout.decision import decide
from gauntlet.delivery.rollout.events import Event
from gauntlet.delivery.rollout.journal import Entry, Journal
from gauntlet.delivery.rollout.plan import RolloutPlan
from gauntlet.delivery.rollout.state import Action, AnalysisRun, Metric, Observation, Phase
from gauntlet.delivery.rollout.state import begin as begin_rollout
from gauntlet.verdict import Status, worst

V1 = Release("7", "sha256:" + "1" * 64, "gs://models/loans/7")
V2 = Release("8", "sha256:" + "2" * 64, "gs://models/loans/8")
BEGAN = 1_772_373_909.0
"""2026-03-01 14:05:09 UTC."""
PLAN = RolloutPlan(
    steps=(5, 10, 25, 50, 100), interval_seconds=20, step_seconds=240, min_requests=400, approve_before=(50,)
)
RATES = {"errors": 0.009, "latency": 0.04}
"""Stable's share of errors and of slow answers."""
MARGINS = {"errors": 0.005, "latency": 0.02}
"""What still counts as not worse."""
_ENOUGH = 900
"""Requests after which a candidate without harm is let on."""
_NEEDED = np.log(20)
_SHARING = 3
"""Metrics that share α."""


@dataclass
class _Evidence:
    harm: Process
    safe: Process
    canary: tuple[float, float] = (0.0, 0.0)
    stable: tuple[float, float] = (0.0, 0.0)

    def add(self, counts: Counts) -> None:
        self.harm, self.safe = update(self.harm, counts), update(self.safe, counts)
        self.canary = (self.canary[0] + counts.canary_hits, self.canary[1] + counts.canary_requests)
        self.stable = (self.stable[0] + counts.stable_hits, self.stable[1] + counts.stable_requests)


def rolled_out(
    *,
    canary: Mapping[str, float] | None = None,
    bad_from: int = 0,
    plan: RolloutPlan = PLAN,
    per_second: float = 60.0,
    turns: int = 1_000,
    approved_after: int = 6,
    refused_at: int | None = None,
    seed: int = 7,
) -> Journal:
    """The journal of a rollout carried out to its end, or for so many turns.

    Args:
        canary: the candidate's rates by metric, stable's where not named.
        bad_from: the weight from which on it has them; stable's until then.
        plan: its steps and patience.
        per_second: requests, of both versions; 0 for none.
        turns: at most.
        approved_after: turns until a person approves a step that waits.
        refused_at: turn at which a person rolls it back.
        seed: of the requests.
    """
    rng = np.random.default_rng(seed)
    found = {
        name: _Evidence(begin(Test(delta=0.002)), begin(Test(Direction.NOT_WORSE, delta=margin)))
        for name, margin in MARGINS.items()
    }
    now, journal = BEGAN, Journal(begin_rollout("loans", V2, V1, BEGAN))
    began = f"The rollout of {V2} in place of {V1} begins."
    journal = journal.with_entry(Entry(now, Phase.DEPLOYING, 0, Action.NOTHING, began, code=Event.STARTED))
    answered, at_step, asked, analyses = (0.0, 0.0), 0, 0, 0
    for number in range(1, turns + 1):
        now += plan.interval_seconds
        state = journal.rollout
        look = None
        if state.phase is Phase.RAMPING and state.held_since is not None:
            n = rng.poisson(per_second * plan.interval_seconds)
            n_c = int(rng.binomial(n, state.weight / 100)) if state.weight < 100 else int(0.5 * n)
            at_step, answered = at_step + n_c, (answered[0] + n_c, answered[1] + n - n_c)
            rates = {**RATES, **(canary or {} if state.weight >= bad_from else {})}
            for name, evidence in found.items():
                hits = [int(rng.binomial(m, rate)) for m, rate in ((n_c, rates[name]), (n - n_c, RATES[name]))]
                evidence.add(Counts(hits[0], n_c, hits[1], n - n_c))
            analyses += 1
            look = _look(analyses, found, answered)
        asked += state.approval_since is not None
        seen = Observation(
            candidate_ready=number > 3,
            stable_ready=True,
            weight=state.weight,
            requests=at_step,
            analysis=look,
            approved=100 if asked >= approved_after else 0,
            abort="the sales team saw wrong prices" if refused_at is not None and number >= refused_at else "",
            done=state.phase in (Phase.PROMOTING, Phase.ROLLING_BACK),
        )
        decision = decide(state, seen, plan, now)
        at_step = at_step if decision.rollout.weight == state.weight else 0
        after = decision.rollout
        entry = Entry(now, after.phase, after.weight, decision.action, decision.sentence, look, code=decision.code)
        journal = replace(journal, rollout=after).with_entry(entry)
        if decision.rollout.phase.final:
            break
    return journal


def _look(number: int, found: Mapping[str, _Evidence], answered: tuple[float, float]) -> AnalysisRun:
    metrics = [_metric(name, evidence) for name, evidence in found.items()]
    scores = Metric("scores", Status.PASS, "The scores lie where stable's lie.", -0.4, 0.5 * number - 3)
    sales = Metric("sales", Status.ERROR, "The query answered two series.", dry_run=True)
    status = worst(metric.status for metric in metrics)
    shown = next((metric.sentence for metric in metrics if metric.status is status), "")
    return AnalysisRun(number, status, shown, (*metrics, scores, sales), answered)


def _metric(name: str, evidence: _Evidence) -> Metric:
    harm, safe = log_e_value(evidence.harm), log_e_value(evidence.safe)
    (hits, n), (others, m) = evidence.canary, evidence.stable
    fails, passes = harm >= _NEEDED + np.log(_SHARING), safe >= _NEEDED or n >= _ENOUGH
    status = Status.FAIL if fails else Status.PASS if passes else Status.INCONCLUSIVE
    sentence = f"{name}: {hits / max(n, 1):.1%} of {n:,.0f} against {others / max(m, 1):.1%} of {m:,.0f}."
    return Metric(name, status, sentence, harm, safe, evidence.canary, evidence.stable)
