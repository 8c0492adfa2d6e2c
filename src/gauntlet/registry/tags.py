"""Tags of a registered version: short and searchable; its lineage document has everything."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from gauntlet.digest import digest_json
from gauntlet.lineage.document import Document
from gauntlet.registry.store import DIGEST_TAG, MODEL_PART, TAG_KEY_LIMIT, TAG_PREFIX, TAG_VALUE_LIMIT
from gauntlet.verdict import Check, Verdict

PERFORMANCE_GATE = "evaluate_performance"
"""The gate whose measured values are the version's main metrics."""

_METRICS = {
    "evaluate_performance.bound": "{}",
    "evaluate_performance.baseline": "{} against the trivial model",
}
"""Code of a check → tag of its value; ``{}`` is the metric."""
_NOT_IN_A_KEY = re.compile(r"[^\w.\- /]")


def part_digest_tag(part: str) -> str:
    """Name of the tag with the digest of a part."""
    return f"{TAG_PREFIX}files.{part}"


def version_tags(document: Document, verdicts: Sequence[Verdict]) -> dict[str, str]:
    """Make the tags of a version.

    | tag (after ``gauntlet.``) | value |
    |---|---|
    | ``model_digest`` | digest of the model's content |
    | ``snapshot``, ``schema``, ``statistics`` | digests of the artifacts it was registered with |
    | ``sources`` | pinned source files, JSON; their number and digest when they are too many for a tag |
    | ``code`` | code revision of the training task |
    | ``environment.<image>`` | lock digest of each image in its lineage |
    | ``parameters`` | parameters of the training task, seeds among them, JSON |
    | ``metric.<name>`` | value and interval, from the performance gate |
    | ``verdict.<gate>`` | ``status: sentence`` |
    | ``run`` | the pipeline run |

    Empty values are omitted; values are cut to ``TAG_VALUE_LIMIT``.
    """
    training = document.training
    facts: dict[str, str] = {
        DIGEST_TAG.removeprefix(TAG_PREFIX): document.artifacts[MODEL_PART],
        **{name: digest for name, digest in document.artifacts.items() if name in {"snapshot", "schema", "statistics"}},
        "sources": _json_or_count(document.sources, "files"),
        "code": training.code if training else "",
        "parameters": _json_or_count(dict(training.parameters), "parameters") if training else "",
        "run": document.run,
        **{f"environment.{image}": lock for image, lock in document.environments.items()},
        **{f"metric.{name}": value for name, value in _metrics(verdicts).items()},
        **{f"verdict.{name}": value for name, value in _verdicts(verdicts).items()},
    }
    return {_key(name): _cut(value) for name, value in facts.items() if value}


def _metrics(verdicts: Sequence[Verdict]) -> dict[str, str]:
    checks = [check for verdict in verdicts if verdict.gate == PERFORMANCE_GATE for check in verdict.checks]
    return {
        _METRICS[check.code].format(check.subject): _value(check)
        for check in checks
        if check.measured is not None and check.code in _METRICS
    }


def _value(check: Check) -> str:
    """Format a value with its interval: ``0.912 [0.905, 0.919]``."""
    interval = f" [{check.interval[0]:.6g}, {check.interval[1]:.6g}]" if check.interval else ""
    return f"{check.measured:.6g}{interval}"


def _verdicts(verdicts: Sequence[Verdict]) -> dict[str, str]:
    """Map gates to ``status: sentence``; the second verdict of a gate is ``gate.2``."""
    counts: Counter[str] = Counter()
    sayings = {}
    for verdict in verdicts:
        counts[verdict.gate] += 1
        name = verdict.gate if counts[verdict.gate] == 1 else f"{verdict.gate}.{counts[verdict.gate]}"
        sayings[name] = f"{verdict.status.value}: {' '.join(verdict.summary.split())}"
    return sayings


def _json_or_count(value: Sequence[Mapping[str, Any]] | Mapping[str, Any], noun: str) -> str:
    """JSON, or count and digest where it is longer than a tag."""
    if not value:
        return ""
    text = json.dumps(value, sort_keys=True, ensure_ascii=False)
    return text if len(text) <= TAG_VALUE_LIMIT else f"{len(value)} {noun}, {digest_json(value)}; see lineage.json"


def _key(name: str) -> str:
    return _NOT_IN_A_KEY.sub("_", TAG_PREFIX + name)[:TAG_KEY_LIMIT]


def _cut(value: str) -> str:
    return value if len(value) <= TAG_VALUE_LIMIT else value[: TAG_VALUE_LIMIT - 1] + "…"
