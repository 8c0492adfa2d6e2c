"""Splitting: in every block exactly the weights, in no order that could be guessed."""

from __future__ import annotations

import math
from collections import Counter
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from gauntlet.delivery.targets.local.server.weights import Splitter

BLOCK = 100
"""Requests a block: one a percent."""
PERCENTS = st.integers(0, 100)


def weights(percent: int) -> dict[str, int]:
    return {version: share for version, share in (("stable", 100 - percent), ("candidate", percent)) if share}


@given(percent=PERCENTS, seed=st.integers(), blocks=st.integers(1, 4))
def test_every_block_has_exactly_its_shares(percent, seed, blocks):
    splitter = Splitter(Random(seed))
    splitter.set(weights(percent))
    for _ in range(blocks):
        assert Counter(splitter.next() for _ in range(BLOCK)) == Counter(weights(percent))


@given(steps=st.lists(st.tuples(PERCENTS, st.integers(0, 250)), max_size=12), seed=st.integers())
def test_however_weights_change_no_version_gets_more_than_its_share_of_the_blocks_begun(steps, seed):
    splitter, before, answered, allowed = Splitter(Random(seed)), None, 0, 0
    pending = 0
    for percent, requests in steps:
        if percent != before:
            allowed, pending, before = allowed + math.ceil(pending / BLOCK) * (before or 0), 0, percent
        splitter.set(weights(percent))
        answered += sum(splitter.next() == "candidate" for _ in range(requests))
        pending += requests
        assert answered <= allowed + math.ceil(pending / BLOCK) * percent


def test_the_same_weights_again_begin_no_new_block():
    splitter = Splitter(Random(1))
    seen = Counter()
    for _ in range(BLOCK):
        splitter.set(weights(1))
        seen[splitter.next()] += 1
    assert seen == {"stable": 99, "candidate": 1}


def test_the_order_within_blocks_follows_the_seed_and_differs_between_blocks():
    def blocks(seed):
        splitter = Splitter(Random(seed))
        splitter.set(weights(30))
        return [tuple(splitter.next() for _ in range(BLOCK)) for _ in range(3)]

    assert blocks(1) == blocks(1)
    assert blocks(1) != blocks(2)
    assert len(set(blocks(1))) == 3


def test_every_place_of_a_block_may_be_the_candidate_s():
    splitter = Splitter(Random(0))
    splitter.set(weights(1))
    places = {[splitter.next() for _ in range(BLOCK)].index("candidate") for _ in range(2_000)}
    assert places == set(range(BLOCK))


def test_nobody_answers_where_nobody_has_a_share():
    splitter = Splitter(Random(0))
    assert splitter.next() is None
    splitter.set(weights(100))
    assert splitter.next() == "candidate"
    splitter.set({})
    assert splitter.next() is None
