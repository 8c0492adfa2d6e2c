"""Deliveries in the local engine: real model servers behind a real router, and callers who ask all the time.

The tests tell one story, in order: a first version, a bad one that only production shows, a good one, its watch, and
the rollback.
"""

import json
import urllib.request
from contextlib import contextmanager

import pytest

from engine.conftest import ROOT, example, run
from gauntlet.demo.loans import generate, write_csv
from gauntlet.demo.production import production
from gauntlet.orchestration.record import RunState
from gauntlet.verdict import Status

pytestmark = pytest.mark.engine

REQUESTS = "gauntlet_router_requests_total{"
RATE = 80.0


class World:
    """A production, a registry, and the runs between them."""

    def __init__(self, folder, place):
        self.runs, self.place = folder, place
        self.rows = folder / "requests.csv"
        write_csv(generate(3, 1_000, 21, label=False), str(self.rows))

    def training(self, span):
        data = self.runs / f"loans-{span}.csv"
        write_csv(generate(span, 4_000, 20), str(data))
        return {
            **example("loans"),
            "data": [{"uri": str(data)}],
            "n_seeds": 1,
            "enforcement_policy": {"inconclusive": {"evaluate_slices": "warn"}, "advisory": ["evaluate_slices"]},
            "champion_policy": {"primary": {"metric": "auc", "margin": 0.1}},
        }

    def delivery(self):
        return {
            **example("loans-delivery"),
            "service": self.place.service,
            "staging": self.place.staging,
            "requests": [{"uri": str(self.rows)}],
            "shadow_seconds": 12,
            # A busy machine is slow everywhere, and a short shadow cannot tell: neither is what these tests are about.
            "enforcement_policy": {"error": "warn", "advisory": ["check_serving", "shadow"]},
        }

    def train(self, span, **recipe):
        trained = run({**self.training(span), **recipe}, self.runs)
        assert trained.state is RunState.PASSED, trained.messages
        return trained.task("register-model").results["Output"]

    def deliver(self, **more):
        return run({**self.delivery(), **more}, self.runs, "continuous_delivery")

    def train_and_deliver(self, span):
        training, delivery = self.training(span), self.delivery()
        policies = [training["enforcement_policy"], delivery["enforcement_policy"]]
        advisory = [gate for policy in policies for gate in policy["advisory"]]
        parameters = {
            **delivery,
            **training,
            "enforcement_policy": {**policies[0], **policies[1], "advisory": advisory},
        }
        return run(parameters, self.runs, "train_and_deliver")

    def ask(self, pipeline, **more):
        return run({"service": self.place.service, "model_name": "loan-repayment", **more}, self.runs, pipeline)

    def serves(self):
        return json.loads(self.told("/v1/state"))["desired"]["stable"]

    def asked(self, version):
        """Requests that the router has given a version since it runs."""
        lines = self.told("/metrics").splitlines()
        return sum(float(line.split()[-1]) for line in lines if line.startswith(REQUESTS) and f'"{version}"' in line)

    def told(self, path):
        about = json.loads((self.place.folder / "production" / "host.json").read_text())
        with urllib.request.urlopen(about["admin"] + path) as answer:
            return answer.read().decode()

    @contextmanager
    def callers(self):
        with self.place.traffic(self.rows, rate=RATE) as traffic:
            yield traffic


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    folder = tmp_path_factory.mktemp("delivery")
    python = ROOT / ".environments" / "serving" / "bin" / "python"
    with production(folder, python, example("loans-delivery")["served_as"]) as place:
        yield World(folder, place)


def test_data_become_the_first_version_which_is_tested_in_staging_and_installed(world):
    delivered = world.train_and_deliver(1)
    assert delivered.state is RunState.PASSED, delivered.messages
    contract = [c for c in delivered.verdict("check-serving").checks if c.name.startswith(("v1:", "v2:", "parity"))]
    assert len(contract) > 15
    assert {check.status for check in contract} == {Status.PASS}
    assert delivered.task("register-model").results["Output"] == "1"
    assert world.serves() == "1"
    assert delivered.registry("loan-repayment")["aliases"]["champion"] == "1"


def test_a_version_that_fails_in_production_alone_is_rolled_back_by_itself(world):
    version = world.train(2, recipe={"trainer": "gauntlet.demo.faulty:train", "options": {"fault": "errors"}})
    with world.callers() as callers:
        blocked = world.deliver(version=version)
    assert blocked.state is RunState.STOPPED, blocked.messages
    verdict = blocked.verdict("rollout-canary")
    assert verdict.status is Status.FAIL
    assert "errors" in verdict.summary
    assert "It was given" in verdict.summary
    assert 0 < verdict.facts["share_candidate"] < 0.25, "it never had more than its first step"
    assert verdict.facts["requests_candidate"] == world.asked(version), "not one of its requests is left out"
    assert blocked.task("promote").exit_code is None, "nothing was promoted"
    assert world.serves() == "1"
    assert blocked.registry("loan-repayment")["aliases"] == {"champion": "1"}, "it is nobody's challenger any more"
    failed = callers.counts()["errors"].get("status 500", 0)
    assert 0 < failed < 0.05 * callers.counts()["requests"]
    timeline = json.loads(blocked.path("rollout-canary", "timeline").read_text())
    assert timeline["phase"] == "rolled_back"
    assert timeline["entries"][0]["phase"] == "deploying"


def test_a_good_version_is_ramped_up_promoted_watched_and_rolled_back_on_demand(world):
    version = world.train(2, seed=8)
    with world.callers() as callers:
        delivered = world.deliver(version=version)
        assert delivered.state is RunState.PASSED, delivered.messages
        assert delivered.verdict("rollout-canary").status is Status.PASS
        assert world.serves() == version == "3"
        assert delivered.registry("loan-repayment")["aliases"] == {"champion": "3", "previous": "1"}

        again = world.deliver(version=version)
        assert again.state is RunState.PASSED, "delivered again, nothing changes"
        assert world.serves() == "3"

        watched = world.ask("deployment_watch", analysis=example("loans-delivery")["analysis"])
        assert watched.state is RunState.PASSED, watched.messages
        assert watched.task("verify-deployment").results["Output"] == "watching"

        back = world.ask("rollback", reason="The board wants it back.", rollout_plan={"interval_seconds": 1})
        assert back.state is RunState.PASSED, back.messages
        assert world.serves() == "1"
        assert back.registry("loan-repayment")["aliases"] == {"champion": "1"}
    assert callers.counts()["errors"] == {}, "nobody was without an answer"
