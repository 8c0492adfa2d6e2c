"""Builds everything one rollout needs: the service, the metric judge, the parsed plans, a clock."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from gauntlet.delivery.analysis.judge import CounterJudge
from gauntlet.delivery.analysis.label_files import LabelTable
from gauntlet.delivery.analysis.labels import OutcomesSource, with_labels
from gauntlet.delivery.analysis.plan import AnalysisPlan
from gauntlet.delivery.analysis.report_inputs import ReportInputs, report_inputs
from gauntlet.delivery.counters.prometheus.source import PrometheusCounters, PrometheusPlan, by_version
from gauntlet.delivery.deployment import Time
from gauntlet.delivery.preflight import Obstacle
from gauntlet.delivery.rollout.approvals import combine_approvals, tag_approvals
from gauntlet.delivery.rollout.journal import Journal
from gauntlet.delivery.rollout.plan import RolloutPlan
from gauntlet.delivery.rollout.ports import Judge
from gauntlet.delivery.rollout.state import Action, Decision
from gauntlet.delivery.targets.service import Service, open_service
from gauntlet.registry.store import ModelStore
from gauntlet.settings import parse


@dataclass(frozen=True)
class RolloutContext:
    """Service, judge, plans and clock of one delivery.

    Attributes:
        service: the service.
        judge: assesses its metrics.
        plan: the steps.
        analysis: which metrics, and how they are compared.
        time: the clock of this machine.
    """

    service: Service
    judge: Judge
    plan: RolloutPlan
    analysis: AnalysisPlan
    time: Time

    def report_inputs(self, journal: Journal) -> ReportInputs:
        """Inputs of the report beside the journal."""
        return report_inputs(journal, self.analysis, self.plan)

    def log_decision(self, decision: Decision) -> None:
        """Print a decision to the log; decisions to wait only at every fifth analysis."""
        if decision.action is not Action.WAIT or decision.rollout.analyses % 5 == 0:
            sys.stdout.write(f"{time.strftime('%H:%M:%S')}  {decision.sentence}\n")
            sys.stdout.flush()


def open_context(
    address: str,
    plan: Mapping[str, Any],
    analysis: Mapping[str, Any],
    *,
    store: ModelStore,
    model_name: str,
    prometheus: Mapping[str, Any] | None = None,
    outcomes: Mapping[str, Any] | None = None,
) -> RolloutContext:
    """Open a service for a delivery.

    Args:
        address: of the service.
        plan: a ``RolloutPlan``, as the user wrote it.
        analysis: an ``AnalysisPlan``, as the user wrote it.
        store: the registry, whose tags may approve or abort.
        model_name: the registered model.
        prometheus: a ``PrometheusPlan``, as the user wrote it; empty for the counters that the service keeps itself.
        outcomes: an ``OutcomesSource``, as the user wrote it; empty where no labels arrive.

    Raises:
        ConfigurationError: a setting or the address cannot be used.
        DependencyError: the service does not answer.
    """
    steps = parse(RolloutPlan, plan, field="plan")
    labels = parse(OutcomesSource, outcomes, field="outcomes") if outcomes else None
    settings = with_labels(parse(AnalysisPlan, analysis, field="analysis"), labels)
    service = open_service(address)
    table = None if labels is None else LabelTable(labels)
    if table is not None:
        of_service, of_labels = service.obstacles, table.obstacles
        service = replace(service, obstacles=lambda: (*of_service(), *of_labels()))
    service = replace(service, approvals=combine_approvals(service.approvals, tag_approvals(store, model_name)))
    if prometheus:
        source = parse(PrometheusPlan, prometheus, field="prometheus")
        arms = service.revisions if source.family.startswith("knative") else by_version
        counter_source = PrometheusCounters(source, arms)
        judge = CounterJudge(counter_source, settings, steps, outcomes=table, custom_query=counter_source.ask)
    else:
        judge = CounterJudge(service.counter_source, settings, steps, outcomes=table)
    return RolloutContext(service, judge, steps, settings, Time(time.time, time.sleep))


def log_warning(obstacle: Obstacle) -> None:
    """Print a warning of the preflight to the log."""
    sys.stdout.write(f"{obstacle}\n")
    sys.stdout.flush()
