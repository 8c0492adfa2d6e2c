"""Inputs of the feature gate: opens the models, the feature code and the store, and matches features to columns."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from gauntlet.data.snapshot import Snapshot
from gauntlet.errors import ConfigurationError
from gauntlet.features.fitted import FittedModel, open_fitted
from gauntlet.features.policy import FeaturesPolicy
from gauntlet.features.span import Span, readable, rows_of, spans_of
from gauntlet.features.stored import KeyedStore, StandIn, Store
from gauntlet.features.transform import Transform, identity, open_transform

_PROBE_ROWS = 100


@dataclass(frozen=True)
class FeatureInputs:
    """Paths and data that the gate compares.

    Attributes:
        model: the candidate, an MLflow model folder.
        snapshot: the new data, raw.
        split: which of its rows are the new ones.
        champion: the serving model; ``None`` when there is none.
        history: raw rows of earlier spans, a split each; ``None`` when there is none.
        stored: features as they were materialized; ``None`` when there is no store.
        feature_code: ``module:function``; empty: the candidate's own steps.
        digests: of the candidate and the champion, where they are known; empty otherwise.
    """

    model: Path
    snapshot: Snapshot
    split: str
    champion: Path | None = None
    history: Snapshot | None = None
    stored: Snapshot | None = None
    feature_code: str = ""
    digests: tuple[str, str] = ("", "")


@dataclass(frozen=True)
class OpenInputs:
    """The opened inputs; valid while the gate runs.

    Attributes:
        inputs: as configured.
        fitted: the candidate.
        champion: the serving model; ``None`` when there is none, or it is not needed.
        transform: the new feature code.
        spans: history, then the new rows.
        store: rows matched by key; ``None`` without keys, or without a store.
        shared: feature → its column in the store.
        left_out: feature → why it is not compared.
    """

    inputs: FeatureInputs
    fitted: FittedModel
    champion: FittedModel | None
    transform: Transform
    spans: tuple[Span, ...]
    store: Store | None
    shared: Mapping[str, str]
    left_out: Mapping[str, str]

    @property
    def has_store(self) -> bool:
        """Whether there is anything to compare with."""
        return self.inputs.stored is not None or self.store is not None

    @property
    def stands_in(self) -> bool:
        """Whether the champion's code stands in for a store."""
        return isinstance(self.store, StandIn)

    @property
    def store_name(self) -> str:
        """Name of the source of stored values, for sentences."""
        return self.store.name if self.store is not None else "the store"

    @property
    def scores_whole_model(self) -> bool:
        """Whether compared features are inputs of the whole candidate, not of its estimator alone."""
        return self.transform is not self.fitted.transform or self.fitted.is_identity

    @property
    def model_inputs(self) -> tuple[str, ...]:
        """The columns that the candidate takes."""
        return self.fitted.scorer.inputs or self.inputs.snapshot.features


@contextmanager
def open_inputs(inputs: FeatureInputs, policy: FeaturesPolicy) -> Iterator[OpenInputs]:
    """Open models, code and store.

    Raises:
        ConfigurationError: the policy names a feature or column that is not there, no such split or code.
        DataError: a model or data cannot be read, or the feature code fails.
    """
    with ExitStack() as stack:
        fitted = stack.enter_context(open_fitted(inputs.model, inputs.snapshot, inputs.digests[0]))
        champion = None
        if inputs.champion is not None and not inputs.feature_code:
            champion = stack.enter_context(open_fitted(inputs.champion, inputs.snapshot, inputs.digests[1]))
        transform = _code(fitted, inputs, policy)
        spans = spans_of(inputs.history, inputs.snapshot, inputs.split)
        features = features_of(transform, spans[-1])
        check_names(features, transform.name, policy)
        store: Store | None = None
        shared: dict[str, str] = {}
        if inputs.stored is not None:
            shared = shared_features(features, tuple(inputs.stored.columns), policy)
            keys = join_keys(inputs.stored, spans)
            if shared and keys:
                columns = tuple(dict.fromkeys(shared.values()))
                keyed = KeyedStore(inputs.stored, keys, columns, partition_rows=policy.partition_rows)
                store = stack.enter_context(keyed)
        elif champion is not None and not champion.is_identity:
            known = features_of(champion.transform, spans[-1])
            store, shared = StandIn(champion.transform, known), shared_features(features, known, policy)
        has_store = inputs.stored is not None or store is not None
        left_out = reasons_left_out(features, shared, policy) if has_store else {}
        yield OpenInputs(inputs, fitted, champion, transform, spans, store, shared, left_out)


def features_of(transform: Transform, span: Span) -> tuple[str, ...]:
    """Names of the features that code returns, from a run on a few rows."""
    import pyarrow as pa

    columns = readable(span.snapshot, transform)
    rows = pa.Table.from_batches([next(rows_of(span, columns)).slice(0, _PROBE_ROWS)])
    return tuple(transform(rows.select(list(columns))).column_names)


def _code(fitted: FittedModel, inputs: FeatureInputs, policy: FeaturesPolicy) -> Transform:
    if inputs.feature_code:
        return open_transform(inputs.feature_code)
    if policy.store_holds == "inputs" and not fitted.is_identity:
        return identity(fitted.scorer.inputs or inputs.snapshot.features)
    return fitted.transform


def check_names(features: Sequence[str], code: str, policy: FeaturesPolicy) -> None:
    """Check that the policy names only features that the code returns.

    Raises:
        ConfigurationError: it does not.
    """
    for setting, names in (("names", tuple(policy.names)), ("exclude", policy.exclude)):
        for name in names:
            if name not in features:
                raise ConfigurationError(
                    f"{code} gives no such feature",
                    field=f"policy.{setting}",
                    value=name,
                    mend=f"Use some of: {', '.join(features)}",
                )


def shared_features(features: Sequence[str], stored: Sequence[str], policy: FeaturesPolicy) -> dict[str, str]:
    """Map each stored feature that is not excluded to its column in the store.

    Raises:
        ConfigurationError: the policy names a column that is not stored.
    """
    for name, column in policy.names.items():
        if column not in stored:
            raise ConfigurationError(
                "nothing is stored under this name",
                field=f"policy.names.{name}",
                value=column,
                mend=f"Use one of: {', '.join(stored)}",
            )
    columns = {name: policy.names.get(name, name) for name in features if name not in policy.exclude}
    return {name: column for name, column in columns.items() if column in stored}


def reasons_left_out(features: Sequence[str], shared: Mapping[str, str], policy: FeaturesPolicy) -> dict[str, str]:
    """Map each feature that is not ``shared`` to the reason why it is not compared."""
    return {
        name: "the policy leaves it out" if name in policy.exclude else "nothing is stored under its name"
        for name in features
        if name not in shared
    }


def join_keys(stored: Snapshot, spans: Sequence[Span]) -> tuple[str, ...]:
    """The columns that join the store to every span; () where a span lacks one."""
    time = (stored.roles.time,) if stored.roles.time is not None else ()
    keys = (*stored.roles.key, *time)
    complete = all(name in span.snapshot.columns for span in spans for name in keys)
    return keys if stored.roles.key and complete else ()
