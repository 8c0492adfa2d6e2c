"""PromQL templates from files, filled in for a service."""

from __future__ import annotations

import re
from collections.abc import Mapping
from importlib.resources import files
from string import Template

from gauntlet.errors import ConfigurationError

WHAT = ("requests", "latency", "scores", "sliced", "in_flight")
"""What a family may have a query for."""


def family_queries(family: str, versions: tuple[str, ...], selector: Mapping[str, str]) -> dict[str, str]:
    """What → the PromQL that gives its series.

    Args:
        family: name of one of ``families.FAMILIES``.
        versions: values of the label that tells versions apart.
        selector: labels, and the values they must have.
    """
    folder = files(__package__) / "queries" / family
    given = {"versions": "|".join(regular(one) for one in versions), "selector": matchers(selector)}
    return {
        what: filled((folder / f"{what}.promql").read_text(), given, field=f"{family}/{what}.promql")
        for what in WHAT
        if (folder / f"{what}.promql").is_file()
    }


def timestamps(query: str) -> str:
    """The query for when another's samples were taken."""
    return filled((files(__package__) / "queries" / "timestamps.promql").read_text(), {"query": query}, field="query")


def filled(text: str, given: Mapping[str, str], *, field: str) -> str:
    """A query with its placeholders filled in and its comments left out.

    Raises:
        ConfigurationError: a placeholder that nothing is given for, or a ``$`` that is none (write ``$$`` for it).
    """
    bare = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("#")).strip()
    try:
        return Template(bare).substitute(given)
    except (KeyError, ValueError) as error:
        known = ", ".join(f"${name}" for name in given)
        raise ConfigurationError(
            "has a placeholder that is not known",
            field=field,
            value=str(error),
            mend=f"Use {known}, and $$ for a dollar",
        ) from error


def matchers(selector: Mapping[str, str]) -> str:
    """``namespace="loans",model_name="loans"``."""
    return ",".join(f"{name}={quoted(value)}" for name, value in sorted(selector.items()))


def quoted(text: str) -> str:
    """A PromQL string."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


def regular(text: str) -> str:
    """A literal inside a regular expression inside a PromQL string."""
    return quoted(re.escape(text))[1:-1]
