"""The judge of a rollout: reads a meter, remembers, and says what can be said."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from gauntlet.delivery.analysis import state_codec
from gauntlet.delivery.analysis.plan import AnalysisPlan, OwnMetric
from gauntlet.delivery.analysis.power import promise, worded
from gauntlet.delivery.analysis.state import Memory, Outcomes, OwnAnswer
from gauntlet.delivery.analysis.summary import conclude
from gauntlet.delivery.analysis.update import absorb, absorb_outcomes
from gauntlet.delivery.counters.source import Meter
from gauntlet.delivery.rollout.approvals import People, nobody
from gauntlet.delivery.rollout.controller import Judgement
from gauntlet.delivery.rollout.plan import RolloutPlan
from gauntlet.delivery.rollout.state import Look, Phase, Rollout
from gauntlet.errors import ConfigurationError, DataError, DependencyError
from gauntlet.verdict import Status

OutcomesOf = Callable[[Rollout, float], Outcomes]
"""Decisions whose labels have arrived by a time; may raise ``DependencyError`` and ``DataError``."""

Asks = Callable[[OwnMetric, Rollout], float | None]
"""A team's own query: its number, or ``None`` for no data; may raise ``DependencyError`` and ``DataError``."""

_UNREADABLE = (DependencyError, DataError, ConfigurationError)


class MeterJudge:
    """Judges by counters; a ``conductor.Judge``.

    Args:
        meter: where the counters come from.
        plan: what is looked at.
        rollout_plan: its steps are starts of the tests.
        people: what people said.
        outcomes: matured labels, where there are any.
        asks: answers a team's own queries.

    Raises:
        ConfigurationError: the plan has own queries and nobody to ask, or outcomes and no source of them.
    """

    def __init__(
        self,
        meter: Meter,
        plan: AnalysisPlan,
        rollout_plan: RolloutPlan,
        people: People = nobody,
        *,
        outcomes: OutcomesOf | None = None,
        asks: Asks | None = None,
    ) -> None:
        if plan.own and asks is None:
            raise ConfigurationError(
                "need a Prometheus to ask", field="own", value=plan.own[0].name, mend="Name one, or leave them out"
            )
        if "outcomes" in plan.metrics and outcomes is None:
            raise ConfigurationError(
                "names outcomes, and nothing counts them", field="metrics", mend="Name a source of labels"
            )
        self._meter = meter
        self._plan = plan
        self._steps = len(rollout_plan.steps)
        self._rollout_plan = rollout_plan
        self._people = people
        self._outcomes = outcomes
        self._asks = asks

    def look(self, rollout: Rollout, memory: str, now: float) -> tuple[Judgement, str]:
        """As ``conductor.Judge.look``.

        A look that could not be made leaves the memory as it is: the next one covers its interval too.
        """
        approved, refused = self._people(rollout)
        said = Judgement(None, approved=approved, refused=refused)
        number = rollout.looked + 1
        try:
            before = state_codec.from_json(memory) if memory else Memory(self._steps)
            after = absorb(before, self._meter.read(rollout), rollout, self._plan, now)
        except _UNREADABLE as error:
            # While it is taken back nothing depends on metrics any more, and there is nothing to count.
            failed = None if rollout.phase is Phase.ROLLING_BACK else Look(number, Status.ERROR, str(error))
            baseline = rollout.phase is not Phase.DEPLOYING
            return replace(said, look=failed, baseline=baseline), memory
        after = self._with_own(self._with_outcomes(after, rollout, now), rollout)
        said = replace(
            said,
            look=self._said(after, rollout, number),
            requests=int(after.counted[0]) if after.step == rollout.step else 0,
            baseline=after.tests is not None,
            remark=self._promise(before, after, rollout, now),
        )
        return said, state_codec.to_json(after)

    def _said(self, after: Memory, rollout: Rollout, number: int) -> Look | None:
        """The look, if there is anything to say: an interval was counted, harm is known, or the last look failed.

        Silence spends no budget: neither the baseline nor a warm-up is inconclusive.
        """
        if after.tests is None:
            mended = Look(number, Status.INCONCLUSIVE, "The metrics can be read again.", answered=after.answered)
            return mended if rollout.errors else None
        tells = after.fresh or after.alarm or after.unlabelled or rollout.errors or rollout.phase is Phase.ROLLING_BACK
        return conclude(after, self._plan, rollout, number) if tells else None

    def _promise(self, before: Memory, after: Memory, rollout: Rollout, now: float) -> str:
        """What would be found, said once: when the tests have been chosen and before the candidate gets a request."""
        if after.tests is None or before.tests is not None or now <= rollout.began:
            return ""
        rate = sum(after.answered) / (now - rollout.began)
        return worded(promise(after, self._plan, self._rollout_plan, rate)) if rate else ""

    def _with_outcomes(self, memory: Memory, rollout: Rollout, now: float) -> Memory:
        """With labels counted once more; what the servers counted stands, whether labels can be read or not."""
        if self._outcomes is None or memory.tests is None or rollout.phase is Phase.ROLLING_BACK:
            return memory
        try:
            return absorb_outcomes(memory, self._outcomes(rollout, now), self._plan)
        except _UNREADABLE as error:
            return replace(memory, unlabelled=str(error))

    def _with_own(self, memory: Memory, rollout: Rollout) -> Memory:
        if self._asks is None or rollout.phase not in (Phase.RAMPING, Phase.PROMOTING) or rollout.held_since is None:
            return memory
        return replace(memory, own={one.name: self._answer(one, memory, rollout) for one in self._plan.own})

    def _answer(self, metric: OwnMetric, memory: Memory, rollout: Rollout) -> OwnAnswer:
        assert self._asks is not None
        streak = memory.own.get(metric.name, OwnAnswer()).streak
        try:
            value = self._asks(metric, rollout)
        except _UNREADABLE as error:
            return OwnAnswer(problem=str(error), streak=streak)
        if value is None:
            return OwnAnswer(streak=streak)
        beyond = value > metric.limit if metric.direction == "max" else value < metric.limit
        return OwnAnswer(value, streak=streak + 1 if beyond else 0)
