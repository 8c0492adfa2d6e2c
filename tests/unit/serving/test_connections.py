"""Who is let in, who has to go, and what they may hold; by a clock of its own."""

from __future__ import annotations

import resource

import pytest

from gauntlet.serving.connections import (
    FREE_BYTES,
    FULL,
    Budget,
    Doorkeeper,
    Patience,
    Phase,
    Share,
    allow_files,
    refusal_of,
)

PATIENCE = Patience(connections=3, head_seconds=10, body_seconds=20, idle_seconds=60)


class Caller:
    def __init__(self) -> None:
        self.reasons: list[str] = []

    def turn_away(self, reason: str) -> None:
        self.reasons.append(reason)


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def keeper(clock: Clock) -> Doorkeeper:
    return Doorkeeper(PATIENCE, clock)


@pytest.mark.parametrize(
    ("phases", "seconds"),
    [
        ([], 10),
        ([Phase.HEAD], 10),
        ([Phase.HEAD, Phase.BODY], 20),
        ([Phase.BODY, Phase.BUSY, Phase.IDLE], 60),
        ([Phase.BODY, Phase.BUSY, Phase.IDLE, Phase.HEAD], 10),
        ([Phase.BODY, Phase.BUSY, Phase.READ], 20),
    ],
)
def test_every_phase_that_waits_for_the_caller_ends(
    keeper: Doorkeeper, clock: Clock, phases: list[Phase], seconds: float
) -> None:
    caller = Caller()
    keeper.opened(caller)
    for phase in phases:
        clock.now += 5
        keeper.moved(caller, phase)
    clock.now += seconds
    keeper.sweep()
    assert caller.reasons == []
    clock.now += 0.1
    keeper.sweep()
    keeper.sweep()
    assert caller.reasons == [phases[-1] if phases else Phase.HEAD]
    assert sum(keeper.turned_away.values()) == 1


def test_who_waits_for_the_server_is_never_closed(keeper: Doorkeeper, clock: Clock) -> None:
    callers = [Caller() for _ in range(3)]
    for caller in callers:
        assert keeper.opened(caller)
        keeper.moved(caller, Phase.BUSY)
    clock.now += 1e6
    keeper.sweep()
    assert not keeper.opened(Caller())
    assert [caller.reasons for caller in callers] == [[]] * 3
    keeper.closed(callers[0])
    assert keeper.opened(Caller())


def test_at_the_limit_the_longest_waiting_makes_room_and_who_was_answered_before_goes_last(keeper: Doorkeeper) -> None:
    regular, slow, slower = Caller(), Caller(), Caller()
    for caller in (regular, slower, slow):
        keeper.opened(caller)
    for phase in (Phase.BODY, Phase.BUSY, Phase.IDLE):
        keeper.moved(regular, phase)
    keeper.moved(slow, Phase.BODY)
    others = [Caller() for _ in range(3)]
    assert all(keeper.opened(other) for other in others)
    assert (slower.reasons, slow.reasons, others[0].reasons) == ([FULL], [FULL], [FULL])
    assert regular.reasons == []
    for other in others[1:]:
        keeper.moved(other, Phase.BUSY)
    assert keeper.opened(Caller())
    assert regular.reasons == [FULL]


def test_a_caller_that_was_turned_away_is_forgotten(keeper: Doorkeeper, clock: Clock) -> None:
    caller = Caller()
    keeper.opened(caller)
    clock.now = 11
    keeper.sweep()
    keeper.moved(caller, Phase.BODY)
    keeper.closed(caller)
    clock.now = 100
    keeper.sweep()
    assert caller.reasons == [Phase.HEAD]


def test_bodies_share_a_budget_of_which_the_first_bytes_are_free() -> None:
    budget = Budget(100)
    one, two = Share(budget), Share(budget)
    assert one.take(FREE_BYTES)
    assert budget.held == 0
    assert one.take(60)
    assert not two.take(FREE_BYTES + 41)
    assert budget.held == 60
    other = Share(budget)
    assert other.take(FREE_BYTES + 40)
    for share in (one, two, other, one):
        share.release()
    assert budget.held == 0
    assert budget.used


@pytest.mark.parametrize(
    ("reason", "status"), [(Phase.HEAD, 408), (Phase.BODY, 408), (FULL, 503), (Phase.IDLE, None), (Phase.READ, None)]
)
def test_what_a_caller_that_is_turned_away_is_told(reason: str, status: int | None) -> None:
    refusal = refusal_of(reason, PATIENCE)
    assert (refusal[0] if refusal else None) == status


def test_no_more_connections_than_the_system_allows_files(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    monkeypatch.setattr(resource, "setrlimit", lambda _, limits: asked.append(limits))
    monkeypatch.setattr(resource, "getrlimit", lambda _: (256, 20_000))
    assert allow_files(512) == 512
    assert asked == [(1536, 20_000)]
    monkeypatch.setattr(resource, "getrlimit", lambda _: (256, 256))
    assert allow_files(512) == 128
    monkeypatch.setattr(resource, "getrlimit", lambda _: (65_536, resource.RLIM_INFINITY))
    assert allow_files(512) == 512
    assert len(asked) == 1
