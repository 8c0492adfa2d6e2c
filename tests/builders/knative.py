"""What Knative 1.21 makes of a Service: configuration, revisions and route, one reconcile at a time, nothing real.

The semantics are those of ``knative.dev/serving`` v0.48 (reconcilers ``service``, ``configuration``, ``route``). A tick
stands for one pass of all three; what happens between them in a cluster, such as a route that is reconciled before the
configuration, is asked for.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

State = Literal["pending", "ready", "failed"]


@dataclass
class Revision:
    """One template, never changed.

    Attributes:
        name: ``SERVICE-0000N``.
        template: what it runs.
        state: whether its pods came up.
        age: ticks since it was created.
    """

    name: str
    template: Mapping[str, Any]
    state: State = "pending"
    age: int = 0


@dataclass
class KnativeService:
    """A Knative Service with its configuration and route, and the status others see of it.

    Attributes:
        name: of the Service, and the prefix of its revisions.
        namespace: for its URLs.
        generation: counts changes of the specification, of traffic too; an InferenceService counts differently.
        revisions: oldest first.
        status: as in ``status`` of ``serving.knative.dev/v1`` Service; empty before the first tick.
    """

    name: str
    namespace: str
    generation: int = 0
    revisions: list[Revision] = field(default_factory=list)
    status: dict[str, Any] = field(default_factory=dict)
    _template: Mapping[str, Any] = field(default_factory=dict)
    _traffic: Sequence[Mapping[str, Any]] = ()
    _routed: list[dict[str, Any]] = field(default_factory=list)
    _latest_ready: str = ""

    def apply(self, template: Mapping[str, Any], traffic: Sequence[Mapping[str, Any]]) -> None:
        """Set the desired state. Nothing else changes before the next tick, as in a cluster.

        Args:
            template: of the next revision; an equal one makes none.
            traffic: targets with ``percent`` and either ``latestRevision: true`` or a ``revisionName``.
        """
        if (_canonical(template), list(traffic)) != (_canonical(self._template), list(self._traffic)):
            self._template, self._traffic = json.loads(_canonical(template)), list(traffic)
            self.generation += 1

    @property
    def desired(self) -> tuple[Mapping[str, Any], Sequence[Mapping[str, Any]]]:
        """Template and traffic as they were last set."""
        return self._template, self._traffic

    def tick(self, outcome: Callable[[Revision], State], *, route_first: bool = False) -> None:
        """Reconcile once.

        Args:
            outcome: what becomes of a revision that is pending.
            route_first: when the specification has just changed, only the route has seen it.
        """
        changed = self.status.get("observedGeneration") != self.generation
        self.status["observedGeneration"] = self.generation
        if not (route_first and changed and self.revisions):
            self._configure()
        for revision in self.revisions:
            if revision.state == "pending":
                revision.state = outcome(revision)
                revision.age += 1
        self._choose_latest_ready()
        self._route()
        self._report(just_changed=changed)

    def _configure(self) -> None:
        if not self.revisions or _canonical(self.revisions[-1].template) != _canonical(self._template):
            self.revisions.append(Revision(f"{self.name}-{len(self.revisions) + 1:05d}", self._template))

    def _choose_latest_ready(self) -> None:
        """The newest that is ready, never one older than the last: a failed newcomer leaves it as it was."""
        names = [revision.name for revision in self.revisions]
        since = names.index(self._latest_ready) if self._latest_ready else 0
        ready = [revision.name for revision in self.revisions[since:] if revision.state == "ready"]
        self._latest_ready = ready[-1] if ready else self._latest_ready

    def _route(self) -> None:
        """Flatten the targets to revisions. One that is not ready leaves the whole route as it was."""
        states = {revision.name: revision.state for revision in self.revisions}
        routed: list[dict[str, Any]] = []
        for target in self._traffic:
            latest = bool(target.get("latestRevision"))
            name = self._latest_ready if latest else target["revisionName"]
            if states.get(name) != "ready":
                return
            entry = {"revisionName": name, "latestRevision": latest, "percent": target["percent"]}
            if tag := target.get("tag"):
                entry |= {"tag": tag, "url": f"http://{tag}-{self.name}.{self.namespace}.example.com"}
            routed.append(entry)
        self._routed = routed

    def _report(self, *, just_changed: bool) -> None:
        latest = self.revisions[-1]
        url = f"http://{self.name}.{self.namespace}.example.com"
        configuration = {
            "pending": ("Unknown", "", ""),
            "ready": ("True", "", ""),
            "failed": (
                "False",
                "RevisionFailed",
                f'Revision "{latest.name}" failed with message: Container failed with: exit code 1.',
            ),
        }[latest.state]
        route = ("True", "", "") if self._routed else ("Unknown", "RevisionMissing", "")
        if just_changed:
            configuration = route = ("Unknown", "OutOfDate", "The change has not yet been reconciled")
        elif self._routed and not self._is_as_asked():
            route = ("Unknown", "TrafficNotMigrated", "Traffic is not yet migrated to the latest revision.")
        self.status |= {
            "latestCreatedRevisionName": latest.name,
            "latestReadyRevisionName": self._latest_ready,
            "traffic": [dict(entry) for entry in self._routed],
            "url": url,
            "address": {"url": f"http://{self.name}.{self.namespace}.svc.cluster.local"},
            "conditions": {
                "ConfigurationsReady": configuration,
                "RoutesReady": route,
                "Ready": _together(configuration, route),
            },
        }

    def _is_as_asked(self) -> bool:
        """Whether the route is what the targets say, with ``latestRevision`` read as the latest *ready* one."""
        wanted = [
            (self._latest_ready if target.get("latestRevision") else target["revisionName"], target["percent"])
            for target in self._traffic
        ]
        return wanted == [(entry["revisionName"], entry["percent"]) for entry in self._routed]


Condition = tuple[str, str, str]
"""Status (``True``, ``False``, ``Unknown``), reason, message."""


def _together(*conditions: Condition) -> Condition:
    for wanted in ("False", "Unknown"):
        for condition in conditions:
            if condition[0] == wanted:
                return condition
    return "True", "", ""


def _canonical(template: Mapping[str, Any]) -> str:
    return json.dumps(template, sort_keys=True)
