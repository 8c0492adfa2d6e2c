"""Mirrors the stable version's requests to a version under test and compares both answers.

The caller has its answer before anything of this happens. The queue is bounded, in number and in bytes; beyond that
requests are not copied, but counted as dropped.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
import time
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Any

from gauntlet.delivery.targets.local.server.comparison import Incomparable, Pair, compare
from gauntlet.delivery.targets.local.server.http_client import NoAnswer, Pool, Reply
from gauntlet.delivery.targets.local.server.metrics import Family, Pairs
from gauntlet.delivery.targets.local.spec import Mirror

MOST_WAITING = 256
"""Longest queue of copies."""
MOST_BYTES = 1024 * 1024
"""Largest request that is copied."""
AT_ONCE = 4
"""Copies under way at a time."""
MOST_KEPT = 20
"""Number of the largest disagreements that are kept, for debugging."""
_LARGE = 64 * 1024
"""Bytes of answers from which they are compared in a thread: parsing them would block the event loop too long."""


@dataclass(frozen=True, slots=True)
class Copied:
    """A request to the stable version, with its outcome.

    Attributes:
        sent: the whole request.
        reply: the stable version's answer; ``None`` if it gave none.
        seconds: how long it took.
    """

    sent: bytes
    reply: Reply | None
    seconds: float


class Mirroring:
    """Sends copies of the stable version's requests to the mirrored version, and compares the answers.

    Args:
        pool_of: a version's server; ``None`` while it has none.
        family: the series that count it.
        random: draws the requests that are copied.
        threshold: scores at or above it decide for the class.
        seconds: how long a copy may take.
    """

    def __init__(
        self,
        pool_of: Callable[[str], Pool | None],
        family: Family,
        random: Random,
        *,
        threshold: float = 0.5,
        seconds: float = 30.0,
    ) -> None:
        self._pool_of = pool_of
        self._family = family
        self._random = random
        self._threshold = threshold
        self._seconds = seconds
        self._mirror: Mirror | None = None
        self._waiting: asyncio.Queue[tuple[str, Copied]] = asyncio.Queue(MOST_WAITING)
        self._order = itertools.count()
        self._worst: dict[str, list[tuple[float, int, dict[str, Any]]]] = {}

    def set(self, mirror: Mirror | None) -> None:
        """Copy to this version from the next request on."""
        self._mirror = mirror
        if mirror is not None:
            self._family.pairs_of(mirror.version)

    def wanted(self, size: int) -> str | None:
        """Draw whether a request of so many bytes is copied: to which version, or ``None``."""
        mirror = self._mirror
        if mirror is None or self._random.random() >= mirror.share:
            return None
        if size > MOST_BYTES:
            self._family.pairs_of(mirror.version).dropped.inc()
            return None
        return mirror.version

    def offer(self, version: str, copied: Copied) -> None:
        """Queue a copy, or count it as dropped where the queue is full."""
        try:
            self._waiting.put_nowait((version, copied))
        except asyncio.QueueFull:
            self._family.pairs_of(version).dropped.inc()

    async def run(self) -> None:
        """Send the queued copies, until cancelled."""
        async with asyncio.TaskGroup() as group:
            for _ in range(AT_ONCE):
                group.create_task(self._copy())

    def worst(self, version: str) -> list[dict[str, Any]]:
        """The largest disagreements, largest first: the two scores, never the row they belong to."""
        return [disagreement for _, _, disagreement in sorted(self._worst.get(version, []), reverse=True)]

    async def _copy(self) -> None:
        while True:
            version, copied = await self._waiting.get()
            mirror, pool = self._mirror, self._pool_of(version)
            if mirror is None or mirror.version != version:
                continue  # mirrored no longer
            await self._ask(self._family.pairs_of(version), version, pool, copied)

    async def _ask(self, pairs: Pairs, version: str, pool: Pool | None, copied: Copied) -> None:
        began = time.perf_counter()
        reply: Reply | None = None
        try:
            if pool is not None:
                reply = await pool.ask(copied.sent, self._seconds)
        except (TimeoutError, NoAnswer):
            pass  # counted as lost
        seconds = time.perf_counter() - began
        pairs.requests.inc()
        lost = _lost(copied.reply, reply)
        if lost:
            pairs.errors[lost].inc()
            return
        assert copied.reply is not None
        assert reply is not None
        if copied.reply.status != reply.status:
            pairs.errors["candidate"].inc()  # one of the two refuses the request
            return
        if reply.status != 200:
            return  # both refuse it alike: the caller's error, no evidence on the model
        pairs.pairs.inc()
        pairs.seconds["stable"].observe(copied.seconds)
        pairs.seconds["candidate"].observe(seconds)
        await self._compare(pairs, version, copied.reply.body, reply.body)

    async def _compare(self, pairs: Pairs, version: str, stable: bytes, candidate: bytes) -> None:
        try:
            if len(stable) + len(candidate) > _LARGE:
                rows = await asyncio.to_thread(compare, stable, candidate, self._threshold)
            else:
                rows = compare(stable, candidate, self._threshold)
        except Incomparable:
            pairs.incomparable.inc()
            pairs.flips.inc()
            return
        if any(pair.flip for pair in rows):
            pairs.flips.inc()
        for row, pair in enumerate(rows):
            _count(pairs, pair)
            if pair.difference > 0:
                self._keep(version, row, pair)

    def _keep(self, version: str, row: int, pair: Pair) -> None:
        kept = self._worst.setdefault(version, [])
        if len(kept) == MOST_KEPT and pair.difference <= kept[0][0]:
            return
        scores = None if pair.scores is None else {"stable": pair.scores[0], "candidate": pair.scores[1]}
        disagreement = {
            "at": time.time(),
            "row": row,
            "flip": pair.flip,
            "difference": pair.difference,
            "scores": scores,
        }
        heapq.heappush(kept, (pair.difference, next(self._order), disagreement))
        if len(kept) > MOST_KEPT:
            heapq.heappop(kept)


def _lost(stable: Reply | None, candidate: Reply | None) -> str:
    """The versions that did not answer: ``stable``, ``candidate``, ``both``; empty where both did."""
    lost = [name for name, reply in (("stable", stable), ("candidate", candidate)) if _failed(reply)]
    return "both" if len(lost) == 2 else "".join(lost)


def _failed(reply: Reply | None) -> bool:
    return reply is None or reply.status >= 500


def _count(pairs: Pairs, pair: Pair) -> None:
    pairs.difference.observe(pair.difference)
    if pair.scores is not None:
        pairs.scores["stable"].observe(pair.scores[0])
        pairs.scores["candidate"].observe(pair.scores[1])
