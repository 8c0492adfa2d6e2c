"""Routes requests to versions by the weights in force; every answer names the version it came from."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from random import Random

from gauntlet.delivery.targets.local.server.http_client import NoAnswer, Pool, Reply, message
from gauntlet.delivery.targets.local.server.http_server import RETRY_SOON, Answer, Request, Respond, json_answer
from gauntlet.delivery.targets.local.server.metrics import Family
from gauntlet.delivery.targets.local.server.mirror import Copied, Mirroring
from gauntlet.delivery.targets.local.server.paths import way_of
from gauntlet.delivery.targets.local.server.weights import Splitter
from gauntlet.serving.local_only import foreign

VERSION_HEADER = b"x-gauntlet-version"
"""Names the version that a request was routed to; ``none`` where no version serves."""


class Router:
    """Routes callers' requests to versions.

    Args:
        family: the series that count it.
        mirroring: gets copies of the stable version's requests.
        random: orders the requests of a block.
        seconds: how long an answer may take.
    """

    most_waiting = 480
    """Requests under way; further ones are refused."""

    def __init__(self, family: Family, mirroring: Mirroring, random: Random, *, seconds: float = 30.0) -> None:
        self._family = family
        self._mirroring = mirroring
        self._splitter = Splitter(random)
        self._seconds = seconds
        self._stable: str | None = None
        self._pools: Mapping[str, Pool] = {}
        self._asked: dict[Pool, int] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def weights(self) -> Mapping[str, int]:
        """Version → percent of requests, in force."""
        return self._splitter.weights

    @property
    def under_way(self) -> int:
        """Requests being answered."""
        return len(self._tasks)

    def set(self, weights: Mapping[str, int], stable: str | None, pools: Mapping[str, Pool]) -> None:
        """Route by these weights from the next request on.

        Args:
            weights: version → percent, summing to 100; empty if nothing serves.
            stable: the version whose requests are copied.
            pools: version → its server, where it has one.
        """
        self._splitter.set(weights)
        self._stable = stable
        self._pools = dict(pools)
        self._family.weigh(weights)

    def asked(self, pool: Pool) -> int:
        """Requests under way at a server, also at one that gets no more."""
        return self._asked.get(pool, 0)

    def handle(self, request: Request, respond: Respond) -> None:
        """Answer one request."""
        if problem := foreign(request.headers):
            respond(_labelled(json_answer(403, {"error": problem}), "none"))
            return
        way = way_of(request.target)
        if way is None:
            respond(_labelled(json_answer(404, {"error": "there is nothing at this path"}), "none"))
            return
        if request.method not in way.methods:
            only = b", ".join(way.methods)
            wrong = json_answer(405, {"error": f"this path takes {only.decode()}"}, (b"allow", only))
            respond(_labelled(wrong, "none"))
            return
        if len(self._tasks) >= self.most_waiting:
            busy = json_answer(503, {"error": f"{len(self._tasks)} requests are under way; try again"}, RETRY_SOON)
            respond(_labelled(busy, "none"))
            return
        request.target = way.target
        version = self._splitter.next()
        if version is None:
            unready = json_answer(503, {"error": "no version serves yet"}, RETRY_SOON)
            respond(_labelled(unready, "none"))
            return
        # Chosen and counted in one step, so that draining the version waits for this request.
        pool = self._pools.get(version)
        if pool is not None:
            self._asked[pool] = self._asked.get(pool, 0) + 1
        task = asyncio.get_running_loop().create_task(self._answer(version, pool, request, respond, way.predicts))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _answer(
        self, version: str, pool: Pool | None, request: Request, respond: Respond, predicts: bool
    ) -> None:
        began = time.perf_counter()
        count = self._family.of(version)
        sent = message(request)
        copy_to = self._mirroring.wanted(len(sent)) if version == self._stable and predicts else None
        count.in_flight.inc()
        reply, answer = await self._ask(pool, version, sent)
        seconds = time.perf_counter() - began
        count.in_flight.dec()
        count.record(answer.status, seconds)
        respond(_labelled(answer, version))
        if copy_to is not None:
            self._mirroring.offer(copy_to, Copied(sent, reply, seconds))

    async def _ask(self, pool: Pool | None, version: str, sent: bytes) -> tuple[Reply | None, Answer]:
        if pool is None:
            return None, json_answer(503, {"error": f"version {version} is not ready"}, RETRY_SOON)
        try:
            reply = await pool.ask(sent, self._seconds)
        except TimeoutError:
            timeout = f"version {version} did not answer within {self._seconds:g} s"
            return None, json_answer(504, {"error": timeout})
        except NoAnswer:
            return None, json_answer(502, {"error": f"version {version} broke off"})
        finally:
            self._asked[pool] -= 1
            if not self._asked[pool]:
                del self._asked[pool]
        return reply, Answer(reply.status, reply.body, reply.headers)


def _labelled(answer: Answer, version: str) -> Answer:
    kept = [header for header in answer.headers if header[0] != VERSION_HEADER]
    return Answer(answer.status, answer.body, (*kept, (VERSION_HEADER, version.encode())))
