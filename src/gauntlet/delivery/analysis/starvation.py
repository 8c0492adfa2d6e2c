"""A candidate that answers far less than its share: what hangs is in no counter of answers."""

from __future__ import annotations

from gauntlet.delivery.analysis.state import Memory

LEAST_EXPECTED = 20.0
"""Requests the candidate should have answered; fewer are no sign of anything."""


def starved(memory: Memory, weight: int, least_share: float) -> str:
    """Why the candidate seems to hang, or not to be reached; empty where it answers its share.

    Both the step so far and its newest interval are looked at: what hangs after a good start shows in the interval.

    Args:
        memory: with the counts of the step.
        weight: percent of requests the candidate should have.
        least_share: part of that below which it is starved, in [0, 1].
    """
    for where, (candidate, stable) in (("at this step", memory.counted), ("since the last look", memory.recent)):
        answered = candidate + stable
        expected = answered * weight / 100
        if expected >= LEAST_EXPECTED and candidate < least_share * expected:
            return (
                f"the candidate answered {candidate:,.0f} of {answered:,.0f} requests {where}, and about "
                f"{expected:,.0f} were meant for it; {memory.in_flight:,.0f} are in flight"
            )
    if memory.in_flight and not memory.recent[0]:
        return f"the candidate answered nothing since the last look, and {memory.in_flight:,.0f} requests are in flight"
    return ""
