"""Parses a ``/metrics`` page in Prometheus' text format 0.0.4 to samples."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from gauntlet.errors import DataError


@dataclass(frozen=True)
class Sample:
    """One sample of one series.

    Attributes:
        name: of the series, with its suffix: ``gauntlet_requests_total``, ``gauntlet_scores_bucket``.
        labels: all of them.
        value: as it stands; may be infinite or NaN.
    """

    name: str
    labels: Mapping[str, str]
    value: float


_LINE = re.compile(
    r"""(?P<name>[a-zA-Z_:][a-zA-Z0-9_:]*)
        [ \t]*(?:\{(?P<labels>(?:[^"}]|"(?:[^"\\]|\\.)*")*)\})?
        [ \t]+(?P<value>[^ \t]+)
        (?:[ \t]+-?[0-9]+)?[ \t]*""",
    re.VERBOSE,
)
_LABEL = re.compile(r'[ \t]*([a-zA-Z_][a-zA-Z0-9_]*)[ \t]*=[ \t]*"((?:[^"\\]|\\.)*)"[ \t]*(?:,[ \t]*|$)')
_ESCAPE = re.compile(r"\\(.)")
_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*(?:[eE][+-]?[0-9]+)?|\.[0-9]+(?:[eE][+-]?[0-9]+)?|Inf|NaN)")


def parse_exposition(text: str, *, prefix: str = "") -> tuple[Sample, ...]:
    """Parse the samples of a page, in its order; comments, types and timestamps are left out.

    Args:
        text: the page.
        prefix: parse the series whose names begin with it, and skip the others.

    Raises:
        DataError: a line is no sample (the error names it), or the page is truncated: its last line does not end.
    """
    if text and not text.endswith("\n"):
        raise _unreadable(text.count("\n") + 1, "the page ends within a line")
    return tuple(_samples(text, prefix))


def _samples(text: str, prefix: str) -> Iterator[Sample]:
    for number, line in enumerate(text.split("\n"), start=1):
        stripped = line.strip()
        if not stripped or stripped.startswith("#") or not stripped.startswith(prefix):
            continue
        sample = _LINE.fullmatch(stripped)
        if sample is None or not _NUMBER.fullmatch(sample["value"]):
            raise _unreadable(number, "is no sample")
        yield Sample(sample["name"], _labels(sample["labels"] or "", number), float(sample["value"]))


def _labels(text: str, number: int) -> dict[str, str]:
    labels: dict[str, str] = {}
    place = 0
    while place < len(text.rstrip()):
        label = _LABEL.match(text, place)
        if label is None or label[1] in labels:
            raise _unreadable(number, "has labels that cannot be told apart")
        labels[label[1]] = _ESCAPE.sub(lambda escape: "\n" if escape[1] == "n" else escape[1], label[2])
        place = label.end()
    return labels


def _unreadable(number: int, why: str) -> DataError:
    return DataError(why, field=f"line {number} of the metrics page", mend="Ask for /metrics of a Prometheus exporter")
