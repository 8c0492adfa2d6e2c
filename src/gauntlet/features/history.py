"""Replays feature code over history and compares it with the store, in one call and without a model.

The gate (``gauntlet.features.gate``) does the same and more: it takes the code out of a trained model, follows the
decisions that change, and asks the code for its contract and its properties.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from gauntlet.data.snapshot import Snapshot
from gauntlet.errors import ConfigurationError
from gauntlet.features.findings import Comparison, Parties, find_all, of_replay
from gauntlet.features.gate import FeaturesResult
from gauntlet.features.inputs import check_names, features_of, join_keys, reasons_left_out, shared_features
from gauntlet.features.policy import FeaturesPolicy
from gauntlet.features.replay import SpanReplay, replay
from gauntlet.features.span import Span
from gauntlet.features.stored import KeyedStore
from gauntlet.features.summary import GATE, feature_checks, not_shared, summarise, unmatched
from gauntlet.features.transform import Transform, transform_of
from gauntlet.settings import parse
from gauntlet.verdict import Verdict


def replay_history(
    code: Callable[[Any], Any] | Transform | str,
    history: Snapshot,
    stored: Snapshot,
    policy: Mapping[str, Any] | None = None,
) -> FeaturesResult:
    """Replay raw rows through feature code and hold the features against those that were stored for them.

    Args:
        code: a function from a DataFrame (or an Arrow table, by its annotation) to one, or ``module:function``.
        history: raw rows, a split each span; imported with the purpose ``history``.
        stored: their features, imported with ``roles.key`` (and ``roles.time``, where a key has several rows).
        policy: fields of ``FeaturesPolicy``: ``relative_tolerance``, ``max_share``, ``names``, ``exclude``, …

    Returns:
        The verdict with a check for each feature that differs, and for each span of which the store knows too few
        rows; the findings, with the diagnosis of what was done to a feature; the counts of every span.

    Raises:
        ConfigurationError: an unknown key, a name in the policy that is not there, no such code, or no key to join by.
        DataError: history has no rows, the code fails, or the store holds two rows of one key.
    """
    settings = parse(FeaturesPolicy, policy, field="policy")
    transform = transform_of(code)
    for split in history.splits:
        history.require_split(split)
    spans = tuple(Span(split, "historical", history, split) for split in history.splits)
    features = features_of(transform, spans[-1])
    check_names(features, transform.name, settings)
    shared = shared_features(features, tuple(stored.columns), settings)
    keys = join_keys(stored, spans)
    if not keys:
        raise ConfigurationError(
            "the store has no key that all rows of history have",
            field="stored.roles.key",
            value=list(stored.roles.key),
            mend='Import the stored features with the columns that identify a row: roles={"key": [...]}',
        )
    columns = tuple(dict.fromkeys(shared.values()))
    with KeyedStore(stored, keys, columns, partition_rows=settings.partition_rows) as store:
        replays = tuple(replay(span, transform, store, shared, settings) for span in spans) if shared else ()
    left_out = reasons_left_out(features, shared, settings)
    findings = find_all(shared, _compared(replays, settings, store.name), Parties(store.name))
    checks = [unmatched(span, settings) for span in replays if not _known(span, settings)]
    checks += feature_checks(findings, store.name) if shared else [not_shared(left_out)]
    ordered = tuple(sorted(checks, key=lambda check: -check.status.severity))
    facts = {"spans": len(spans), "matched": sum(span.matched for span in replays), "features": len(findings)}
    return FeaturesResult(
        Verdict(GATE, ordered, summarise(ordered, None), facts),
        findings,
        replays,
        left_out=left_out,
        code=transform.name,
        store=store.name,
    )


def _compared(replays: Sequence[SpanReplay], policy: FeaturesPolicy, store: str) -> list[Comparison]:
    """Every feature in every span with rows enough, against the share of rows that may differ."""
    return [
        of_replay(feature, span.span, bound=policy.max_share, store=store)
        for span in replays
        if span.matched >= policy.min_rows
        for feature in span.features.values()
    ]


def _known(span: SpanReplay, policy: FeaturesPolicy) -> bool:
    """Whether the store knows enough of a span's rows to speak for all of them."""
    return span.matched >= policy.min_rows and span.matched_share >= policy.min_matched_share
