"""The feature gate: does the new feature code reproduce the stored features?

History is replayed through the new code, span by span, and so are the new rows; each feature's 2×2 of {historical, new}
× {agrees, differs} classifies it (``findings``), a diagnosis names the change, and scoring the candidate on both kinds
of features gives the impact on decisions. The contract and the properties of the code are checked as well.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from gauntlet.digest import short
from gauntlet.errors import ConfigurationError, DataError
from gauntlet.features.code_checks import contract_checks, property_checks
from gauntlet.features.distributions import compare_distributions, gather
from gauntlet.features.findings import Comparison, FeatureFinding, Parties, find_all, of_replay
from gauntlet.features.impact import Impact, Scoring, impact_check, measure_impact
from gauntlet.features.inputs import FeatureInputs, OpenInputs, open_inputs
from gauntlet.features.policy import FeaturesPolicy
from gauntlet.features.replay import FeatureReplay, SpanReplay, replay
from gauntlet.features.summary import GATE, feature_checks, not_shared, nothing_stored, summarise, unmatched
from gauntlet.prediction.batch import label_of, target_of
from gauntlet.verdict import Check, Status, Verdict

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True)
class FeaturesResult:
    """Result of the feature gate.

    Attributes:
        verdict: the checks, worst first.
        findings: one per feature, worst first.
        replays: every span matched by key.
        impact: effect on decisions; ``None`` where nothing differs or it could not be measured.
        notes: remarks on how features were compared, and what was not measured.
        left_out: feature → why it was not compared.
        code: name of the new feature code.
        store: name of the source of stored values; empty where there is none.
    """

    verdict: Verdict
    findings: tuple[FeatureFinding, ...] = ()
    replays: tuple[SpanReplay, ...] = ()
    impact: Impact | None = None
    notes: tuple[str, ...] = ()
    left_out: Mapping[str, str] = field(default_factory=dict)
    code: str = ""
    store: str = ""


def judge_features(inputs: FeatureInputs, policy: FeaturesPolicy) -> FeaturesResult:
    """Replay history through the candidate's feature code and compare it with the store.

    Args:
        inputs: models, data and code.
        policy: tolerances.

    Raises:
        ConfigurationError: the policy names a feature or column that is not there, no such split or code.
        DataError: a model or data cannot be read, or the feature code fails.
    """
    with open_inputs(inputs, policy) as opened:
        run = _Run(opened, policy)
        checks = run.compare()
        checks += contract_checks(opened, policy)
        checks += property_checks(opened, policy)
        return run.result(checks)


@dataclass
class _Run:
    """State of one run of the gate."""

    opened: OpenInputs
    policy: FeaturesPolicy
    findings: tuple[FeatureFinding, ...] = ()
    replays: tuple[SpanReplay, ...] = ()
    impact: Impact | None = None
    notes: list[str] = field(default_factory=list)

    def compare(self) -> list[Check]:
        """Compare stored features with recomputed ones, and measure the impact where they differ."""
        opened = self.opened
        if not opened.has_store:
            return [nothing_stored()]
        if opened.stands_in:
            self.notes.append("There is no store: the champion's own feature code stands in for it.")
        if not opened.shared:
            return [not_shared(opened.left_out)]
        if opened.store is not None:
            columns, store = self._columns_for_impact(), opened.store
            self.replays = tuple(
                replay(span, opened.transform, store, opened.shared, self.policy, columns=columns)
                for span in opened.spans
            )
        checks: list[Check] = []
        past = [span_replay.matched for span_replay in self.replays if span_replay.span.age == "historical"]
        if any(past) or (not past and any(span_replay.matched for span_replay in self.replays)):
            comparisons, checks = self._by_key()
        else:
            comparisons = self._by_distribution()
        self.findings = self._findings(comparisons)
        checks += feature_checks(self.findings, opened.store_name)
        if any(finding.check.status is Status.FAIL for finding in self.findings):
            self.impact = self._measure_impact()
        return checks if self.impact is None else [*checks, impact_check(self.impact, self.policy)]

    def _by_key(self) -> tuple[list[Comparison], list[Check]]:
        comparisons, checks = [], []
        for span_replay in self.replays:
            if span_replay.span.age == "new" and not span_replay.matched:
                self.notes.append(
                    f"{self.opened.store_name.capitalize()} holds none of the new rows ({span_replay.span.name})."
                )
                continue
            enough = span_replay.matched >= self.policy.min_rows
            if not enough or span_replay.matched_share < self.policy.min_matched_share:
                checks.append(unmatched(span_replay, self.policy))
            if enough:
                comparisons += [self._compared(span_replay, feature) for feature in span_replay.features.values()]
        return comparisons, checks

    def _compared(self, replay: SpanReplay, feature: FeatureReplay) -> Comparison:
        bound = self.policy.max_share
        compared = of_replay(feature, replay.span, bound=bound, store=self.opened.store_name)
        if not self.opened.stands_in or not compared.differs:
            return compared
        moved = _moved(feature)
        if moved > self.policy.refit_tolerance or feature.lost + feature.gained > bound * feature.matched:
            return compared
        self.notes.append(
            f"`{feature.feature}` was fitted anew: in {replay.span.name} it moves by some {moved:.2f} "
            "standard deviations."
        )
        return Comparison(
            feature.feature, replay.span, False, moved, self.policy.refit_tolerance, feature.matched, compared.words,
            None, feature, compared.quantiles,
        )  # fmt: skip

    def _by_distribution(self) -> list[Comparison]:
        opened = self.opened
        assert opened.inputs.stored is not None
        why = (
            "no historical row's key is in it" if opened.store is not None else "it has no key in common with the data"
        )
        self.notes.append(
            f"The store could not be joined: {why}. Distributions were compared instead, which tells less."
        )
        sides = gather(opened.spans, opened.transform, opened.inputs.stored, opened.shared, self.policy)
        return compare_distributions(sides, self.policy)

    def _findings(self, comparisons: Sequence[Comparison]) -> tuple[FeatureFinding, ...]:
        opened = self.opened
        old_code = "the code that wrote them"
        if opened.champion is not None and not opened.champion.is_identity:
            old_code = f"the champion's feature steps ({short(opened.champion.transform.digest)})"
        parties = Parties(opened.store_name, opened.stands_in, old_code)
        return find_all(opened.shared, comparisons, parties)

    def _columns_for_impact(self) -> tuple[str, ...]:
        """Raw columns that the impact needs beside features: inputs that no code computes, label, clusters."""
        inputs = self.opened.model_inputs if self.opened.scores_whole_model else ()
        clusters = {span.snapshot.roles.cluster for span in self.opened.spans}
        return (*inputs, *(name for name in (label_of(self.opened.inputs.snapshot), *clusters) if name is not None))

    def _measure_impact(self) -> Impact | None:
        """Score the candidate on stored and on recomputed features of the spans that differ."""
        opened = self.opened
        comparisons = [comparison for finding in self.findings for comparison in finding.comparisons]
        wrong = {comparison.span.name for comparison in comparisons if comparison.differs}
        concerned = [replay for replay in self.replays if replay.span.name in wrong and replay.sample is not None]
        past = [replay for replay in concerned if replay.span.age == "historical"] or concerned
        if not past:
            self.notes.append("Without rows matched by key, the impact on decisions cannot be measured.")
            return None
        data = past[0].span.snapshot
        label = label_of(data)
        try:
            target = target_of(opened.fitted.facts, data, label, past[0].span.split)
            needed = opened.model_inputs if opened.scores_whole_model else opened.transform.outputs or ()
            scoring = Scoring(needed, self._score, target, label is not None, data.roles.cluster)
            samples = [replay.sample for replay in past if replay.sample is not None]
            return measure_impact(samples, scoring, opened.shared, self.policy)
        except (DataError, ConfigurationError) as error:
            self.notes.append(f"The impact on decisions could not be measured: {error}")
            return None

    def _score(self, features: pa.Table) -> Any:
        if self.opened.scores_whole_model:
            return self.opened.fitted.scorer.score(features.combine_chunks().to_batches()[0])
        return self.opened.fitted.score_features(features)

    def result(self, checks: Sequence[Check]) -> FeaturesResult:
        """Make the result, with ``checks`` as the verdict."""
        opened = self.opened
        ordered = tuple(sorted(checks, key=lambda check: -check.status.severity))
        facts: dict[str, str | int | float | bool] = {
            "spans": len(opened.spans) if opened.has_store else 0,
            "rows": sum(span.rows for span in opened.spans) if opened.has_store else 0,
            "matched": sum(replay.matched for replay in self.replays),
            "features": len(self.findings),
            "feature_code": short(opened.transform.digest),
        }
        return FeaturesResult(
            Verdict(GATE, ordered, summarise(ordered, self.impact), facts),
            self.findings,
            self.replays,
            self.impact,
            tuple(self.notes),
            opened.left_out,
            opened.transform.name,
            opened.store_name if opened.has_store else "",
        )


def _moved(feature: FeatureReplay) -> float:
    """95th percentile of the change, in standard deviations of the champion's values; ∞ for text."""
    stored, new = feature.pairs
    there = np.isfinite(stored) & np.isfinite(new)
    if not there.any():
        return np.inf
    moved, spread = float(np.quantile(np.abs(new - stored)[there], 0.95)), float(np.std(stored[there]))
    return moved / spread if spread > 0 else np.inf
