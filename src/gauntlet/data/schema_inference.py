"""From the statistics of a training split to a schema that leaves nothing open.

TFDV infers types, shapes and domains. It never infers a range, allows any share of missing values in a column that has
some, and reads integer codes as quantities. ``infer`` closes these, and ``InferencePolicy`` says with what margin.

What no row showed is not forbidden by that. Ranges, and that nothing is missing, hold for all splits, as far as these
are draws of one law: what another split has beyond the training split widens them, unless chance does not explain it.
And a tag of the feature, ``inferred from 2100 rows``, says how much was seen: the gate judges by it what a range, or a
column without a missing value, is worth. Without the tag both are promises.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import Field

from gauntlet.data import tfdv
from gauntlet.data.outside import End, extreme, outside
from gauntlet.data.profile import Profile, read_profiles, rows_only
from gauntlet.data.roles import Roles
from gauntlet.settings import Settings
from gauntlet.stats.proportions import chance_of_first_hits, clopper_pearson

TRAIN_SPLIT = "train"
TRAINING = "TRAINING"
SERVING = "SERVING"
_MILLIONTHS = 1e6
_TAG = "inferred from {rows} rows"
_MASS_TAG = "min_domain_mass {mass}"
"""Of codes: TFDV takes the constraint of this name on texts alone."""
_UNSEEN_ALPHA = 0.001
"""Chance that a share is above what ``tolerated_unseen`` says."""


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
        0.05,
        ge=0,
        lt=1,
        description="... or by this much, whichever is more. Where none was missing, only what chance explains may be,"
        " after so many rows without.",
    )
    max_categories: int = Field(
        1000, ge=1, le=1000, description="Texts with more distinct values than this get no list of known categories."
    )
    min_rows_per_category: float = Field(
        5.0, ge=1, description="Nor do texts whose values recur less often than this on average (names, free text)."
    )
    unseen_floor: float = Field(
        0.001, ge=0, lt=1, description="Least share of values outside the list that is tolerated at any rate."
    )
    confidence: float = Field(
        0.99,
        gt=0.5,
        lt=1,
        description="What other splits have and the training split has not (values beyond its range, missing values)"
        " is taken into the schema, unless it is this sure, over all columns and splits together, that these are not"
        " draws of the same data.",
    )


def infer(
    statistics: Any, columns: Mapping[str, str], roles: Roles, policy: InferencePolicy, others: Sequence[Any] = ()
) -> Any:
    """A schema from the statistics of the training split, that holds for other splits of the same data.

    Args:
        statistics: a ``DatasetFeatureStatistics``. Example weights in it play no part: a schema is about rows.
        columns: name → the snapshot's type.
        roles: what each column is for.
        policy: the margins.
        others: the same of the other splits.

    Returns:
        A ``Schema`` that these statistics satisfy, but for lone values far from all others.
    """
    statistics = rows_only(statistics)
    schema = tfdv.infer_schema(statistics, max_categories=policy.max_categories)
    profiles = read_profiles(statistics)
    beside = [read_profiles(other) for other in others]
    alpha = (1 - policy.confidence) / (3 * max(1, len(profiles) * len(beside)))
    domains = {domain.name: list(domain.value) for domain in schema.string_domain}
    del schema.string_domain[:]
    for feature in schema.feature:
        known = domains.get(feature.domain) if feature.HasField("domain") else None
        if feature.HasField("domain"):
            feature.ClearField("domain")
        splits = [split[feature.name] for split in beside if feature.name in split]
        profile = profiles[feature.name]
        seen = _see(profile, splits, policy, alpha)
        if seen.rows:
            feature.annotation.tag.append(_TAG.format(rows=seen.rows))
        _set_presence(feature, seen, policy)
        _set_domain(schema, feature, profile, seen, columns[feature.name], known, roles, policy)
        if feature.name in roles.not_features:
            feature.not_in_environment.append(SERVING)
    schema.default_environment.extend([TRAINING, SERVING])
    return schema


def learned_from(feature: Any) -> int | None:
    """Rows that a ``Feature`` was inferred from; ``None`` where a person says what it must be."""
    found = _tagged(feature, _TAG.format(rows=r"(\d+)"))
    return None if found is None else int(found)


def listed_mass(feature: Any) -> float | None:
    """Share of values that must be of the listed categories or codes; ``None`` where the schema does not say."""
    if feature.HasField("distribution_constraints"):
        return float(feature.distribution_constraints.min_domain_mass)
    found = _tagged(feature, _MASS_TAG.format(mass=r"(\d\.\d+)"))
    return None if found is None else float(found)


def _tagged(feature: Any, pattern: str) -> str | None:
    matches = (re.fullmatch(pattern, tag.strip()) for tag in feature.annotation.tag)
    return next((match[1] for match in matches if match), None)


def tolerated_unseen(profile: Profile, floor: float = 0.0) -> float:
    """Share of values outside the known categories that a fresh sample of the same population may well have.

    The chance that the next value is of a category not seen in n is estimated by Good and Turing as N₁/n, with N₁ the
    number of categories seen exactly once (Good, "The population frequencies of species", Biometrika 40, 1953). Taken
    here is the upper end of its exact interval, one-sided at 99.9 %, and at least ``floor``. Where nothing was seen
    just once, a category may still be there that n rows did not show: 6.9 / n.

    >>> import numpy as np
    >>> once = Profile("c", "string", 10_000, 10_000, True, values=("a", "b"), counts=np.array([9999.0, 1.0]))
    >>> round(tolerated_unseen(once, floor=0.0), 4)
    0.0009
    """
    singletons = int((profile.counts == 1).sum())
    if not profile.present:
        return floor
    return max(floor, clopper_pearson(singletons, profile.present, 2 * _UNSEEN_ALPHA)[1])


@dataclass(frozen=True)
class _Seen:
    """What the splits that are draws of the same data show of one column.

    Attributes:
        rows: rows with a value.
        missing, of: rows without one, and rows in all.
        minimum, maximum: of the values that belong together; NaN for categories.
        unseen: largest share, in a split, of values of categories that the training split does not have.
        gaps: largest share, in a split, of rows without a value.
    """

    rows: int
    missing: int
    of: int
    minimum: float = float("nan")
    maximum: float = float("nan")
    unseen: float = 0.0
    gaps: float = 0.0

    def allowed_missing(self, policy: InferencePolicy) -> float:
        """Share of rows that may be without a value; 0 where none is."""
        share = self.missing / self.of
        return min(1.0, max(share * policy.missing_factor, share + policy.missing_slack, self.gaps)) if share else 0.0


def _see(train: Profile, others: Sequence[Profile], policy: InferencePolicy, alpha: float) -> _Seen:
    """The training split, and of the others what chance explains, at ``alpha`` for each of three comparisons."""
    missing, of, gaps = _gaps(train, others, policy, alpha)
    if train.categorical or not train.present:
        return _Seen(train.present, missing, of, unseen=_unseen(train, others, policy, alpha), gaps=gaps)
    low, high = extreme(train, "low"), extreme(train, "high")
    limits = _range(low, high, policy.range_margin)
    rows = train.present
    for other in others:
        if other.categorical or not other.present:
            continue
        ends: tuple[End, End] = ("low", "high")
        holds = [
            outside(other, limit, end).chance(train.present) >= alpha for end, limit in zip(ends, limits, strict=True)
        ]
        low = min(low, extreme(other, "low")) if holds[0] else low
        high = max(high, extreme(other, "high")) if holds[1] else high
        rows += other.present if all(holds) else 0
    return _Seen(rows, missing, of, low, high, gaps=gaps)


def _gaps(train: Profile, others: Sequence[Profile], policy: InferencePolicy, alpha: float) -> tuple[int, int, float]:
    """Rows without a value, rows in all, and the largest share of a split where chance explains it."""
    missing, of, found = train.rows - train.present, train.rows, [0.0]
    allowed = _Seen(train.present, missing, of).allowed_missing(policy)
    for other in others:
        gaps = other.rows - other.present
        if allowed:
            alike = clopper_pearson(gaps, other.rows, alpha)[0] <= allowed
        else:
            alike = chance_of_first_hits(gaps, train.rows, other.rows) >= alpha
            missing, of = (missing + gaps, of + other.rows) if alike else (missing, of)
        if alike:
            found.append(gaps / other.rows)
    return missing, of, max(found)


def _unseen(train: Profile, others: Sequence[Profile], policy: InferencePolicy, alpha: float) -> float:
    """The largest share of values of unseen categories in splits where chance explains it."""
    tolerated, known = tolerated_unseen(train, policy.unseen_floor), set(train.values)
    found = [0.0]
    for other in others:
        if other.categorical and other.present:
            rows = other.present - sum(count for value, count in other.count_of.items() if value in known)
            if clopper_pearson(rows, other.present, alpha)[0] <= tolerated:
                found.append(rows / other.present)
    return max(found)


def _set_presence(feature: Any, seen: _Seen, policy: InferencePolicy) -> None:
    feature.presence.Clear()
    if not seen.rows:
        feature.presence.min_count = 0  # all missing in training: nothing can be asked of it
        return
    feature.presence.min_count = 1
    feature.presence.min_fraction = _rounded_down(1 - seen.allowed_missing(policy))


def _set_domain(
    schema: Any,
    feature: Any,
    profile: Profile,
    seen: _Seen,
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
        mass = _rounded_down(1 - max(tolerated_unseen(profile, policy.unseen_floor), seen.unseen))
        if is_code:
            feature.annotation.tag.append(_MASS_TAG.format(mass=mass))
        else:
            domain.is_categorical = schema_pb2.StringDomain.CATEGORICAL_YES
            feature.distribution_constraints.min_domain_mass = mass
    elif profile.present and feature.name not in _identities(roles):
        low, high = _range(seen.minimum, seen.maximum, policy.range_margin)
        if kind == "int":
            feature.int_domain.min, feature.int_domain.max = math.floor(low), math.ceil(high)
        else:
            feature.float_domain.min, feature.float_domain.max = low, high


def _is_worth_listing(profile: Profile, policy: InferencePolicy) -> bool:
    if profile.rest > 0 or profile.distinct > policy.max_categories:  # TFDV lists 1,000 of more
        return False
    return profile.distinct <= 2 or profile.present >= policy.min_rows_per_category * profile.distinct


def _identities(roles: Roles) -> frozenset[str]:
    """Columns whose values are new by nature: they name things, or say when."""
    return frozenset(name for name in (*roles.key, roles.cluster, roles.time) if name is not None)


def _rounded_down(share: float) -> float:
    """To six decimals, so that what was seen stays allowed."""
    return math.floor(share * _MILLIONTHS) / _MILLIONTHS


def _range(low: float, high: float, margin: float) -> tuple[float, float]:
    slack = margin * (high - low)
    return (0.0 if low - slack < 0 <= low else low - slack), high + slack
