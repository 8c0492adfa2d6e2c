"""The pages of a rollout and of a shadow, as they come out of made-up traffic."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from builders.journals import BEGAN, PLAN, rolled_out
from builders.judged import STEPS, AskedService
from builders.judging import Behavior, plan
from builders.shadows import shadow
from gauntlet.delivery.analysis import state_codec
from gauntlet.delivery.analysis.power import power_by_step
from gauntlet.delivery.rollout.journal import Journal
from gauntlet.delivery.shadow.gate import ShadowCounts, ShadowPolicy, judge_shadow
from gauntlet.reports.delivery import power_rows
from gauntlet.reports.views.rollout import MetricPower, rollout_page
from gauntlet.reports.views.shadow import shadow_page

Page = tuple[str, list[str]]

PROMISES = (
    MetricPower("errors", "0.9% to 2%", 2_840, (946.0, 473.0, 189.0, 95.0, 47.0)),
    MetricPower("latency", "4% to 8%", 1_210, (403.0, 202.0, 81.0, 40.0, 20.0)),
    MetricPower("scores", "0.1 of a decile", None, (None,) * 5),
)
OFTEN = PLAN.model_copy(update={"interval_seconds": 2.0})


def harmful() -> Journal:
    """A candidate that begins to fail at 10 %, and is rolled back."""
    return rolled_out(canary={"errors": 0.06}, bad_from=10)


def judged() -> Journal:
    """A candidate whose scores are a little higher: now one edge shows it most, now another."""
    scores = (0.08, 0.08, 0.09, 0.1, 0.1, 0.1, 0.1, 0.11, 0.12, 0.12)
    return AskedService(bad=Behavior(scores=scores), now=BEGAN).delivered(plan())


def _judged(*words: str) -> Page:
    journal = judged()
    rows = power_rows(power_by_step(state_codec.from_json(journal.analysis_state), plan(), STEPS, 50.0), STEPS)
    return rollout_page(journal, STEPS, rows), list(words)


def _rollout(journal: Journal, *words: str, promised: bool = True) -> Page:
    return rollout_page(journal, PLAN, PROMISES if promised else ()), ["Rollout of version 8 on loans", *words]


def _shadow(seen: ShadowCounts, *words: str) -> Page:
    policy = ShadowPolicy()
    return shadow_page(seen, policy, judge_shadow(seen, policy), title="Shadow of version 8 on loans"), list(words)


DELIVERY_PAGES: dict[str, Callable[[], Page]] = {
    "rollout-harm": lambda: _rollout(harmful(), "at 10%: errors 2.7% against 1.0%", "harm shown", "Power"),
    "rollout-promoted": lambda: _rollout(rolled_out(), "answers all requests", "Approved 50%."),
    "rollout-long": lambda: _rollout(rolled_out(plan=OFTEN, per_second=300), "Long timelines are thinned"),
    "rollout-judged": lambda: _judged("Before its first request", "At 10 % it would find", "By the rates seen up to"),
    "rollout-silent": lambda: _rollout(rolled_out(per_second=0), "no requests"),
    "rollout-begun": lambda: _rollout(rolled_out(turns=1), "No analysis was made", promised=False),
    "rollout-aborted": lambda: _rollout(rolled_out(refused_at=20), "Aborted: ", "wrong prices"),
    "shadow": lambda: _shadow(shadow(), "stays within every limit", "98.50%", "p99.9"),
    "shadow-wrong": lambda: _shadow(
        replace(shadow(scale=0.1), flips=520, dropped=900), "were decided otherwise", "copies were never sent"
    ),
    "shadow-bare": lambda: _shadow(ShadowCounts(900, 3, 2, 1, seconds=60.0), "No latencies were kept", "no scores"),
    "shadow-none": lambda: _shadow(ShadowCounts(0, 0, 0, 0), "Nothing was mirrored yet"),
}
