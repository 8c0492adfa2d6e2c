"""Weighted routing: in random order, and exactly by the weights in every block of 100 requests.

Independent draws would give a version of 1 % now and then 5 of 100 requests, and a small canary would be small on
average only. Within a block the order is random, so no pattern of requests can line up with it.
"""

from __future__ import annotations

from collections.abc import Mapping
from random import Random


class Splitter:
    """Assigns blocks of requests to versions.

    Args:
        random: shuffles every block.
    """

    def __init__(self, random: Random) -> None:
        self._random = random
        self._weights: dict[str, int] = {}
        self._block: list[str] = []

    @property
    def weights(self) -> Mapping[str, int]:
        """Version → percent, as assigned now; empty before the first."""
        return self._weights

    def set(self, weights: Mapping[str, int]) -> None:
        """Assign by these weights from the next request on; the same weights again change nothing.

        Args:
            weights: version → percent, above 0, summing to 100; or empty, for none.
        """
        if dict(weights) != self._weights:
            self._weights = dict(weights)
            self._block = []

    def next(self) -> str | None:
        """The version that answers the next request; ``None`` if there is none."""
        if not self._block:
            self._block = [version for version, percent in self._weights.items() for _ in range(percent)]
            self._random.shuffle(self._block)
        return self._block.pop() if self._block else None
