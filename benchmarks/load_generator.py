"""The open-loop load generator against servers whose behavior is known, each in a process of its own.

    .venv/bin/python benchmarks/load_generator.py

1. A trivial server at 8,000 requests/s and more, from one process: is the rate kept, and what does a request cost?
2. A server that does nothing for 0.3 s of every 2 s, in an open loop and, beside it, in a closed one of eight clients.
3. A server that delays each answer by a draw from a known distribution: percentiles beside those of the draws.
4. Rates that cannot be kept, by the target and by the generator: both runs must call themselves invalid.
5. The highest rate a server keeps, beside what a closed loop gets out of it.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection

import httptools
import numpy as np
from machine import describe

from gauntlet.serving.load import Load, run
from gauntlet.serving.load_result import LoadResult, percentile, summarise
from gauntlet.serving.saturation import Limits, Search, saturation
from gauntlet.serving.timing import precise_loop

RATES = (8_000, 10_000, 12_000)
LEAST_RATE = 8_000
STALL_SECONDS, STALL_EVERY = 0.3, 2.0
BUSY_SECONDS = 0.002
MEDIAN_DELAY, DELAY_SIGMA, DELAYED = 0.020, 0.5, 20_000
TOLERANCE = 0.10
PERCENTILES = (50, 95, 99, 99.9)
HOST = "127.0.0.1"
ANSWER = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"
QUESTION = b"GET / HTTP/1.1\r\nhost: target\r\n\r\n"


def delays() -> np.ndarray:
    """(DELAYED,) seconds, lognormal."""
    return MEDIAN_DELAY * np.exp(DELAY_SIGMA * np.random.default_rng(17).standard_normal(DELAYED))


# -- targets ---------------------------------------------------------------------------------------------------------
class Target(asyncio.Protocol):
    """Answers at once; what else a server does is in its subclasses."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        self.parser = httptools.HttpRequestParser(self)

    def data_received(self, data: bytes) -> None:
        self.parser.feed_data(data)

    def on_message_complete(self) -> None:
        self.transport.write(ANSWER)


class Busy(Target):
    """Works on each request for BUSY_SECONDS, one after the other."""

    def on_message_complete(self) -> None:
        until = time.perf_counter() + BUSY_SECONDS
        while time.perf_counter() < until:
            pass
        self.transport.write(ANSWER)


class Delaying(Target):
    """Answers the i-th request after the i-th draw."""

    draws: Iterator[float] = iter(())

    def on_message_complete(self) -> None:
        asyncio.get_running_loop().call_later(next(Delaying.draws), self.transport.write, ANSWER)


def stall(loop: asyncio.AbstractEventLoop) -> None:
    time.sleep(STALL_SECONDS)
    loop.call_later(STALL_EVERY - STALL_SECONDS, stall, loop)


def serve(kind: str, port: Connection) -> None:
    async def forever() -> None:
        loop = asyncio.get_running_loop()
        target = {"busy": Busy, "delaying": Delaying}.get(kind, Target)
        Delaying.draws = iter(delays().tolist())
        server = await loop.create_server(target, HOST, 0, backlog=1024)
        port.send(server.sockets[0].getsockname()[1])
        if kind == "stalling":
            loop.call_later(STALL_EVERY, stall, loop)
        await server.serve_forever()

    with asyncio.Runner(loop_factory=precise_loop) as runner:
        runner.run(forever())


@contextmanager
def target(kind: str) -> Iterator[int]:
    """The port of a server in a child process."""
    spawn = multiprocessing.get_context("spawn")
    here, there = spawn.Pipe()
    process = spawn.Process(target=serve, args=(kind, there), daemon=True)
    process.start()
    try:
        yield here.recv()
    finally:
        process.kill()
        process.join()


# -- a closed loop, for comparison -----------------------------------------------------------------------------------
def closed_loop(port: int, *, clients: int, seconds: float) -> np.ndarray:
    """Seconds of each answer to clients that ask, wait and ask again."""
    times: list[float] = []

    async def client(until: float) -> None:
        reader, writer = await asyncio.open_connection(HOST, port)
        while (start := time.perf_counter()) < until:
            writer.write(QUESTION)
            await reader.readexactly(len(ANSWER))
            times.append(time.perf_counter() - start)
        writer.close()

    async def everybody() -> None:
        until = time.perf_counter() + seconds
        await asyncio.gather(*(client(until) for _ in range(clients)))

    asyncio.run(everybody())
    return np.array(times)


