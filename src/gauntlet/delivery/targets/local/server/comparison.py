"""Compares two answers to one request: rows, scores and decisions of either protocol's responses."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


class Incomparable(Exception):
    """An answer cannot be parsed, or the two have different forms."""


@dataclass(frozen=True)
class Pair:
    """The answers of both versions for one row.

    Attributes:
        flip: they decide otherwise: another class, or scores on either side of the threshold.
        difference: largest absolute difference between their scores; 1 between different classes, which have none.
        scores: (stable's, candidate's) score: the number, or the last of two or more; ``None`` where classes answer.
    """

    flip: bool
    difference: float
    scores: tuple[float, float] | None


def compare(stable: bytes, candidate: bytes, threshold: float) -> list[Pair]:
    """Compare two responses row by row.

    A number with a fraction is a score, and decides by the threshold. Several numbers are the scores of as many
    classes: two decide by the last against the threshold, more by the largest. Text, booleans and whole numbers are
    classes themselves.

    Args:
        stable: body of a response, version 1 (``predictions``) or 2 (``outputs``) of the protocol.
        candidate: the other version's to the same request.
        threshold: scores at or above it decide for the class.

    Raises:
        Incomparable: see there.
    """
    stable_rows, candidate_rows = _rows(stable), _rows(candidate)
    if len(stable_rows) != len(candidate_rows):
        raise Incomparable(f"{len(stable_rows)} and {len(candidate_rows)} rows")
    return [_pair(*rows, threshold) for rows in zip(stable_rows, candidate_rows, strict=True)]


def _rows(body: bytes) -> Sequence[tuple[Any, ...]]:
    try:
        document = json.loads(body)
        if "predictions" in document:
            return [_row(value) for value in document["predictions"]]
        columns = [tensor["data"] for tensor in document["outputs"]]
        return list(zip(*columns, strict=True))
    except (ValueError, KeyError, TypeError) as error:
        raise Incomparable("not a response of either protocol") from error


def _row(value: Any) -> tuple[Any, ...]:
    if isinstance(value, dict):
        return tuple(value[name] for name in sorted(value))
    return tuple(value) if isinstance(value, list) else (value,)


def _pair(stable: tuple[Any, ...], candidate: tuple[Any, ...], threshold: float) -> Pair:
    if len(stable) != len(candidate):
        raise Incomparable(f"{len(stable)} and {len(candidate)} values a row")
    if not _are_scores(*stable, *candidate):
        same = stable == candidate
        return Pair(not same, 0.0 if same else 1.0, None)
    difference = max(abs(score - other) for score, other in zip(stable, candidate, strict=True))
    flip = _decision(stable, threshold) != _decision(candidate, threshold)
    return Pair(flip, difference, (stable[-1], candidate[-1]))


def _are_scores(*values: Any) -> bool:
    """Whether all are numbers, at least one with a fraction."""
    return all(type(value) in (int, float) for value in values) and any(type(value) is float for value in values)


def _decision(scores: tuple[float, ...], threshold: float) -> int:
    if len(scores) > 2:
        return max(range(len(scores)), key=scores.__getitem__)
    return int(scores[-1] >= threshold)
