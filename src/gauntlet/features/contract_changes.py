"""What a new feature contract breaks, and what is merely new."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from pydantic import Field

from gauntlet.data.phrasing import counted, quoted, share
from gauntlet.digest import short
from gauntlet.features.contract import FeatureContract, Terms
from gauntlet.proportions import wilson
from gauntlet.settings import Settings
from gauntlet.verdict import Check, Status

Severity = Literal["fail", "inconclusive", "pass"]


class Change(StrEnum):
    """What can change between two contracts."""

    GONE = "gone"
    """A feature that was given is no longer."""
    NOT_READ = "not_read"
    """A feature that was read is no longer."""
    NEW = "new"
    """A feature that was not there."""
    NEW_REQUIRED = "new_required"
    """A model needs a column that the one before did not read."""
    ORDER = "order"
    """The features that stayed are in another order."""
    TYPE = "type"
    """Text where numbers were, and the like."""
    NARROWED = "narrowed"
    """A model reads whole numbers where it read any."""
    FRACTIONS = "fractions"
    """Real numbers are given where whole numbers were."""
    WIDENED = "widened"
    """A type that holds all that the one before held."""
    REQUIRED = "required"
    """A model refuses rows without a value, and the one before took them."""
    OPTIONAL = "optional"
    """A model takes rows without a value, and the one before refused them."""
    MISSING_NOW = "missing_now"
    """Values are missing where none were."""
    FILLED_NOW = "filled_now"
    """No value is missing where some were."""
    OTHER_CATEGORIES = "other_categories"
    """Not one category is the same."""
    CATEGORIES_GONE = "categories_gone"
    """Categories that were there are no longer."""
    CATEGORIES_NEW = "categories_new"
    """Categories that were not there are now."""
    STATE = "state"
    """The code of the features has learned something else."""


DEFAULTS: dict[Change, Severity] = {
    Change.GONE: "fail",
    Change.NOT_READ: "pass",
    Change.NEW: "pass",
    Change.NEW_REQUIRED: "inconclusive",
    Change.ORDER: "inconclusive",
    Change.TYPE: "fail",
    Change.NARROWED: "fail",
    Change.FRACTIONS: "inconclusive",
    Change.WIDENED: "pass",
    Change.REQUIRED: "fail",
    Change.OPTIONAL: "pass",
    Change.MISSING_NOW: "fail",
    Change.FILLED_NOW: "inconclusive",
    Change.OTHER_CATEGORIES: "fail",
    Change.CATEGORIES_GONE: "inconclusive",
    Change.CATEGORIES_NEW: "pass",
    Change.STATE: "pass",
}
"""``fail`` breaks a reader, ``inconclusive`` may break one that nobody can see from here, ``pass`` is merely new."""


class ContractPolicy(Settings):
    """Policy of the comparison of contracts."""

    severity: dict[Change, Severity] = Field({}, description="Change → what it amounts to. Default: see DEFAULTS.")
    accepted: tuple[str, ...] = Field((), description="Features whose changes are announced: they are said, and pass.")
    confidence: float = Field(
        0.99, gt=0.5, lt=1, description="How sure, over all features, that an observed change is not the sample's."
    )


@dataclass(frozen=True)
class Found:
    """One change.

    Attributes:
        change: what kind.
        feature: the feature; empty for a change of the whole.
        reason: the sentence, with the mend.
        measured: a share of rows, where one was compared.
        sample_size: the rows it rests on.
    """

    change: Change
    feature: str
    reason: str
    measured: float | None = None
    sample_size: int | None = None


def compare_contracts(before: FeatureContract, after: FeatureContract, policy: ContractPolicy) -> tuple[Check, ...]:
    """Hold a new contract against the one that others rely on.

    Args:
        before: what is relied on: the champion's, or the store's.
        after: the new one, of the same side.
        policy: severities.

    Returns:
        One check a change, and one that says what agrees.

    Raises:
        ValueError: one party reads and the other gives; what breaks a reader does not break a giver.
    """
    if before.side != after.side:
        raise ValueError(f"{before.owner} {before.side} features, {after.owner} {after.side} them")
    found = tuple(_changes(before, after, policy))
    changed = {one.feature for one in found}
    agreed = [name for name in after.terms if name in before.terms and name not in changed]
    checks = [_check(one, policy) for one in found]
    if not before.terms or not after.terms:
        empty = after if before.terms else before
        reason = f"{empty.owner} has no features to compare.".capitalize()
        return (Check("contract", Status.ERROR, reason, code="check_features.contract"),)
    said = (
        f"{counted(len(agreed), 'feature')} of {after.owner} agree{'s' if len(agreed) == 1 else ''} with"
        f" {before.owner} in name, type, missing values and categories."
    )
    agree = Check("contract", Status.PASS, said, measured=float(len(agreed)), code="check_features.contract")
    return (*checks, agree)


def _check(found: Found, policy: ContractPolicy) -> Check:
    severity, reason = policy.severity.get(found.change, DEFAULTS[found.change]), found.reason
    if severity != "pass" and found.feature in policy.accepted:
        severity, reason = "pass", f"{reason} The policy accepts it."
    what = found.change.value.replace("_", " ")
    name = f"contract: {found.feature}, {what}" if found.feature else f"contract: {what}"
    return Check(
        name,
        Status(severity),
        reason,
        measured=found.measured,
        sample_size=found.sample_size,
        code=f"check_features.contract.{found.change.value}",
        subject=found.feature,
    )


def _changes(before: FeatureContract, after: FeatureContract, policy: ContractPolicy) -> Iterator[Found]:
    yield from _names(before, after)
    yield from _order(before, after)
    common = [name for name in before.terms if name in after.terms]
    alpha = (1 - policy.confidence) / max(1, len(common))
    for name in common:
        first, second = before.terms[name], after.terms[name]
        kind = _type(first, second, before, after)
        if kind is not None:
            yield kind
        if kind is None or kind.change is not Change.TYPE:
            yield from _missing(first, second, before, after, alpha)
            yield from _categories(first, second, before, after, alpha)
    if before.state and after.state and before.state != after.state:
        yield Found(
            Change.STATE,
            "",
            f"What the feature code has learned differs: {short(after.state)} in {after.owner}, {short(before.state)}"
            f" in {before.owner}. That is expected after fitting anew; whether values changed, only a replay shows.",
        )


def _names(before: FeatureContract, after: FeatureContract) -> Iterator[Found]:
    for name in before.terms:
        if name not in after.terms and before.side == "gives":
            said = f"`{name}` is given by {before.owner} and not by {after.owner}: whoever reads it finds nothing."
            yield Found(Change.GONE, name, f"{said} Keep giving it, or retire its readers first.")
        elif name not in after.terms:
            said = f"`{name}` is read by {before.owner} and no longer by {after.owner}."
            yield Found(Change.NOT_READ, name, f"{said} Callers may go on sending it.")
    for name, terms in after.terms.items():
        if name in before.terms:
            continue
        if before.side == "gives":
            said = f"`{name}` is new in {after.owner}: the past has no values for it."
            yield Found(Change.NEW, name, f"{said} Backfill it before a model learns from stored features.")
        elif terms.required:
            said = f"`{name}` is new in {after.owner}, which needs it in every row."
            yield Found(Change.NEW_REQUIRED, name, f"{said} Make sure that callers send it, then accept the change.")
        else:
            yield Found(Change.NEW, name, f"`{name}` is new in {after.owner}, which does without it where need be.")


def _order(before: FeatureContract, after: FeatureContract) -> Iterator[Found]:
    first = [name for name in before.terms if name in after.terms]
    second = [name for name in after.terms if name in before.terms]
    if first != second:
        place = next(number for number, pair in enumerate(zip(first, second, strict=True)) if pair[0] != pair[1])
        yield Found(
            Change.ORDER,
            "",
            f"The features are in another order: in place {place + 1} {after.owner} has `{second[place]}`,"
            f" {before.owner} has `{first[place]}`. Whoever reads them by position takes one for the other; keep the"
            " order, or read by name.",
        )


def _type(first: Terms, second: Terms, before: FeatureContract, after: FeatureContract) -> Found | None:
    if first.type == second.type or not first.type or not second.type:
        return None
    said = f"`{first.name}` is {second.type} in {after.owner} and {first.type} in {before.owner}"
    if (first.type, second.type) == ("int", "float"):
        if before.side == "reads":
            return Found(Change.WIDENED, first.name, f"{said}: whole numbers are still read.")
        mend = "Round it as before, or change the stored type first."
        return Found(Change.FRACTIONS, first.name, f"{said}: readers may not expect fractions. {mend}")
    if (first.type, second.type) == ("float", "int"):
        if before.side == "gives":
            return Found(Change.WIDENED, first.name, f"{said}: readers of real numbers can read it.")
        mend = "Train on the type that is served."
        return Found(Change.NARROWED, first.name, f"{said}: callers that send fractions are refused. {mend}")
    return Found(Change.TYPE, first.name, f"{said}. Convert it to what its readers expect, or give it another name.")


def _missing(
    first: Terms, second: Terms, before: FeatureContract, after: FeatureContract, alpha: float
) -> Iterator[Found]:
    name = first.name
    if before.side == "reads":
        if second.required and first.required is False:
            said = f"{after.owner} refuses rows without `{name}`, and {before.owner} took them."
            yield Found(Change.REQUIRED, name, f"{_upper(said)} Train with rows that lack it, or make callers send it.")
        elif first.required and second.required is False:
            yield Found(Change.OPTIONAL, name, _upper(f"{after.owner} takes rows without `{name}`."))
        return
    if not first.rows or not second.rows:
        return
    was, now = first.missing / first.rows, second.missing / second.rows
    if not first.missing and second.missing:
        # No missing value in n rows: at confidence 1 - alpha their share is at most 1 - alpha^(1/n).
        if wilson(second.missing, second.rows, alpha)[0] > 1 - math.pow(alpha, 1 / first.rows):
            said = f"`{name}` is missing in {share(now)} of the rows of {after.owner}, and in none of {before.owner}."
            mend = "Fill it as before, or make sure that its readers take a missing value."
            yield Found(Change.MISSING_NOW, name, f"{said} {mend}", now, second.rows)
    elif first.missing and not second.missing and (1 - was) ** second.rows < alpha:
        said = f"`{name}` is never missing in {after.owner}, and is in {share(was)} of the rows of {before.owner}."
        mend = "If values are filled in now, fill them in the past as well."
        yield Found(Change.FILLED_NOW, name, f"{said} {mend}", now, second.rows)


def _categories(
    first: Terms, second: Terms, before: FeatureContract, after: FeatureContract, alpha: float
) -> Iterator[Found]:
    if not first.categories or not second.categories:
        return
    name, present = first.name, second.rows - second.missing
    if not first.categories.keys() & second.categories.keys():
        yield Found(
            Change.OTHER_CATEGORIES,
            name,
            f"`{name}` has none of its categories left: {after.owner} has {quoted(list(second.categories))},"
            f" {before.owner} {quoted(list(first.categories))}. Map them to the old names, or give it another name.",
        )
        return
    total = sum(first.categories.values())
    gone = [
        value
        for value, rows in first.categories.items()
        # One that was rare may be missing from a sample by chance; a declared list is no sample.
        if value not in second.categories and (not total or not second.rows or (1 - rows / total) ** present < alpha)
    ]
    new = [value for value in second.categories if value not in first.categories]
    if gone:
        said = f"`{name}` no longer has {quoted(gone)} in {after.owner}."
        mend = "If the value is still out there, it counts as unseen: check the mapping."
        yield Found(Change.CATEGORIES_GONE, name, f"{said} {mend}")
    if new:
        yield Found(
            Change.CATEGORIES_NEW, name, f"`{name}` has {quoted(new)} in {after.owner}, which {before.owner} has not."
        )


def _upper(sentence: str) -> str:
    return sentence[0].upper() + sentence[1:]
