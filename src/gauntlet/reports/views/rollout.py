"""Page of a rollout: outcome and reason, phases and weights, evidence over time, steps and timeline."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from gauntlet.delivery.analysis.report_inputs import ALPHA, ALPHA_PROMOTION
from gauntlet.delivery.release import Release
from gauntlet.delivery.rollout.journal import Entry, Journal
from gauntlet.delivery.rollout.plan import RolloutPlan
from gauntlet.delivery.rollout.state import Phase
from gauntlet.delivery.rollout.timeline import analyses, answered, ended, iso, last_seen, moment
from gauntlet.reports.format import duration
from gauntlet.reports.history import Line
from gauntlet.reports.page import render
from gauntlet.reports.ramp import Mark, Stretch
from gauntlet.reports.views.rollout_evidence import (
    MetricRow,
    RatePanel,
    equal_shares,
    harm,
    metric_rows,
    rate_panels,
    safety,
)
from gauntlet.reports.views.rollout_way import (
    StepRow,
    counted,
    decision_rows,
    harmful_metric,
    headline,
    moments,
    step_rows,
    stretches,
    waits_for,
)


@dataclass(frozen=True)
class MetricPower:
    """Power of one metric, at the rates measured so far.

    Attributes:
        metric: its name.
        rise: minimum detectable effect: ``0.9% to 2%``.
        requests: requests the candidate has to answer for it; ``None``: it cannot be detected.
        seconds: the time these take at each step of the plan; ``None`` if unknown.
    """

    metric: str
    rise: str
    requests: int | None
    seconds: tuple[float | None, ...]


@dataclass(frozen=True)
class EntryRow:
    """Row of the timeline.

    Attributes:
        at: ISO 8601, UTC.
        after: time since the rollout began, in words.
        phase: where it stood afterwards.
        weight: percent of requests the candidate was meant to have afterwards.
        action: what was carried out.
        sentence: why.
        analysis: status of the analysis; empty where there was none.
        saw: what the analysis saw, unless the sentence says it.
    """

    at: str
    after: str
    phase: str
    weight: int
    action: str
    sentence: str
    analysis: str
    saw: str


@dataclass(frozen=True)
class RolloutView:
    """Content of the page.

    Attributes:
        service: what was rolled out on.
        candidate, stable: the two versions.
        attempt: which try of the same two versions; may be empty.
        outcome: ``promoted``, ``rolled back``, or the phase it is in.
        headline: what happened, in one sentence.
        names_culprit: the headline names the metric that showed harm, and not the reason.
        reason: why it was rolled back, in full; empty otherwise.
        began, ended: when; ``ended`` is ``None`` while it is under way.
        since: ``began`` as axes write it.
        seconds: from the beginning to the end, or to the last entry.
        answered: requests given to (candidate, stable) as of the last analysis that knew; ``None``: none did.
        unseen_seconds: from that analysis to the moment the candidate was seen to be gone; 0 where it is not.
        analyses: how many there were, and ended which way.
        left_out: analyses that the timeline no longer holds.
        stretches, marks, moments: the plot of phases, weights and decisions.
        harm, safe: evidence of each metric over time.
        needed: evidence of harm that suffices, of all metrics together.
        needed_safe: evidence of being not worse that suffices, of each metric.
        rates: the rates of both versions over time, a panel a metric.
        metrics: what each metric showed last.
        steps: time, analyses and requests of every step.
        first_power: what would be detected, by the rates before the candidate had a request; empty if not known.
        power: power at the rates measured so far; empty if not computed.
        step_weights: the plan's steps, in percent.
        manual_decisions: (time, what a person decided).
        waits_for: the step that waits for approval; ``None`` if none does.
        entries: the whole timeline.
        plan: the plan, flat.
    """

    service: str
    candidate: Release
    stable: Release
    attempt: str
    outcome: str
    headline: str
    names_culprit: bool
    reason: str
    began: datetime
    ended: datetime | None
    since: str
    seconds: float
    answered: tuple[float, float] | None
    unseen_seconds: float
    analyses: str
    left_out: int
    stretches: tuple[Stretch, ...]
    marks: tuple[Mark, ...]
    moments: tuple[Mark, ...]
    harm: tuple[Line, ...]
    safe: tuple[Line, ...]
    needed: float
    needed_safe: float
    rates: tuple[RatePanel, ...]
    metrics: tuple[MetricRow, ...]
    steps: tuple[StepRow, ...]
    first_power: str
    power: tuple[MetricPower, ...]
    step_weights: tuple[int, ...]
    manual_decisions: tuple[tuple[str, str], ...]
    waits_for: int | None
    entries: tuple[EntryRow, ...]
    plan: Mapping[str, str]

    @property
    def share(self) -> float | None:
        """Share of all requests that the candidate was given; ``None`` if that is not known."""
        return self.answered[0] / sum(self.answered) if self.answered and sum(self.answered) else None

    @property
    def detail(self) -> str:
        """The reason, unless the headline ends with it."""
        return self.reason if self.names_culprit else ""

    @property
    def step_heads(self) -> list[str]:
        """The steps as the heads of columns."""
        return [f"at {weight}%" for weight in self.step_weights]


def rollout_page(
    journal: Journal,
    plan: RolloutPlan,
    power: Sequence[MetricPower] = (),
    *,
    alpha: float = ALPHA,
    alpha_promotion: float = ALPHA_PROMOTION,
    shares: Mapping[str, float] | None = None,
) -> str:
    """Render the report of a rollout, finished or under way; arguments as in ``rollout_view``."""
    view = rollout_view(journal, plan, power, alpha=alpha, alpha_promotion=alpha_promotion, shares=shares)
    title = f"Rollout of {view.candidate} on {view.service}"
    return render("rollout.html.j2", title=title, subtitle=f"in place of {view.stable}, since {view.since}", view=view)


def rollout_view(
    journal: Journal,
    plan: RolloutPlan,
    power: Sequence[MetricPower] = (),
    *,
    alpha: float = ALPHA,
    alpha_promotion: float = ALPHA_PROMOTION,
    shares: Mapping[str, float] | None = None,
) -> RolloutView:
    """Make the view of a rollout.

    Args:
        journal: the rollout, at any point of its way.
        plan: its plan.
        power: power at the rates measured so far.
        alpha: level that the evidence of harm is held against, in (0, 1).
        alpha_promotion: level that the evidence of being not worse is held against, in (0, 1).
        shares: metric → its share of α; all metrics alike where none are given.
    """
    rollout, seen, end = journal.rollout, analyses(journal), ended(journal)
    parts = equal_shares(journal) if shares is None else shares
    return RolloutView(
        service=rollout.service,
        candidate=rollout.candidate,
        stable=rollout.stable,
        attempt=rollout.attempt,
        outcome=rollout.phase.value.replace("_", " "),
        headline=headline(journal),
        names_culprit=harmful_metric(journal) is not None,
        reason=rollout.reason,
        began=moment(rollout.began),
        ended=None if end is None else moment(end),
        since=iso(rollout.began, "seconds"),
        seconds=last_seen(journal) - rollout.began,
        answered=answered(journal),
        unseen_seconds=_unseen(journal),
        analyses=counted(analysis.status for _, analysis in seen),
        left_out=max(0, rollout.analyses - len(seen)),
        stretches=stretches(journal),
        marks=tuple(
            Mark(
                at - rollout.began,
                analysis.status.value,
                f"analysis {analysis.number}: {analysis.status.value}. {analysis.sentence}",
            )
            for at, analysis in seen
        ),
        moments=moments(journal, plan),
        harm=harm(journal, parts),
        safe=safety(journal),
        needed=1 / alpha,
        needed_safe=1 / alpha_promotion,
        rates=rate_panels(journal),
        metrics=metric_rows(journal, {name: 1 / (alpha * share) for name, share in parts.items()}),
        steps=step_rows(journal, plan),
        first_power=next(filter(None, (entry.power for entry in journal.entries)), ""),
        power=tuple(power),
        step_weights=plan.steps,
        manual_decisions=decision_rows(journal, plan),
        waits_for=waits_for(journal, plan),
        entries=tuple(_entry(entry, rollout.began) for entry in journal.entries),
        plan=_flat(plan),
    )


def _unseen(journal: Journal) -> float:
    """Seconds from the last analysis that knew who answered what to the moment the candidate was seen to be gone."""
    known = [at for at, analysis in analyses(journal) if analysis.answered is not None]
    end = ended(journal)
    gone = journal.rollout.phase is Phase.ROLLED_BACK
    return end - known[-1] if gone and known and end is not None else 0.0


def _entry(entry: Entry, began: float) -> EntryRow:
    analysis = entry.analysis
    quoted = entry.code is not None and entry.code.quotes_analysis
    return EntryRow(
        at=iso(entry.at, "seconds"),
        after=duration(entry.at - began),
        phase=entry.phase.value.replace("_", " "),
        weight=entry.weight,
        action=entry.action.value.replace("_", " "),
        sentence=f"{entry.sentence} {entry.power}".rstrip(),
        analysis="" if analysis is None else analysis.status.value,
        saw="" if analysis is None or quoted else analysis.sentence,
    )


def _flat(plan: RolloutPlan) -> dict[str, str]:
    values = plan.model_dump()
    budgets = {f"budgets.{name}": value for name, value in values.pop("budgets").items()}
    written = {**values, **budgets}
    return {
        name: (", ".join(map(str, value)) or "none") if isinstance(value, tuple) else str(value)
        for name, value in written.items()
    }
