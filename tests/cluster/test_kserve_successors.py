"""A task that is killed holding the lease, and the next one, which is another process and has watched nobody yet."""

import pytest

from builders.deliverer import Delivery
from builders.kserve_rollouts import V1, V2, Ground
from builders.manifests import MANIFESTS, apply

pytestmark = pytest.mark.cluster

MODES = pytest.mark.parametrize("mode", ["Knative", "Standard"])


@pytest.fixture
def ground_of(api, tmp_path):
    """A ground on which nothing stands in a delivery's way, and how a delivery is begun there."""

    def made(mode):
        ground = Ground(api, mode)
        apply(api, MANIFESTS / "base", ground.namespace)
        ground.patch({"spec": {"predictor": {"minReplicas": 2, "model": {"runtime": "gauntlet-serving"}}}})
        ground.controller.settle()
        token = api.token(ground.namespace, "gauntlet-delivery")
        kubeconfig = api.kubeconfig(tmp_path / "kubeconfig", token)

        def begun(action, *options, release=V2, lease="2"):
            address = f"kserve:{ground.service}"
            return Delivery(address, action, release, "--lease", lease, *options, kubeconfig=kubeconfig)

        return ground, begun

    return made


def ended_well(delivery):
    """How it ended, after it waited for the one who died."""
    status, said = delivery.end()
    assert status == 0, said
    (heard,) = delivery.waited_for
    assert "is held by" in heard
    assert "within 2 s" in heard
    return delivery.lines[-1]


@MODES
@pytest.mark.parametrize("harm_from", ["101", "50"], ids=["good", "harmful"])
def test_a_rollout_is_gone_on_with_by_the_next_process(ground_of, mode, harm_from):
    ground, begun = ground_of(mode)
    with ground.controller.running(0.02):
        for turn in ("Deploying", "gets 10 %"):
            dying = begun("roll_out", "--harm-from", harm_from)
            dying.until(turn)
            dying.kill()
        ended = ended_well(begun("roll_out", "--harm-from", harm_from))
    assert ended == f"ended: {'promoted' if harm_from == '101' else 'rolled_back'}"
    assert ground.shares() == {("2" if harm_from == "101" else "1"): 100}


@MODES
def test_a_rollout_left_behind_is_rolled_back_by_the_next_process(ground_of, mode):
    ground, begun = ground_of(mode)
    with ground.controller.running(0.02):
        for words, turn in ((("roll_out", "--approve", "50"), "gets 10 %"), (("roll_back",), "turn: ")):
            dying = begun(*words)
            dying.until(turn)
            dying.kill()
        assert ended_well(begun("roll_back")) == "ended: rolled_back"
    assert ground.shares() == {"1": 100}


@MODES
def test_a_version_is_staged_by_the_next_process(ground_of, mode):
    ground, begun = ground_of(mode)
    dying = begun("deploy_to_staging")
    dying.until("turn: staging")
    while ground.get()["spec"]["predictor"]["model"]["storageUri"] != V2.uri:
        assert dying.process.poll() is None, dying.end()
    dying.kill()
    with ground.controller.running(0.02):
        assert ended_well(begun("deploy_to_staging")).startswith("ended: http://loans-")
    assert ground.shares() == {"2": 100}


@pytest.mark.parametrize("action", ["roll_out", "roll_back", "deploy_to_staging"])
def test_beside_one_that_lives_nobody_acts(ground_of, action):
    ground, begun = ground_of("Standard")
    with ground.controller.running(0.02):
        living = begun("roll_out", "--approve", "50", lease="100")  # a busy machine makes a turn long
        try:
            living.until("Waiting for approval of 50 %")
            beside = begun(action, release=V1 if action == "deploy_to_staging" else V2)
            status, said = beside.end()
        finally:
            living.kill()
    assert status == 3, beside.lines
    assert "its lease is held by another controller" in said
    assert ground.shares() == {"1": 90, "2": 10}
