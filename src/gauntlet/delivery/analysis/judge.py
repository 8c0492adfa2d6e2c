"""Judges a rollout by its counters: reads them, updates the state of the analysis, and summarises it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from gauntlet.delivery.analysis import state_codec
from gauntlet.delivery.analysis.plan import AnalysisPlan, CustomMetric
from gauntlet.delivery.analysis.power import power_by_step, power_sentence
from gauntlet.delivery.analysis.state import AnalysisState, CustomResult, Outcomes
from gauntlet.delivery.analysis.summary import summarise
from gauntlet.delivery.analysis.update import update, update_outcomes
from gauntlet.delivery.counters.source import CounterSource
from gauntlet.delivery.rollout.plan import RolloutPlan
from gauntlet.delivery.rollout.ports import Assessment
from gauntlet.delivery.rollout.state import AnalysisRun, Phase, Rollout
from gauntlet.errors import ConfigurationError, DataError, DependencyError
from gauntlet.verdict import Status

OutcomesOf = Callable[[Rollout, float], Outcomes]
"""Counts decisions whose labels have arrived by a time; may raise ``DependencyError`` and ``DataError``."""

CustomQuery = Callable[[CustomMetric, Rollout], float | None]
"""Runs a custom metric's query: a number, or ``None`` for no data; may raise ``DependencyError``, ``DataError``."""

_UNREADABLE = (DependencyError, DataError, ConfigurationError)


class CounterJudge:
    """``ports.Judge`` by counters.

    Args:
        counter_source: where the counters come from.
        plan: which metrics are analysed, and how.
        rollout_plan: its steps are starts of the tests.
        outcomes: counts matured labels, where there are any.
        custom_query: runs the queries of custom metrics.

    Raises:
        ConfigurationError: the plan has custom queries and no Prometheus, or outcomes and no source of them.
    """

    def __init__(
        self,
        counter_source: CounterSource,
        plan: AnalysisPlan,
        rollout_plan: RolloutPlan,
        *,
        outcomes: OutcomesOf | None = None,
        custom_query: CustomQuery | None = None,
    ) -> None:
        if plan.custom and custom_query is None:
            raise ConfigurationError(
                "need a Prometheus", field="custom", value=plan.custom[0].name, mend="Name one, or leave them out"
            )
        if "outcomes" in plan.metrics and outcomes is None:
            raise ConfigurationError(
                "names outcomes, and nothing counts them", field="metrics", mend="Name a source of labels"
            )
        self._counter_source = counter_source
        self._plan = plan
        self._steps = len(rollout_plan.steps)
        self._rollout_plan = rollout_plan
        self._outcomes = outcomes
        self._custom_query = custom_query

    def assess(self, rollout: Rollout, state: str, now: float) -> tuple[Assessment, str]:
        """As ``ports.Judge.assess``.

        An analysis that could not be made leaves the state as it is: the next one covers its interval too.
        """
        number = rollout.analyses + 1
        try:
            before = state_codec.from_json(state) if state else AnalysisState(self._steps)
            after = update(before, self._counter_source.read(rollout), rollout, self._plan, now)
        except _UNREADABLE as error:
            # While it is rolled back nothing depends on metrics any more, and there is nothing to count.
            failed = None if rollout.phase is Phase.ROLLING_BACK else AnalysisRun(number, Status.ERROR, str(error))
            baseline = rollout.phase is not Phase.DEPLOYING
            return Assessment(failed, baseline=baseline), state
        after = self._with_custom(self._with_outcomes(after, rollout, now), rollout)
        assessment = Assessment(
            self._analysis_run(after, rollout, number),
            requests=int(after.counted[0]) if after.step == rollout.step else 0,
            baseline=after.tests is not None,
            power=self._power(before, after, rollout, now),
        )
        return assessment, state_codec.to_json(after)

    def _analysis_run(self, after: AnalysisState, rollout: Rollout, number: int) -> AnalysisRun | None:
        """The analysis run, if there is one: an interval was counted, harm is known, or the last analysis failed.

        Without one no budget is spent: neither the baseline nor a warm-up is inconclusive.
        """
        if after.tests is None:
            sentence = "The metrics can be read again."
            recovered = AnalysisRun(number, Status.INCONCLUSIVE, sentence, answered=after.answered)
            return recovered if rollout.errors else None
        news = after.fresh or after.alarm or after.unlabelled or rollout.errors or rollout.phase is Phase.ROLLING_BACK
        return summarise(after, self._plan, rollout, number) if news else None

    def _power(self, before: AnalysisState, after: AnalysisState, rollout: Rollout, now: float) -> str:
        """Power in one sentence, once: when the tests have been chosen, before the candidate gets a request."""
        if after.tests is None or before.tests is not None or now <= rollout.began:
            return ""
        rate = sum(after.answered) / (now - rollout.began)
        return power_sentence(power_by_step(after, self._plan, self._rollout_plan, rate)) if rate else ""

    def _with_outcomes(self, state: AnalysisState, rollout: Rollout, now: float) -> AnalysisState:
        """The state with labels counted once more; where they cannot be read, the servers' counts stand."""
        if self._outcomes is None or state.tests is None or rollout.phase is Phase.ROLLING_BACK:
            return state
        try:
            return update_outcomes(state, self._outcomes(rollout, now), self._plan)
        except _UNREADABLE as error:
            return replace(state, unlabelled=str(error))

    def _with_custom(self, state: AnalysisState, rollout: Rollout) -> AnalysisState:
        if self._custom_query is None or not rollout.phase.has_traffic or rollout.held_since is None:
            return state
        results = {metric.name: self._queried(metric, state, rollout) for metric in self._plan.custom}
        return replace(state, custom=results)

    def _queried(self, metric: CustomMetric, state: AnalysisState, rollout: Rollout) -> CustomResult:
        assert self._custom_query is not None
        streak = state.custom.get(metric.name, CustomResult()).streak
        try:
            value = self._custom_query(metric, rollout)
        except _UNREADABLE as error:
            return CustomResult(problem=str(error), streak=streak)
        if value is None:
            return CustomResult(streak=streak)
        beyond = value > metric.limit if metric.direction == "max" else value < metric.limit
        return CustomResult(value, streak=streak + 1 if beyond else 0)
