"""What somebody who delivers has before them: the service, what looks at it, the plan, and a clock."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from gauntlet.delivery.analysis import state_codec
from gauntlet.delivery.analysis.alpha import alarm_level, shares
from gauntlet.delivery.analysis.judge import MeterJudge
from gauntlet.delivery.analysis.label_files import LabelTable
from gauntlet.delivery.analysis.labels import OutcomesSource, with_labels
from gauntlet.delivery.analysis.plan import AnalysisPlan
from gauntlet.delivery.analysis.power import promise
from gauntlet.delivery.counters.prometheus.source import PrometheusMeter, PrometheusPlan, by_version
from gauntlet.delivery.deployment import Time
from gauntlet.delivery.preflight import Finding
from gauntlet.delivery.rollout.approvals import by_tags, either
from gauntlet.delivery.rollout.controller import Judge
from gauntlet.delivery.rollout.journal import Journal
from gauntlet.delivery.rollout.plan import RolloutPlan
from gauntlet.delivery.rollout.state import Decision, Do
from gauntlet.delivery.targets.service import Service, open_service
from gauntlet.registry.store import ModelStore
from gauntlet.settings import parse


@dataclass(frozen=True)
class Desk:
    """Everything a delivery is carried out with.

    Attributes:
        service: where.
        judge: looks at it.
        plan: the steps.
        analysis: how it is looked at.
        time: the clock of this machine.
    """

    service: Service
    judge: Judge
    plan: RolloutPlan
    analysis: AnalysisPlan
    time: Time

    def shown(self, journal: Journal) -> dict[str, Any]:
        """What a report shows beside the journal: keyword arguments of ``reports.delivery.write_rollout``."""
        memory = state_codec.from_json(journal.memory) if journal.memory else None
        told: dict[str, Any] = {"alpha": alarm_level(self.analysis), "alpha_promotion": self.analysis.alpha_promotion}
        if memory and memory.tests:
            told["shares"] = shares(memory, self.analysis)
            lasted = journal.entries[-1].at - journal.rollout.began
            rate = sum(memory.answered) / lasted if lasted > 0 else 0.0
            if rate and memory.steps == len(self.plan.steps):
                told["promises"] = promise(memory, self.analysis, self.plan, rate)
        return told

    def tell(self, decision: Decision) -> None:
        """Print a turn for the log; waiting without news is not told again and again."""
        look = decision.rollout.looked
        if decision.do is not Do.WAIT or look % 5 == 0:
            sys.stdout.write(f"{time.strftime('%H:%M:%S')}  {decision.sentence}\n")
            sys.stdout.flush()


def open_desk(
    address: str,
    plan: Mapping[str, Any],
    analysis: Mapping[str, Any],
    *,
    store: ModelStore,
    model_name: str,
    prometheus: Mapping[str, Any] | None = None,
    outcomes: Mapping[str, Any] | None = None,
) -> Desk:
    """Open a service for a delivery.

    Args:
        address: of the service.
        plan: a ``RolloutPlan``, as the user wrote it.
        analysis: an ``AnalysisPlan``, as the user wrote it.
        store: the registry, whose tags people may speak through.
        model_name: the registered model.
        prometheus: a ``PrometheusPlan``, as the user wrote it; empty for the counters that the service keeps itself.
        outcomes: an ``OutcomesSource``, as the user wrote it; empty where no labels arrive.

    Raises:
        ConfigurationError: a setting or the address cannot be used.
        DependencyError: nothing answers there.
    """
    steps = parse(RolloutPlan, plan, field="plan")
    labels = parse(OutcomesSource, outcomes, field="outcomes") if outcomes else None
    settings = with_labels(parse(AnalysisPlan, analysis, field="analysis"), labels)
    service = open_service(address)
    table = None if labels is None else LabelTable(labels)
    if table is not None:
        place, read = service.obstacles, table.obstacles
        service = replace(service, obstacles=lambda: (*place(), *read()))
    people = either(service.people, by_tags(store, model_name))
    if prometheus:
        asked = parse(PrometheusPlan, prometheus, field="prometheus")
        arms = service.revisions if asked.family.startswith("knative") else by_version
        meter = PrometheusMeter(asked, arms)
        judge = MeterJudge(meter, settings, steps, people, outcomes=table, asks=meter.ask)
    else:
        judge = MeterJudge(service.meter, settings, steps, people, outcomes=table)
    return Desk(service, judge, steps, settings, Time(time.time, time.sleep))


def warn(finding: Finding) -> None:
    """Print something that a person should know before a rollout begins."""
    sys.stdout.write(f"{finding}\n")
    sys.stdout.flush()
