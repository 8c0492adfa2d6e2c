"""What the gate is given, and what follows from it before anything is compared: the code, the features, the store."""

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
class Given:
    """What the gate looks at.

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
class Opened:
    """Everything open, for as long as the gate runs.

    Attributes:
        given: what it came from.
        fitted: the candidate.
        champion: the serving model; ``None`` when there is none, or it is not needed.
        transform: the new feature code.
        spans: history, then the new rows.
        store: what is matched by key; ``None`` without keys, or without a store.
        shared: feature → its column in the store.
        left_out: feature → why it is not compared.
    """

    given: Given
    fitted: FittedModel
    champion: FittedModel | None
    transform: Transform
    spans: tuple[Span, ...]
    store: Store | None
    shared: Mapping[str, str]
    left_out: Mapping[str, str]

    @property
    def has_store(self) -> bool:
        """There is something to compare with."""
        return self.given.stored is not None or self.store is not None

    @property
    def stands_in(self) -> bool:
        """The champion's code stands in for a store."""
        return isinstance(self.store, StandIn)

    @property
    def store_name(self) -> str:
        """What holds the stored values, as a reader knows it."""
        return self.store.name if self.store is not None else "the store"

    @property
    def scores_whole_model(self) -> bool:
        """What is compared goes into the whole candidate, not into its estimator."""
        return self.transform is not self.fitted.transform or self.fitted.is_identity

    @property
    def model_inputs(self) -> tuple[str, ...]:
        """The columns that the candidate is given."""
        return self.fitted.scorer.inputs or self.given.snapshot.features


@contextmanager
def open_all(given: Given, policy: FeaturesPolicy) -> Iterator[Opened]:
    """Open models, code and store.

    Raises:
        ConfigurationError: the policy names a feature or column that is not there, no such split or code.
        DataError: a model or data cannot be read, or the feature code fails.
    """
    with ExitStack() as opened:
        fitted = opened.enter_context(open_fitted(given.model, given.snapshot, given.digests[0]))
        champion = None
        if given.champion is not None and not given.feature_code:
            champion = opened.enter_context(open_fitted(given.champion, given.snapshot, given.digests[1]))
        transform = _code(fitted, given, policy)
        spans = spans_of(given.history, given.snapshot, given.split)
        features = features_of(transform, spans[-1])
        check_names(features, transform.name, policy)
        store: Store | None = None
        shared: dict[str, str] = {}
        if given.stored is not None:
            shared = shared_features(features, tuple(given.stored.columns), policy)
            keys = join_keys(given.stored, spans)
            if shared and keys:
                columns = tuple(dict.fromkeys(shared.values()))
                keyed = KeyedStore(given.stored, keys, columns, partition_rows=policy.partition_rows)
                store = opened.enter_context(keyed)
        elif champion is not None and not champion.is_identity:
            known = features_of(champion.transform, spans[-1])
            store, shared = StandIn(champion.transform, known), shared_features(features, known, policy)
        has_store = given.stored is not None or store is not None
        left_out = reasons_left_out(features, shared, policy) if has_store else {}
        yield Opened(given, fitted, champion, transform, spans, store, shared, left_out)


def features_of(transform: Transform, span: Span) -> tuple[str, ...]:
    """The features that code gives, found by running it on a few rows."""
    import pyarrow as pa

    columns = readable(span.snapshot, transform)
    rows = pa.Table.from_batches([next(rows_of(span, columns)).slice(0, _PROBE_ROWS)])
    return tuple(transform(rows.select(list(columns))).column_names)


def _code(fitted: FittedModel, given: Given, policy: FeaturesPolicy) -> Transform:
    if given.feature_code:
        return open_transform(given.feature_code)
    if policy.store_holds == "inputs" and not fitted.is_identity:
        return identity(fitted.scorer.inputs or given.snapshot.features)
    return fitted.transform


def check_names(features: Sequence[str], code: str, policy: FeaturesPolicy) -> None:
    """Make sure that the policy names features that the code gives.

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
    """Feature → its column in the store, for the features that are stored and not left out.

    Raises:
        ConfigurationError: the policy names a column that is not stored.
    """
    for name, other in policy.names.items():
        if other not in stored:
            raise ConfigurationError(
                "nothing is stored under this name",
                field=f"policy.names.{name}",
                value=other,
                mend=f"Use one of: {', '.join(stored)}",
            )
    found = {name: policy.names.get(name, name) for name in features if name not in policy.exclude}
    return {name: other for name, other in found.items() if other in stored}


def reasons_left_out(features: Sequence[str], shared: Mapping[str, str], policy: FeaturesPolicy) -> dict[str, str]:
    """Feature → why it is not compared, for those that are not ``shared``."""
    return {
        name: "the policy leaves it out" if name in policy.exclude else "nothing is stored under its name"
        for name in features
        if name not in shared
    }


def join_keys(stored: Snapshot, spans: Sequence[Span]) -> tuple[str, ...]:
    """The columns that join the store to every span; () where they do not all have them."""
    time = (stored.roles.time,) if stored.roles.time is not None else ()
    keys = (*stored.roles.key, *time)
    there = all(name in span.snapshot.columns for span in spans for name in keys)
    return keys if stored.roles.key and there else ()
