"""The gate: is the new feature code still the code that made what is stored?

History is replayed through the new code, span by span, and so are the new rows; each feature's 2×2 of {historical, new}
× {agrees, differs} says what happened (``findings``), a diagnosis says how, and the candidate scored on both kinds of
features says whom it harms.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from gauntlet.data.snapshot import Snapshot
from gauntlet.digest import short
from gauntlet.errors import ConfigurationError, DataError
from gauntlet.features.distributions import compare_distributions, gather
from gauntlet.features.findings import Compared, Finding, find, of_replay
from gauntlet.features.fitted import FittedModel, open_fitted
from gauntlet.features.harm import Harm, Scoring, harm_check, measure_harm
from gauntlet.features.policy import FeaturesPolicy
from gauntlet.features.replay import SpanReplay, replay
from gauntlet.features.span import Span, readable, rows_of, spans_of
from gauntlet.features.stored import KeyedStore, StandIn, Store
from gauntlet.features.transform import Transform, identity, open_transform
from gauntlet.prediction.batch import label_of, target_of
from gauntlet.verdict import Check, Status, Verdict, worst

GATE = "check_features"
_PROBE_ROWS = 100
_ORDER = {Status.ERROR: 0, Status.FAIL: 1, Status.INCONCLUSIVE: 2, Status.PASS: 3}


@dataclass(frozen=True)
class Given:
    """What the gate looks at.

    Attributes:
        snapshot: the new data, raw.
        split: which of its rows are the new ones.
        history: raw rows of earlier spans, a split each; ``None`` when there is none.
        stored: features as they were materialized; ``None`` when there is no store.
        feature_code: ``module:function``; empty: the candidate's own steps.
    """

    snapshot: Snapshot
    split: str
    history: Snapshot | None = None
    stored: Snapshot | None = None
    feature_code: str = ""


@dataclass(frozen=True)
class FeaturesResult:
    """What the gate found.

    Attributes:
        verdict: the checks, worst first.
        findings: one a feature, worst first.
        replays: every span matched by key.
        harm: what the model does with stored features; ``None`` where nothing differs or it could not be measured.
        notes: what a reader should know of how this was done, and what was not.
        left_out: feature → why it was not compared.
        code: name of the new feature code.
        store: what stored values come from, as a reader knows it; empty where there is none.
    """

    verdict: Verdict
    findings: tuple[Finding, ...] = ()
    replays: tuple[SpanReplay, ...] = ()
    harm: Harm | None = None
    notes: tuple[str, ...] = ()
    left_out: Mapping[str, str] | None = None
    code: str = ""
    store: str = ""


def judge_features(
    model: Path, champion: Path | None, given: Given, policy: FeaturesPolicy, *, expected: str = "", serving: str = ""
) -> FeaturesResult:
    """Replay history through the candidate's feature code and hold it against what is stored.

    Args:
        model: the candidate, an MLflow model folder.
        champion: the serving model; ``None`` when there is none.
        given: the data and the code.
        policy: tolerances.
        expected: the candidate's digest, where it is known.
        serving: the champion's digest, where it is known.

    Raises:
        ConfigurationError: the policy names a feature or column that is not there, no such split or code.
        DataError: a model or data cannot be read, or the feature code fails.
    """
    with ExitStack() as opened:
        fitted = opened.enter_context(open_fitted(model, given.snapshot, expected))
        transform = _code(fitted, given, policy)
        spans = spans_of(given.history, given.snapshot, given.split)
        features = _features(transform, spans[-1], policy)
        notes: list[str] = []
        store: Store | None = None
        shared: dict[str, str] = {}
        if given.stored is not None:
            shared = _shared(features, tuple(given.stored.columns), policy)
            keys = _keys(given.stored, spans)
            if shared and keys:
                columns = list(dict.fromkeys(shared.values()))
                store = opened.enter_context(
                    KeyedStore(given.stored, keys, columns, partition_rows=policy.partition_rows)
                )
        elif champion is not None and not given.feature_code:
            other = opened.enter_context(open_fitted(champion, given.snapshot, serving))
            if not other.is_identity:
                given_by_champion = _features(other.transform, spans[-1], policy)
                store = StandIn(other.transform, given_by_champion)
                shared = _shared(features, given_by_champion, policy)
                notes.append(f"There is no store: {store.name} stands in for it.")
        left_out = _left_out(features, shared, policy, given, store)
        if given.stored is None and store is None:
            return _nothing(transform, left_out)
        return _Gate(given, policy, fitted, transform, spans, store, shared, notes, left_out).judge()


@dataclass(frozen=True)
class _Gate:
    """One run of the gate, once everything is open."""

    given: Given
    policy: FeaturesPolicy
    fitted: FittedModel
    transform: Transform
    spans: tuple[Span, ...]
    store: Store | None
    shared: Mapping[str, str]
    notes: list[str]
    left_out: Mapping[str, str]

    def judge(self) -> FeaturesResult:
        """All of it."""
        if not self.shared:
            return self._result([_not_shared(self.left_out)], (), (), None)
        replays = self._replays()
        checks: list[Check] = []
        if any(one.matched for one in replays):
            comparisons, checks = self._by_key(replays)
        else:
            comparisons = self._by_distribution()
        findings = self._findings(comparisons)
        harm = self._harm(replays) if any(one.check.status is Status.FAIL for one in findings) else None
        checks += _summed(findings)
        if harm is not None:
            checks.append(harm_check(harm, self.policy))
        return self._result(checks, findings, replays, harm)

    def _replays(self) -> tuple[SpanReplay, ...]:
        if self.store is None:
            return ()
        columns = self._columns_for_harm()
        return tuple(
            replay(span, self.transform, self.store, self.shared, self.policy, columns=columns) for span in self.spans
        )

    def _by_key(self, replays: Sequence[SpanReplay]) -> tuple[list[Compared], list[Check]]:
        assert self.store is not None
        found, checks = [], []
        for one in replays:
            if one.span.age == "new" and not one.matched:
                self.notes.append(f"The store holds none of the new rows ({one.span.name}).")
                continue
            if one.matched < self.policy.min_rows or one.matched_share < self.policy.min_matched_share:
                checks.append(_unmatched(one, self.policy))
                if one.matched < self.policy.min_rows:
                    continue
            found += [self._compared(one, name) for name in self.shared]
        return found, checks

    def _compared(self, one: SpanReplay, name: str) -> Compared:
        assert self.store is not None
        return of_replay(one.features[name], one.span, bound=self.policy.max_share, store=self.store.name)

    def _by_distribution(self) -> list[Compared]:
        assert self.given.stored is not None
        why = (
            "no row of it has the key of a row here"
            if self.store is not None
            else "it has no key in common with the data"
        )
        self.notes.append(
            f"The store could not be joined: {why}. Distributions were compared instead, which tells less."
        )
        sides = gather(self.spans, self.transform, self.given.stored, self.shared, self.policy)
        return compare_distributions(sides, self.policy)

    def _findings(self, comparisons: Sequence[Compared]) -> tuple[Finding, ...]:
        store = self.store.name if self.store is not None else "the store"
        found = []
        for name in self.shared:
            own = [one for one in comparisons if one.feature == name]
            if own:
                found.append(
                    find(name, own, store=store, code=self.transform.name, digest=short(self.transform.digest))
                )
        return tuple(sorted(found, key=lambda one: (_ORDER[one.check.status], -(one.check.measured or 0.0))))

    def _scores_whole_model(self) -> bool:
        return bool(self.given.feature_code) or self.policy.store_holds == "inputs" or self.fitted.is_identity

    def _columns_for_harm(self) -> tuple[str, ...]:
        wanted: tuple[str, ...] = ()
        if self._scores_whole_model():
            wanted = self.fitted.scorer.inputs or self.given.snapshot.features
        label = label_of(self.given.snapshot)
        return (*wanted, label) if label is not None else wanted

    def _harm(self, replays: Sequence[SpanReplay]) -> Harm | None:
        past = [one for one in replays if one.span.age == "historical" and one.sample is not None] or [
            one for one in replays if one.sample is not None
        ]
        samples = [one.sample for one in past if one.sample is not None]
        if not samples:
            return None
        whole = self._scores_whole_model()
        label = label_of(past[0].span.snapshot)
        try:
            scoring = Scoring(
                needed=self._columns_for_harm_inputs(),
                score=(lambda rows: self.fitted.scorer.score(rows.combine_chunks().to_batches()[0]))
                if whole
                else self.fitted.score_features,
                target=target_of(self.fitted.facts, past[0].span.snapshot, label, past[0].span.split),
                labelled=label is not None,
            )
            return measure_harm(samples, scoring, self.shared, self.policy)
        except (DataError, ConfigurationError) as error:
            self.notes.append(f"Harm could not be measured: {error}")
            return None

    def _columns_for_harm_inputs(self) -> tuple[str, ...]:
        if self._scores_whole_model():
            return self.fitted.scorer.inputs or self.given.snapshot.features
        return self.transform.outputs or ()

    def _result(
        self,
        checks: Sequence[Check],
        findings: tuple[Finding, ...],
        replays: tuple[SpanReplay, ...],
        harm: Harm | None,
    ) -> FeaturesResult:
        ordered = sorted(checks, key=lambda check: _ORDER[check.status])
        facts: dict[str, str | int | float | bool] = {
            "spans": len(self.spans),
            "rows": sum(span.rows for span in self.spans),
            "matched": sum(one.matched for one in replays),
            "features": len(self.shared),
            "feature_code": short(self.transform.digest),
        }
        verdict = Verdict(GATE, tuple(ordered), _summary(ordered, harm), facts)
        return FeaturesResult(
            verdict,
            findings,
            replays,
            harm,
            tuple(self.notes),
            self.left_out,
            self.transform.name,
            self.store.name if self.store is not None else "the store",
        )


def _code(fitted: FittedModel, given: Given, policy: FeaturesPolicy) -> Transform:
    if given.feature_code:
        return open_transform(given.feature_code)
    if policy.store_holds == "inputs":
        return identity(fitted.scorer.inputs or given.snapshot.features)
    return fitted.transform


def _features(transform: Transform, span: Span, policy: FeaturesPolicy) -> tuple[str, ...]:
    """The features that the code gives, found by running it on a few rows."""
    import pyarrow as pa

    columns = readable(span.snapshot, transform)
    rows = pa.Table.from_batches([next(rows_of(span, columns)).slice(0, _PROBE_ROWS)])
    found = tuple(transform(rows.select(list(columns))).column_names)
    for setting, names in (("names", tuple(policy.names)), ("exclude", policy.exclude)):
        for name in names:
            if name not in found:
                raise ConfigurationError(
                    f"{transform.name} gives no such feature",
                    field=f"policy.{setting}",
                    value=name,
                    mend=f"Use some of: {', '.join(found)}",
                )
    return found


def _shared(features: Sequence[str], stored: Sequence[str], policy: FeaturesPolicy) -> dict[str, str]:
    for name, other in policy.names.items():
        if other not in stored:
            raise ConfigurationError(
                "the store has no such column",
                field=f"policy.names.{name}",
                value=other,
                mend=f"Use one of: {', '.join(stored)}",
            )
    found = {name: policy.names.get(name, name) for name in features if name not in policy.exclude}
    return {name: other for name, other in found.items() if other in stored}


def _keys(stored: Snapshot, spans: Sequence[Span]) -> tuple[str, ...]:
    """The columns that join the store to every span; () where they do not all have them."""
    time = (stored.roles.time,) if stored.roles.time is not None else ()
    keys = (*stored.roles.key, *time)
    there = all(name in span.snapshot.columns for span in spans for name in keys)
    return keys if stored.roles.key and there else ()


def _left_out(
    features: Sequence[str],
    shared: Mapping[str, str],
    policy: FeaturesPolicy,
    given: Given,
    store: Store | None,
) -> dict[str, str]:
    if given.stored is None and store is None:
        return {}
    return {
        name: "the policy leaves it out" if name in policy.exclude else "the store does not hold it"
        for name in features
        if name not in shared
    }


def _summed(findings: Sequence[Finding]) -> list[Check]:
    """A check for each feature that differs, and one that sums up the others."""
    checks = [one.check for one in findings if one.check.status is not Status.PASS]
    agree = [one for one in findings if one.check.status is Status.PASS]
    if agree:
        rows = max(one.check.sample_size or 0 for one in agree)
        largest = max(one.check.measured or 0.0 for one in agree)
        many = f"{len(agree)} features agree" if len(agree) > 1 else f"`{agree[0].feature}` agrees"
        reason = f"{many} with what is stored, over up to {rows:,} rows."
        bound = agree[0].check.bound
        checks.append(Check("features that agree", Status.PASS, reason, largest, None, bound, "max", rows))
    return checks


def _unmatched(one: SpanReplay, policy: FeaturesPolicy) -> Check:
    needed = max(policy.min_rows, round(policy.min_matched_share * one.span.rows))
    return Check(
        f"{one.span.name}: stored rows",
        Status.INCONCLUSIVE,
        f"The store knows {one.matched:,} of {one.span.rows:,} rows of {one.span.name}, too few to say "
        "whether that span agrees.",
        one.matched_share,
        None,
        policy.min_matched_share,
        "min",
        one.matched,
        needed,
    )


def _not_shared(left_out: Mapping[str, str]) -> Check:
    named = ", ".join(list(left_out)[:5]) or "none"
    return Check(
        "features",
        Status.ERROR,
        f"None of the features that the code gives ({named}) is in the store, so nothing could be compared: name their "
        "columns in the policy's names.",
    )


def _nothing(transform: Transform, left_out: Mapping[str, str]) -> FeaturesResult:
    reason = (
        "There is no store of features, and no champion with feature code of its own to stand in for one, so there was "
        "nothing to compare."
    )
    check = Check("features", Status.PASS, reason)
    return FeaturesResult(
        Verdict(GATE, (check,), reason, {"spans": 0}), left_out=left_out, code=transform.name, store=""
    )


def _summary(checks: Sequence[Check], harm: Harm | None) -> str:
    """The worst finding, how many more there are, and the harm."""
    status = worst(check.status for check in checks)
    same = [check for check in checks if check.status is status and check.name != "harm"]
    if not same:
        return checks[0].reason
    more = f" And {len(same) - 1} more like this." if len(same) > 1 and status is not Status.PASS else ""
    told = f" {harm.sentence}" if harm is not None and status is Status.FAIL else ""
    return same[0].reason + more + told
