"""How a cluster treats an InferenceService in a test: slowly, with models that fail, late, or not at all."""

from __future__ import annotations

from dataclasses import dataclass

from builders.knative import State


@dataclass(frozen=True)
class Behavior:
    """Times are in steps of the controller.

    Attributes:
        ready_after: from a new template to pods that are ready.
        broken: storage URIs whose model fails to load, once ``ready_after`` has passed.
        stuck: storage URIs whose pods neither come up nor fail.
        lag: until a changed specification is seen at all; until then the status tells of the one before.
        paused: nothing is reconciled.
        idle: scaled to zero once ready: no pods, which reads as a model that is loading (Knative mode).
        route_first: Knative routes by a new specification before it has made the revision.
    """

    ready_after: int = 1
    broken: frozenset[str] = frozenset()
    stuck: frozenset[str] = frozenset()
    lag: int = 0
    paused: bool = False
    idle: bool = False
    route_first: bool = False

    def outcome(self, age: int, uri: str) -> State:
        """What has become of pods that were asked for ``age`` steps ago and load the model at ``uri``."""
        if age < self.ready_after or uri in self.stuck:
            return "pending"
        return "failed" if uri in self.broken else "ready"
