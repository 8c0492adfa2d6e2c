"""From the statistics of a training split to a schema that leaves nothing open.

TFDV infers types, shapes and domains. It never infers a range, allows any share of missing values in a column that has
some, and reads integer codes as quantities. ``infer`` closes these, and ``InferencePolicy`` says with what margin.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from pydantic import Field

from gauntlet.data import tfdv
from gauntlet.data.profile import Profile, read_profiles
from gauntlet.data.roles import Roles
from gauntlet.settings import Settings

TRAIN_SPLIT = "train"
TRAINING = "TRAINING"
SERVING = "SERVING"
_SHARE_DECIMALS = 6


class InferencePolicy(Settings):
    """How much wider than the training data an inferred schema is."""

    range_margin: float = Field(
        0.5,
        ge=0,
        description="A number may lie this share of the observed span (maximum - minimum) outside it, on either side;"
        " but not below 0 if nothing observed was.",
    )
    missing_factor: float = Field(
        2.0, ge=1, description="The share of missing values may grow to this many times what was observed ..."
    )
    missing_slack: float = Field(
        0.05, ge=0, le=1, description="... or by this much, whichever is more. Where none was missing, none may be."
    )
    max_categories: int = Field(
        1000, ge=1, le=1000, description="Texts with more distinct values than this get no list of known categories."
    )
    min_rows_per_category: float = Field(
        5.0, ge=1, description="Nor do texts whose values recur less often than this on average (names, free text)."
    )
    unseen_floor: float = Field(
        0.001, ge=0, le=1, description="Least share of values outside the list that is tolerated at any rate."
    )


def infer(statistics: Any, columns: Mapping[str, str], roles: Roles, policy: InferencePolicy) -> Any:
    """A schema from the statistics of the training split.

    Args:
        statistics: a ``DatasetFeatureStatistics``.
        columns: name → the snapshot's type.
        roles: what each column is for.
        policy: the margins.

    Returns:
        A ``Schema`` that these statistics satisfy.
    """
    schema = tfdv.infer_schema(statistics, max_categories=policy.max_categories)
    profiles = read_profiles(statistics)
    domains = {domain.name: list(domain.value) for domain in schema.string_domain}
    del schema.string_domain[:]
    for feature in schema.feature:
        profile, kind = profiles[feature.name], columns[feature.name]
        known = domains.get(feature.domain) if feature.HasField("domain") else None
        if feature.HasField("domain"):
            feature.ClearField("domain")
        _set_presence(feature, profile, policy)
        _set_domain(schema, feature, profile, kind, known, roles, policy)
        if feature.name in roles.not_features:
            feature.not_in_environment.append(SERVING)
    schema.default_environment.extend([TRAINING, SERVING])
    return schema


def tolerated_unseen(profile: Profile, floor: float) -> float:
    """Share of values outside the known categories that a fresh sample of the same population may well have.

    The chance that the next value is of a category not seen in n is estimated by Good and Turing as N₁/n, with N₁ the
    number of categories seen exactly once (Good, "The population frequencies of species", Biometrika 40, 1953). Taken
    here with three standard deviations (Poisson) of slack, and at least ``floor``.

    >>> import numpy as np
    >>> once = Profile("c", "string", 10_000, 10_000, True, values=("a", "b"), counts=np.array([9999.0, 1.0]))
    >>> round(tolerated_unseen(once, floor=0.0), 4)
    0.0004
    """
    singletons = int((profile.counts == 1).sum())
    if not profile.present or not singletons:
        return floor
    return min(1.0, max(floor, (singletons + 3 * math.sqrt(singletons)) / profile.present))


def _set_presence(feature: Any, profile: Profile, policy: InferencePolicy) -> None:
    feature.presence.Clear()
    if not profile.present:
        feature.presence.min_count = 0  # all missing in training: nothing can be asked of it
        return
    feature.presence.min_count = 1
    missing = profile.missing_share
    allowed = min(1.0, max(missing * policy.missing_factor, missing + policy.missing_slack)) if missing else 0.0
    feature.presence.min_fraction = round(1 - allowed, _SHARE_DECIMALS)


def _set_domain(
    schema: Any,
    feature: Any,
    profile: Profile,
    kind: str,
    known: list[str] | None,
    roles: Roles,
    policy: InferencePolicy,
) -> None:
    from tensorflow_metadata.proto.v0 import schema_pb2

    if kind == "bool":
        feature.bool_domain.SetInParent()
    elif kind == "timestamp":
        feature.time_domain.integer_format = schema_pb2.TimeDomain.UNIX_SECONDS
    elif profile.categorical:
        is_code = kind == "int"
        if is_code:
            feature.int_domain.is_categorical = True
        if known is None or not _is_worth_listing(profile, policy) or feature.name in _identities(roles):
            return
        domain = schema.string_domain.add() if is_code else feature.string_domain
        domain.name = feature.name
        domain.value.extend(sorted(known, key=int) if is_code else known)
        if not is_code:
            domain.is_categorical = schema_pb2.StringDomain.CATEGORICAL_YES
            mass = 1 - tolerated_unseen(profile, policy.unseen_floor)
            feature.distribution_constraints.min_domain_mass = round(mass, _SHARE_DECIMALS)
    elif profile.present and feature.name not in _identities(roles):
        low, high = _range(profile, policy.range_margin)
        if kind == "int":
            feature.int_domain.min, feature.int_domain.max = math.floor(low), math.ceil(high)
        else:
            feature.float_domain.min, feature.float_domain.max = low, high


def _is_worth_listing(profile: Profile, policy: InferencePolicy) -> bool:
    return profile.distinct <= 2 or profile.present >= policy.min_rows_per_category * profile.distinct


def _identities(roles: Roles) -> frozenset[str]:
    """Columns whose values are new by nature: they name things, or say when."""
    return frozenset(name for name in (*roles.key, roles.cluster, roles.time) if name is not None)


def _range(profile: Profile, margin: float) -> tuple[float, float]:
    slack = margin * (profile.maximum - profile.minimum)
    low = profile.minimum - slack
    return (0.0 if low < 0 <= profile.minimum else low), profile.maximum + slack
