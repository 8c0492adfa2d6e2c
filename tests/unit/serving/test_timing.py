import asyncio
import gc
import socket

import pytest

from gauntlet.serving.timing import paused_gc, precise_loop


def test_timers_fire_in_order_never_early_and_sockets_are_seen():
    async def wait():
        loop, fired = asyncio.get_running_loop(), []
        start = loop.time()
        for delay in (0.003, 0.001, 0.0002, 0.0):
            loop.call_at(start + delay, lambda delay=delay: fired.append((delay, loop.time() - start)))
        here, there = socket.socketpair()
        with here, there:
            there.setblocking(False)
            loop.call_later(0.002, here.send, b"seen")
            assert await loop.sock_recv(there, 10) == b"seen"
        await asyncio.sleep(0.005)
        return fired

    with asyncio.Runner(loop_factory=precise_loop) as runner:
        fired = runner.run(wait())
    assert [delay for delay, _ in fired] == [0.0, 0.0002, 0.001, 0.003]
    assert all(at >= delay - 1e-6 for delay, at in fired)


def test_the_collector_rests_and_is_left_as_it_was_even_after_an_error():
    with pytest.raises(KeyError), paused_gc():
        assert not gc.isenabled()
        assert gc.get_freeze_count() > 0
        raise KeyError
    assert gc.isenabled()
    assert gc.get_freeze_count() == 0


def test_what_others_have_frozen_stays_frozen():
    gc.freeze()
    try:
        with paused_gc():
            pass
        assert gc.get_freeze_count() > 0
    finally:
        gc.unfreeze()