# -- what is shown ---------------------------------------------------------------------------------------------------
def milliseconds(values: np.ndarray) -> str:
    return ", ".join(f"p{q:g} {percentile(values, q) * 1e3:.1f}" for q in PERCENTILES) + " ms"


def report(name: str, measured: LoadResult) -> None:
    figures = summarise(measured)
    state = "valid" if figures.valid else "INVALID: " + " ".join(figures.faults)
    print(
        f"  {name}: sent {figures.achieved_rate:,.0f}/s, latency {milliseconds(measured.latency)}, "
        f"own lag p99 {figures.lag_p99 * 1e3:.1f} ms, errors {figures.errors or 'none'}; {state}"
    )


def fast() -> bool:
    kept = False
    with target("trivial") as port:
        for rate in RATES:
            before = time.process_time()
            measured = run(Load(rate=rate, seconds=10), HOST, port)
            spent = (time.process_time() - before) / len(measured.intended)
            report(f"{rate:,}/s ({spent * 1e6:.0f} µs of processor a request)", measured)
            kept |= rate >= LEAST_RATE and summarise(measured).valid and not measured.errors
    return kept


def honest() -> bool:
    with target("stalling") as port:
        measured = run(Load(rate=1_000, seconds=20), HOST, port)
    with target("stalling") as port:
        closed = closed_loop(port, clients=8, seconds=20)
    report("open loop", measured)
    print(f"  its service time alone: {milliseconds(measured.service[~np.isnan(measured.sent)])}")
    print(f"  closed loop of 8 clients, {len(closed):,} requests: {milliseconds(closed)}")
    return abs(percentile(measured.latency, 99) / STALL_SECONDS - 1) < 0.2


def exact() -> bool:
    with target("delaying") as port:
        measured = run(Load(rate=DELAYED / 20, seconds=20, connections=256), HOST, port)
    report("measured", measured)
    print(f"  injected: {milliseconds(delays())}")
    ratios = [percentile(measured.latency, q) / percentile(delays(), q) for q in PERCENTILES]
    print(f"  ratios: {', '.join(f'{ratio:.3f}' for ratio in ratios)}")
    return max(abs(ratio - 1) for ratio in ratios) <= TOLERANCE


def unkept() -> bool:
    with target("busy") as port:
        beyond_target = run(Load(rate=1.5 / BUSY_SECONDS, seconds=5), HOST, port)
    with target("trivial") as port:
        beyond_generator = run(Load(rate=60_000, seconds=3), HOST, port)
    report("beyond the target", beyond_target)
    report("beyond the generator", beyond_generator)
    return bool(beyond_target.faults() and beyond_generator.faults())


def saturated() -> bool:
    with target("busy") as port:
        closed = len(closed_loop(port, clients=8, seconds=5)) / 5
        found = saturation(
            lambda rate: summarise(run(Load(rate=rate, seconds=4), HOST, port)),
            Limits(p99=0.5),
            Search(start=100, precision=0.1),
        )
    for trial in found.trials:
        print(f"  {trial.rate:,.0f}/s: {'kept' if trial.kept else ' '.join(trial.broke)}")
    print(f"  kept {found.kept or 0:,.0f}/s, not {found.broken or 0:,.0f}/s; a closed loop gets {closed:,.0f}/s")
    return 0.7 * closed <= (found.kept or 0.0) <= 1.1 * closed


PARTS: dict[str, Callable[[], bool]] = {
    f"At least {LEAST_RATE:,} requests/s from one process": fast,
    f"A stall of {STALL_SECONDS} s every {STALL_EVERY:.0f} s reads as about that at p99": honest,
    f"Percentiles within {TOLERANCE:.0%} of injected delays": exact,
    "Rates that cannot be kept are invalid": unkept,
    "The saturation point is about what a closed loop gets": saturated,
}


def main(wanted: list[str]) -> int:
    """Run the parts whose number is wanted, or all; 1 if one fails."""
    print(describe())
    failed = []
    for number, (name, part) in enumerate(PARTS.items(), start=1):
        if not wanted or str(number) in wanted:
            print(f"{number}. {name}")
            held = part()
            print("  holds" if held else "  DOES NOT HOLD")
            if not held:
                failed.append(name)
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
