"""Rollouts on a real API server: a service to roll out on, a judge that says what it is told, and a watch on weights.

Time is simulated: our controller "sleeps" by letting the cluster's controllers take a few steps. After each of these
the candidate's share is held against the most that was ever written down.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from builders.cluster import ApiServer
from builders.gateway_controller import ROUTES
from builders.kserve_controller import INFERENCE_SERVICES, KServeController
from builders.kserve_objects import inference_service
from builders.memory_cluster import MemoryApi, MemoryServer
from gauntlet.delivery.deployment import Time
from gauntlet.delivery.release import Release
from gauntlet.delivery.rollout.approvals import Approval
from gauntlet.delivery.rollout.controller import run_to_end, start
from gauntlet.delivery.rollout.plan import RolloutPlan
from gauntlet.delivery.rollout.ports import Assessment, Backends, Target
from gauntlet.delivery.rollout.state import AnalysisRun, Rollout
from gauntlet.delivery.targets.kserve.api import Api
from gauntlet.delivery.targets.kserve.journal_store import ConfigMapJournalStore
from gauntlet.delivery.targets.kserve.knative.target import KnativeTarget
from gauntlet.delivery.targets.kserve.lease import ClusterLease
from gauntlet.delivery.targets.kserve.predictors import identity_in_pods, with_release
from gauntlet.delivery.targets.kserve.standard.target import StandardTarget
from gauntlet.errors import DataError
from gauntlet.settings import parse
from gauntlet.verdict import Status

V1, V2, V3 = (Release(number, f"sha256:{number * 64}", f"s3://models/{number}") for number in "123")
NAME = "loans"
PLAN = parse(
    RolloutPlan,
    {
        "steps": [10, 50, 100],
        "interval_seconds": 60,
        "step_seconds": 60,
        "min_requests": 1,
        "ready_seconds": 1_800,
        "budgets": {"errors": 3},
    },
    field="plan",
)
QUICK = PLAN.model_copy(update={"interval_seconds": 0.05, "step_seconds": 0.05})
"""The same in real time."""
_MOST_TURNS = 400
NO_APPROVAL = Approval()


Fate = Callable[[str, str, str], None]
"""Called with method, path, and ``before`` or ``after``; what it raises befalls whoever asked."""


class Killed(BaseException):
    """What ``kill -9`` is to a controller."""


class MortalApi(Api):
    """A client whose owner may die at any request: before the server has it, or after it was carried out."""

    fate: Fate = staticmethod(lambda method, path, when: None)

    def _call(self, method: str, path: str, body: Any, query: Mapping[str, str]) -> tuple[int, Mapping[str, str], Any]:
        self.fate(method, path, "before")
        answer = super()._call(method, path, body, query)
        self.fate(method, path, "after")
        return answer


def without_retries(client: Any) -> Any:
    """A client whose transport repeats nothing by itself, as ``api.connect`` makes it."""
    client.rest_client.pool_manager.connection_pool_kw["retries"] = False
    return client


class Endless(AssertionError):
    """A rollout that should have ended long ago."""


@dataclass
class Verdicts:
    """``ports.Judge``: harm from a weight on, no harm before; looks are numbered by its memory."""

    harm_from: int = 101

    def assess(self, rollout: Rollout, memory: str, now: float) -> tuple[Assessment, str]:
        number = int(memory or 0) + 1
        status = Status.FAIL if rollout.weight >= self.harm_from else Status.PASS
        look = AnalysisRun(number, status, "answers differ")
        return Assessment(look, requests=1_000), str(number)


@dataclass
class Ground:
    """An InferenceService in a namespace of its own, serving version 1, with the controllers that bring it about.

    Attributes:
        release: of KServe.
        has_route: Standard mode: whether there is an HTTPRoute of ours; else requests go by KServe's own.
        most: the largest share, in percent, that the candidate ever had.
        approval: what people decide.
        strange: shares of versions that are neither stable nor the candidate.
        now: seconds since the epoch.
    """

    server: ApiServer | MemoryServer
    mode: str
    namespace: str = ""
    steps: int = 2
    harm_from: int = 101
    now: float = 1_000.0
    most: int = 0
    release: str = "0.20"
    has_route: bool = True
    plan: RolloutPlan = PLAN
    candidate: Release = V2
    stable: Release = V1
    approval: Approval = NO_APPROVAL
    strange: list[Mapping[str, int]] = field(default_factory=list)
    meanwhile: Callable[[Ground], None] = lambda ground: None

    def __post_init__(self) -> None:
        self.namespace = self.namespace or self.server.namespace("rollout")
        self.service = f"{self.namespace}/{NAME}"
        self.controller = KServeController(self.server, namespace=self.namespace, release=self.release)
        self.judge = Verdicts(self.harm_from)
        self.journals = ConfigMapJournalStore(self.api())
        self.turns = 0
        body = inference_service(NAME, self.namespace, self.mode, V1.uri)
        body["spec"]["predictor"] = with_release(body["spec"]["predictor"], V1)
        self.server.request("POST", f"{INFERENCE_SERVICES}/namespaces/{self.namespace}/inferenceservices", body)
        if self.mode == "Standard" and self.has_route:
            self.server.request("POST", f"{ROUTES}/namespaces/{self.namespace}/httproutes", route(self.namespace))
        self.controller.settle()

    # -- controller ---------------------------------------------------------------------------------------------------
    def api(self, fate: Fate | None = None) -> Api:
        fate = fate or (lambda method, path, when: None)
        if isinstance(self.server, MemoryServer):
            return MemoryApi(self.server, fate)
        api = MortalApi(without_retries(self.server.client()), sleep=lambda seconds: None)
        api.fate = fate
        return api

    def backends(self, api: Api | None = None, holder: str = "tests") -> Backends:
        api = api or self.api()
        lease = ClusterLease(api, holder=holder, seconds=1_000.0)
        journals = ConfigMapJournalStore(api)
        return Backends(journals, lease, self.target(api), self.judge, lambda rollout: self.approval)

    def target(self, api: Api) -> Target:
        return KnativeTarget(api) if self.mode == "Knative" else StandardTarget(api)

    def run(self, api: Api | None = None, *, attempt: str = "") -> Rollout:
        backends = self.backends(api)
        start(backends.journals, self.service, self.candidate, self.stable, self.now, attempt)
        return self.go_on(backends)

    def next(self, candidate: Release, stable: Release) -> None:
        """What ``run`` rolls out from now on, and in place of what."""
        self.candidate, self.stable, self.most = candidate, stable, 0

    def go_on(self, backends: Backends | None = None) -> Rollout:
        return run_to_end(
            backends or self.backends(), self.plan, self.service, clock=lambda: self.now, sleep=self.sleep, patience=100
        )

    def time(self) -> Time:
        return Time(lambda: self.now, self.sleep)

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        self.turns += 1
        if self.turns > _MOST_TURNS:
            raise Endless(f"no end after {self.turns} turns: {self.timeline()[-3:]}")
        self.meanwhile(self)
        for _ in range(self.steps):
            self.controller.step()
            self.watch()

    # -- seeing, as the administrator --------------------------------------------------------------------------------
    def watch(self) -> None:
        """Hold what the candidate has against what was ever written."""
        shares = self.shares()
        share = shares.get(self.candidate.version, 0)
        self.most = max(self.most, share)
        known = {self.stable.version, self.candidate.version}
        if strange := {version: part for version, part in shares.items() if version not in known}:
            self.strange.append(strange)
        if share:
            try:
                found = self.journals.read(self.service)
            except DataError:
                return  # a torn journal does not say what was written
            written = max((entry.weight for entry in found[0].entries), default=0) if found else 0
            assert share <= written, f"{shares} where {written} % was written"

    def shares(self) -> dict[str, int]:
        """Version → percent of the requests it has, wherever they are split."""
        return self._knative_shares() if self.mode == "Knative" else self._standard_shares()

    def _knative_shares(self) -> dict[str, int]:
        shares: dict[str, int] = {}
        for target in self.get()["status"]["components"]["predictor"]["traffic"]:
            path = f"/apis/serving.knative.dev/v1/namespaces/{self.namespace}/revisions/{target['revisionName']}"
            found = self.server.request("GET", path)
            ready = found["status"]["conditions"][0]["status"] == "True"
            version = self._version(found["spec"]) if ready else f"nothing that answers at {target['revisionName']}"
            shares[version] = shares.get(version, 0) + target["percent"]
        return shares

    def _standard_shares(self) -> dict[str, int]:
        return self.shares_of(f"{NAME}-rollout" if self.has_route else NAME)

    def shares_of(self, route: str) -> dict[str, int]:
        """Version → percent of the requests that come by an HTTPRoute."""
        deployments = f"/apis/apps/v1/namespaces/{self.namespace}/deployments"
        running = {
            item["metadata"]["name"]: self._version(item["spec"]["template"]["spec"])
            for item in self.server.request("GET", deployments)["items"]
            if item.get("status", {}).get("availableReplicas")
        }
        found = self.server.request("GET", f"{ROUTES}/namespaces/{self.namespace}/httproutes/{route}")
        backends = found["spec"]["rules"][0]["backendRefs"]
        total = sum(one["weight"] for one in backends)
        shares: dict[str, int] = {}
        for one in backends:
            if one["weight"]:
                version = running.get(one["name"], f"nothing that answers at {one['name']}")
                shares[version] = shares.get(version, 0) + 100 * one["weight"] // total
        return shares

    def _version(self, pods: Mapping[str, Any]) -> str:
        found = identity_in_pods(pods)
        return found.version if found else "unknown"

    def get(self) -> dict[str, Any]:
        return self.server.request("GET", self.path)

    @property
    def path(self) -> str:
        return f"{INFERENCE_SERVICES}/namespaces/{self.namespace}/inferenceservices/{NAME}"

    def patch(self, body: Mapping[str, Any]) -> dict[str, Any]:
        return self.server.request("PATCH", self.path, body, "application/merge-patch+json")

    def route(self) -> dict[str, Any]:
        return self.server.request("GET", f"{ROUTES}/namespaces/{self.namespace}/httproutes/{NAME}-rollout")

    def timeline(self) -> list[str]:
        found = self.journals.read(self.service)
        return [entry.sentence for entry in found[0].entries] if found else []


def route(namespace: str) -> dict[str, Any]:
    """Our HTTPRoute as a team creates it: everything to the predictor."""
    return {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "HTTPRoute",
        "metadata": {"name": f"{NAME}-rollout", "namespace": namespace},
        "spec": {
            "hostnames": [f"{NAME}.{namespace}.example.com"],
            "parentRefs": [{"name": "gateway"}],
            "rules": [{"backendRefs": [{"name": f"{NAME}-predictor", "port": 80, "weight": 100}]}],
        },
    }
