"""What the schema would have to become for the data at hand: for a person to accept, or to mend the data instead.

    <proposal>/schema.pbtxt     the whole proposed schema
    <proposal>/schema.diff      unified diff against the schema in force (empty when there was none to keep)
    <proposal>/proposal.json    why, and every change in words

The changes are TFDV's (``update_schema``): the smallest that make the data valid, right or wrong. A proposal that
allows an age of −90 says that there are such ages, not that there should be.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gauntlet.data import tfdv
from gauntlet.data.contract import SCHEMA_FILE, Column, Contract
from gauntlet.data.phrasing import amount, quoted, share
from gauntlet.data.profile import read_profiles, rows_only
from gauntlet.data.schema import ChosenSchema, contract_of, schema_text
from gauntlet.data.schema_inference import SERVING
from gauntlet.data.validation import Environment, Subject
from gauntlet.storage import whole_folder, write_json, write_text
from gauntlet.verdict import Status, Verdict

DIFF_FILE = "schema.diff"
PROPOSAL_FILE = "proposal.json"
_MAX_CATEGORIES = 1000
_CONTEXT_LINES = 8


@dataclass(frozen=True)
class Proposal:
    """A schema to keep.

    Attributes:
        text: ``schema.pbtxt``.
        diff: unified diff against the schema in force; empty for a first proposal.
        changes: each change in words.
        reason: why there is a proposal, one sentence.
    """

    text: str
    diff: str
    changes: tuple[str, ...]
    reason: str


def propose(schema: ChosenSchema, subjects: Sequence[Subject], verdict: Verdict) -> Proposal | None:
    """The proposal that follows from a validation, or ``None`` when the curated schema may stay as it is.

    An inferred schema is always proposed for keeping, and never widened: what it objects to in the data it was
    inferred from is for a person to look at.
    """
    if not schema.curated:
        reason = "No schema is kept yet: look this one over, keep it, and give it as the curated schema from now on."
        return Proposal(schema_text(schema.proto), "", (), reason)
    if verdict.status is Status.PASS:
        return None
    proposed = update(schema.proto, subjects)
    before, after = schema_text(schema.proto), schema_text(proposed)
    if before == after:
        return None
    lines = difflib.unified_diff(
        before.splitlines(), after.splitlines(), "schema in force", "schema proposed", n=_CONTEXT_LINES, lineterm=""
    )
    changes = tuple(describe_changes(schema.proto, proposed))
    reason = "The data differ from the curated schema: accept these changes, or mend the data."
    return Proposal(after, "\n".join(lines) + "\n", changes, reason)


def write_proposal(proposal: Proposal, destination: Path) -> None:
    """Write a proposal artifact, whole or not at all."""
    with whole_folder(destination) as folder:
        write_text(folder / SCHEMA_FILE, proposal.text)
        write_text(folder / DIFF_FILE, proposal.diff)
        write_json(folder / PROPOSAL_FILE, {"reason": proposal.reason, "changes": list(proposal.changes)})


def update(schema: Any, subjects: Sequence[Subject]) -> Any:
    """The smallest change to ``schema`` under which every data set is valid."""
    proposed = type(schema).FromString(schema.SerializeToString())
    for subject in subjects:
        if subject.environment is Environment.TRAINING:
            proposed = _update(proposed, subject.dataset)
        else:
            proposed = _update_serving(proposed, subject.dataset)
    return proposed


def describe_changes(before: Any, after: Any) -> Iterator[str]:
    """Each difference between two schemas, as a sentence about a column."""
    old, new = contract_of(before), contract_of(after)
    for name in dict.fromkeys([*old.columns, *new.columns]):
        if name not in new.columns:
            yield f"`{name}` is no longer expected."
        elif name not in old.columns:
            yield f"`{name}` is new ({new.columns[name].type})."
        else:
            yield from _column_changes(old.columns[name], new.columns[name])
    fractions = {feature.name: feature.presence.min_fraction for feature in before.feature}
    for feature in after.feature:
        was, now = fractions.get(feature.name, 0.0), feature.presence.min_fraction
        if feature.name in old.columns and feature.name in new.columns and was != now:
            yield f"`{feature.name}` may be missing in {share(1 - now)} of rows; so far in {share(1 - was)}."


def _column_changes(old: Column, new: Column) -> Iterator[str]:
    name = old.name
    if old.type != new.type:
        yield f"`{name}` becomes {new.type}; so far {old.type}."
    for end, was, now in (("minimum", old.minimum, new.minimum), ("maximum", old.maximum, new.maximum)):
        if was != now:
            yield f"`{name}` has the {end} {_limit(now)}; so far {_limit(was)}."
    added = [value for value in new.values or () if value not in set(old.values or ())]
    if added and old.values is not None:
        yield f"`{name}` may also be {quoted(added, most=8)}."


def _limit(value: float | None) -> str:
    return "none" if value is None else amount(value)


def _update(schema: Any, dataset: Any) -> Any:
    """TFDV's update, with two things put right first.

    A column whose type changed is taken out, so that TFDV infers it anew; left in, it would be declared deprecated.
    New integer codes join their list, which TFDV does not hold integers to.
    """
    reals = {column.name for column in contract_of(schema).columns.values() if column.type == "float"}
    dataset = rows_only(dataset, without=set(), reals=reals)
    found = {feature.path.step[0]: feature.type for feature in dataset.features}
    anomalies = tfdv.by_column(tfdv.validate(dataset, schema))
    from tensorflow_metadata.proto.v0 import anomalies_pb2

    retyped = {
        name
        for name, anomaly in anomalies.items()
        if name in found
        and any(reason.type == anomalies_pb2.AnomalyInfo.UNEXPECTED_DATA_TYPE for reason in anomaly.reason)
    }
    kept = [feature for feature in schema.feature if feature.name not in retyped]
    absent_at_serving = {feature.name for feature in schema.feature if SERVING in feature.not_in_environment}
    copies = [type(feature).FromString(feature.SerializeToString()) for feature in kept]
    order = [feature.name for feature in schema.feature]
    del schema.feature[:]
    schema.feature.extend(copies)
    _add_codes(schema, dataset)
    updated = tfdv.update_schema(schema, dataset, max_categories=_MAX_CATEGORIES)
    for feature in updated.feature:
        if feature.name in retyped & absent_at_serving and SERVING not in feature.not_in_environment:
            feature.not_in_environment.append(SERVING)
    return _reordered(updated, order)


def _update_serving(schema: Any, dataset: Any) -> Any:
    """The same, for columns expected at serving only; the others are not there to be looked at."""
    absent = {column.name for column in contract_of(schema).columns.values() if not column.serving}
    order = [feature.name for feature in schema.feature]
    aside = [
        type(feature).FromString(feature.SerializeToString()) for feature in schema.feature if feature.name in absent
    ]
    here = [feature for feature in schema.feature if feature.name not in absent]
    here = [type(feature).FromString(feature.SerializeToString()) for feature in here]
    del schema.feature[:]
    schema.feature.extend(here)
    updated = _update(schema, rows_only(dataset, without=absent))
    updated.feature.extend(aside)
    return _reordered(updated, order)


def _add_codes(schema: Any, dataset: Any) -> None:
    contract: Contract = contract_of(schema)
    profiles = read_profiles(dataset)
    for domain in schema.string_domain:
        column = contract.columns.get(domain.name)
        if column is not None and column.type == "int" and column.name in profiles:
            known = set(domain.value)
            domain.value.extend(value for value in profiles[column.name].values if value not in known)


def _reordered(schema: Any, order: Sequence[str]) -> Any:
    """Features in their old order, new ones last, so that a diff shows changes only."""
    rank = {name: position for position, name in enumerate(order)}
    features = sorted(schema.feature, key=lambda feature: rank.get(feature.name, len(rank)))
    copies = [type(feature).FromString(feature.SerializeToString()) for feature in features]
    del schema.feature[:]
    schema.feature.extend(copies)
    return schema
