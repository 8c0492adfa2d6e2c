"""Copies: never the caller's burden, compared request by request, counted whatever becomes of them."""

from __future__ import annotations

import itertools
import json
import time

import pytest

from builders.local import ROW, Running, ask, hosting, stub, wait_for
from gauntlet.delivery.rollout.state import begin
from gauntlet.delivery.targets.local import transitions
from gauntlet.delivery.targets.local.client.mirror import LocalMirror
from gauntlet.delivery.targets.local.server.mirror import MOST_BYTES, MOST_KEPT, MOST_WAITING
from gauntlet.errors import DependencyError

NUMBERS = itertools.count(2)


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory):
    with hosting(tmp_path_factory.mktemp("mirror") / "loans") as one:
        yield one


@pytest.fixture
def mirrored(host: Running):
    """A function that mirrors a stub told so, under a version of the test's own."""
    number = f"m{next(NUMBERS)}"

    def mirror(share: float = 1.0, stable: dict | None = None, **told: object) -> str:
        host.installed(stub(host.folder, "1", **(stable or {})))
        candidate = stub(host.folder, number, **told)
        host.client.change(lambda now: transitions.shadow(now, candidate, share))
        wait_for(lambda: host.client.state().revisions[number].ready)
        return number

    yield mirror
    host.client.change(lambda now: transitions.roll_back(now, now.served))


def counts(host: Running) -> dict[str, float]:
    return dict(host.client.mirror()["counts"])


def settled(host: Running, copies: int) -> dict[str, float]:
    wait_for(lambda: counts(host)["requests"] + counts(host)["dropped"] >= copies)
    return counts(host)


def seen(**found: float) -> dict[str, float]:
    names = (
        "requests",
        "pairs",
        "flips",
        "incomparable",
        "dropped",
        "lost_by_candidate",
        "lost_by_stable",
        "lost_by_both",
    )
    return {name: found.get(name, 0.0) for name in names}


@pytest.mark.parametrize(
    ("stable", "candidate", "expected"),
    [
        ({"score": 0.25}, {"score": 0.25}, {"pairs": 10}),
        ({"score": 0.25}, {"score": 0.375}, {"pairs": 10}),
        ({"score": 0.25}, {"score": 0.75}, {"pairs": 10, "flips": 10}),
        ({"score": 0.25}, {"score": [0.1, 0.2, 0.7]}, {"pairs": 10, "flips": 10, "incomparable": 10}),
        ({"score": 0.25}, {"status": 500}, {"lost_by_candidate": 10}),
        ({"score": 0.25}, {"seconds": 600}, {"lost_by_candidate": 10}),
        ({"score": 0.25}, {"status": 400}, {"lost_by_candidate": 10}),
        ({"status": 500}, {"score": 0.25}, {"lost_by_stable": 10}),
        ({"status": 500}, {"status": 503}, {"lost_by_both": 10}),
        ({"status": 400}, {"status": 400}, {}),
    ],
    ids=["same", "near", "flip", "form", "fails", "late", "refuses", "stable fails", "both fail", "both refuse"],
)
def test_what_becomes_of_copies(host, mirrored, stable, candidate, expected):
    version = mirrored(stable=stable, **candidate)
    answered = [host.ask() for _ in range(10)]
    assert {one.version for one in answered} == {"1"}
    assert {one.status for one in answered} == {stable.get("status", 200)}
    assert settled(host, 10) == seen(requests=10, **expected)
    pairs = expected.get("pairs", 0)
    page = host.client.metrics()
    for arm in ("candidate", "stable"):
        assert f'gauntlet_mirror_seconds_count{{arm="{arm}",version="{version}"}} {float(pairs)}' in page


def test_of_many_rows_one_is_enough_for_a_flip_and_each_is_in_the_histograms(host, mirrored):
    version = mirrored(score=0.75)
    for _ in range(10):
        host.ask(json.dumps({"instances": [1] * 5}).encode())
    assert settled(host, 10) == seen(requests=10, pairs=10, flips=10)
    assert f'gauntlet_mirror_difference_count{{version="{version}"}} 50.0' in host.client.metrics()


def test_the_largest_disagreements_are_kept_without_rows(host, mirrored):
    mirrored(score=0.75)
    for score in (0.5, 0.25, 0.125):
        stub(host.folder, "1", score=score)
        for _ in range(MOST_KEPT):
            host.ask()
    settled(host, 3 * MOST_KEPT)
    worst = host.client.mirror()["worst"]
    assert len(worst) == MOST_KEPT
    assert {one["difference"] for one in worst} == {0.625}
    assert set(worst[0]) == {"at", "row", "flip", "difference", "scores"}


def test_a_share_is_copied(host, mirrored):
    mirrored(share=0.5)
    for _ in range(200):
        host.ask()
    before = -1.0
    while counts(host)["requests"] != before:  # until nothing is under way
        before = counts(host)["requests"]
        time.sleep(0.5)
    assert 50 < before < 150


def test_callers_never_wait_for_who_is_mirrored_and_what_finds_no_room_is_counted(host, mirrored):
    """It takes longer than the host is patient: were callers to wait for a single copy, they would see 504."""
    mirrored(seconds=600)
    asked = MOST_WAITING + 50
    assert {host.ask().status for _ in range(asked)} == {200}
    assert counts(host)["dropped"] > 0


def test_a_request_too_long_to_be_kept_is_not_copied(host, mirrored):
    mirrored()
    long = json.dumps({"instances": [1], "padding": "x" * MOST_BYTES}).encode()
    assert host.ask(long).status == 200
    assert settled(host, 1) == seen(dropped=1)


def test_nothing_but_predictions_is_copied(host, mirrored):
    mirrored()
    assert ask(host.port, None, "/v2/models/model/versions/1", "GET").status == 200
    host.ask(ROW)
    assert settled(host, 1) == seen(requests=1, pairs=1)


def test_without_a_mirror_there_is_nothing_to_tell(host):
    host.installed(stub(host.folder, "1"))
    assert host.client.mirror() == {"mirror": None, "counts": {}, "worst": []}


def test_a_host_that_was_started_again_has_lost_the_counts_however_many_it_has_by_now(tmp_path):
    with hosting(tmp_path / "loans") as host:
        stable = host.installed(stub(host.folder, "1"))
        rollout = begin("loans", stub(host.folder, "2"), stable, 0.0)
        mirror = LocalMirror(host.client)

        def copied(least: int) -> int:
            host.ask()
            return counts(host)["requests"] >= least

        mirror.start(rollout, 1.0)
        wait_for(lambda: host.client.state().revisions["2"].ready)
        wait_for(lambda: copied(1))
        before = mirror.counts(rollout).pairs
        host.kill()
        host.start()
        wait_for(lambda: host.service.handle.ready(stable) and host.client.state().revisions["2"].ready)
        wait_for(lambda: copied(before + 1))
        with pytest.raises(DependencyError, match="was restarted, so the counts of the shadow are lost"):
            mirror.counts(rollout)
