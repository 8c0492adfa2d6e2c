"""Approvals and refusals."""

import pytest

from builders.memory_registry import MemoryStore
from builders.memory_service import V1
from gauntlet.delivery.rollout.approvals import Approval, approved_step, combine_approvals, no_approvals, tag_approvals
from gauntlet.delivery.rollout.state import begin
from gauntlet.errors import DependencyError
from gauntlet.registry.store import DIGEST_TAG

ROLLOUT = begin("prices", V1, V1, 0.0)


@pytest.mark.parametrize(
    ("tags", "said"),
    [
        ({}, (0, "")),
        ({"gauntlet.approve": "50 %"}, (50, "")),
        ({"gauntlet.approve": "soon", "gauntlet.abort": " complaints "}, (0, "complaints")),
    ],
)
def test_tags_of_the_version_speak(tags, said):
    store = MemoryStore()
    store.create("prices", {}, {DIGEST_TAG: "sha256:1", **tags}, "")
    assert tag_approvals(store, "prices")(ROLLOUT) == said


def test_a_registry_that_does_not_answer_says_nothing():
    class Down(MemoryStore):
        def get(self, name, number):
            raise DependencyError("does not answer", field="registry", mend="Wait")

    assert tag_approvals(Down(), "prices")(ROLLOUT) == (0, "")


def test_the_furthest_approval_and_any_abort_count():
    assert combine_approvals(no_approvals, lambda r: Approval(25), lambda r: Approval(50, "no"))(ROLLOUT) == (50, "no")
    assert combine_approvals()(ROLLOUT) == (0, "")


def test_more_than_everything_is_everything():
    assert approved_step("400") == 100
