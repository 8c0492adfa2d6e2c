"""Compares feature contracts, and tells breaking changes from compatible ones."""

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
from gauntlet.settings import Settings
from gauntlet.stats.proportions import clopper_pearson
from gauntlet.verdict import Check, Status

Severity = Literal["fail", "inconclusive", "pass"]


class ChangeKind(StrEnum):
    """Kind of change between two contracts."""

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
    """The fitted state of the feature code differs."""


DEFAULTS: dict[ChangeKind, Severity] = {
    ChangeKind.GONE: "fail",
    ChangeKind.NOT_READ: "pass",
    ChangeKind.NEW: "pass",
    ChangeKind.NEW_REQUIRED: "inconclusive",
    ChangeKind.ORDER: "inconclusive",
    ChangeKind.TYPE: "fail",
    ChangeKind.NARROWED: "fail",
    ChangeKind.FRACTIONS: "inconclusive",
    ChangeKind.WIDENED: "pass",
    ChangeKind.REQUIRED: "fail",
    ChangeKind.OPTIONAL: "pass",
    ChangeKind.MISSING_NOW: "fail",
    ChangeKind.FILLED_NOW: "inconclusive",
    ChangeKind.OTHER_CATEGORIES: "fail",
    ChangeKind.CATEGORIES_GONE: "inconclusive",
    ChangeKind.CATEGORIES_NEW: "pass",
    ChangeKind.STATE: "pass",
}
"""``fail`` breaks readers, ``inconclusive`` may break unknown readers, ``pass`` is compatible."""


class ContractPolicy(Settings):
    """Settings of the comparison of contracts."""

    severity: dict[ChangeKind, Severity] = Field(
        {}, description="Kind of change → its severity. Defaults: at the end of this page."
    )
    accepted: tuple[str, ...] = Field(
        (), description="Features whose changes are announced: they are reported, and pass."
    )
    confidence: float = Field(
        0.99, gt=0.5, lt=1, description="Confidence, over all features, that an observed change is not sampling error."
    )


@dataclass(frozen=True)
class ContractChange:
    """ChangeKind of a feature, or of the whole contract.

    Attributes:
        kind: what changed.
        feature: the feature; empty for a change of the whole.
        reason: a sentence, with the mend.
        measured: share of rows, where shares were compared; else ``None``.
        sample_size: number of rows it rests on.
    """

    kind: ChangeKind
    feature: str
    reason: str
    measured: float | None = None
    sample_size: int | None = None


def compare_contracts(before: FeatureContract, after: FeatureContract, policy: ContractPolicy) -> tuple[Check, ...]:
    """Compare a new contract with the one that readers rely on.

    Args:
        before: the contract relied on: the champion's, or the store's.
        after: the new one, of the same side.
        policy: severities.

    Returns:
        One check per change, and one that counts the features that agree.

    Raises:
        ValueError: one side reads and the other gives; the same change does not break both.
    """
    if before.side != after.side:
        raise ValueError(f"{before.owner} {before.side} features, {after.owner} {after.side} them")
    changes = tuple(_changes(before, after, policy))
    changed = {change.feature for change in changes}
    agreed = [name for name in after.terms if name in before.terms and name not in changed]
    checks = [_check(change, policy) for change in changes]
    if not before.terms or not after.terms:
        empty = after if before.terms else before
        reason = f"{empty.owner} has no features to compare.".capitalize()
        return (Check("contract", Status.ERROR, reason, code="check_features.contract"),)
    sentence = (
        f"{counted(len(agreed), 'feature')} of {after.owner} agree{'s' if len(agreed) == 1 else ''} with"
        f" {before.owner} in name, type, missing values and categories."
    )
    agree = Check("contract", Status.PASS, sentence, measured=float(len(agreed)), code="check_features.contract")
    return (*checks, agree)


def _check(change: ContractChange, policy: ContractPolicy) -> Check:
    severity, reason = policy.severity.get(change.kind, DEFAULTS[change.kind]), change.reason
    if severity != "pass" and change.feature in policy.accepted:
        severity, reason = "pass", f"{reason} The policy accepts it."
    what = change.kind.value.replace("_", " ")
    name = f"contract: {change.feature}, {what}" if change.feature else f"contract: {what}"
    return Check(
        name,
        Status(severity),
        reason,
        measured=change.measured,
        sample_size=change.sample_size,
        code=f"check_features.contract.{change.kind.value}",
        subject=change.feature,
    )


def _changes(before: FeatureContract, after: FeatureContract, policy: ContractPolicy) -> Iterator[ContractChange]:
    yield from _names(before, after)
    yield from _order(before, after)
    common = [name for name in before.terms if name in after.terms]
    alpha = (1 - policy.confidence) / max(1, len(common))
    for name in common:
        first, second = before.terms[name], after.terms[name]
        change = _type(first, second, before, after)
        if change is not None:
            yield change
        if change is None or change.kind is not ChangeKind.TYPE:
            yield from _missing(first, second, before, after, alpha)
            yield from _categories(first, second, before, after, alpha)
    if before.state and after.state and before.state != after.state:
        yield ContractChange(
            ChangeKind.STATE,
            "",
            f"What the feature code has learned differs: {short(after.state)} in {after.owner}, {short(before.state)}"
            f" in {before.owner}. That is expected after fitting anew; whether values changed, only a replay shows.",
        )


def _names(before: FeatureContract, after: FeatureContract) -> Iterator[ContractChange]:
    for name in before.terms:
        if name not in after.terms and before.side == "gives":
            sentence = f"`{name}` is given by {before.owner} and not by {after.owner}: whoever reads it finds nothing."
            yield ContractChange(ChangeKind.GONE, name, f"{sentence} Keep giving it, or retire its readers first.")
        elif name not in after.terms:
            sentence = f"`{name}` is read by {before.owner} and no longer by {after.owner}."
            yield ContractChange(ChangeKind.NOT_READ, name, f"{sentence} Callers may go on sending it.")
    for name, terms in after.terms.items():
        if name in before.terms:
            continue
        if before.side == "gives":
            sentence = f"`{name}` is new in {after.owner}: the past has no values for it."
            yield ContractChange(
                ChangeKind.NEW, name, f"{sentence} Backfill it before a model learns from stored features."
            )
        elif terms.required:
            sentence = f"`{name}` is new in {after.owner}, which needs it in every row."
            yield ContractChange(
                ChangeKind.NEW_REQUIRED, name, f"{sentence} Make sure that callers send it, then accept the change."
            )
        else:
            yield ContractChange(
                ChangeKind.NEW, name, f"`{name}` is new in {after.owner}, which does without it where need be."
            )


def _order(before: FeatureContract, after: FeatureContract) -> Iterator[ContractChange]:
    first = [name for name in before.terms if name in after.terms]
    second = [name for name in after.terms if name in before.terms]
    if first != second:
        place = next(number for number, pair in enumerate(zip(first, second, strict=True)) if pair[0] != pair[1])
        yield ContractChange(
            ChangeKind.ORDER,
            "",
            f"The features are in another order: in place {place + 1} {after.owner} has `{second[place]}`,"
            f" {before.owner} has `{first[place]}`. Whoever reads them by position takes one for the other; keep the"
            " order, or read by name.",
        )


def _type(first: Terms, second: Terms, before: FeatureContract, after: FeatureContract) -> ContractChange | None:
    if first.type == second.type or not first.type or not second.type:
        return None
    sentence = f"`{first.name}` is {second.type} in {after.owner} and {first.type} in {before.owner}"
    if (first.type, second.type) == ("int", "float"):
        if before.side == "reads":
            return ContractChange(ChangeKind.WIDENED, first.name, f"{sentence}: whole numbers are still read.")
        mend = "Round it as before, or change the stored type first."
        return ContractChange(ChangeKind.FRACTIONS, first.name, f"{sentence}: readers may not expect fractions. {mend}")
    if (first.type, second.type) == ("float", "int"):
        if before.side == "gives":
            return ContractChange(ChangeKind.WIDENED, first.name, f"{sentence}: readers of real numbers can read it.")
        mend = "Train on the type that is served."
        return ContractChange(
            ChangeKind.NARROWED, first.name, f"{sentence}: callers that send fractions are refused. {mend}"
        )
    return ContractChange(
        ChangeKind.TYPE, first.name, f"{sentence}. Convert it to what its readers expect, or give it another name."
    )


def _missing(
    first: Terms, second: Terms, before: FeatureContract, after: FeatureContract, alpha: float
) -> Iterator[ContractChange]:
    name = first.name
    if before.side == "reads":
        if second.required and first.required is False:
            sentence = f"{after.owner} refuses rows without `{name}`, and {before.owner} took them."
            yield ContractChange(
                ChangeKind.REQUIRED, name, f"{_upper(sentence)} Train with rows that lack it, or make callers send it."
            )
        elif first.required and second.required is False:
            yield ContractChange(ChangeKind.OPTIONAL, name, _upper(f"{after.owner} takes rows without `{name}`."))
        return
    if not first.rows or not second.rows:
        return
    was, now = first.missing / first.rows, second.missing / second.rows
    if not first.missing and second.missing:
        # No missing value in n rows: at confidence 1 - alpha their share is at most 1 - alpha^(1/n).
        if clopper_pearson(second.missing, second.rows, alpha)[0] > 1 - math.pow(alpha, 1 / first.rows):
            sentence = (
                f"`{name}` is missing in {share(now)} of the rows of {after.owner}, and in none of {before.owner}."
            )
            mend = "Fill it as before, or make sure that its readers take a missing value."
            yield ContractChange(ChangeKind.MISSING_NOW, name, f"{sentence} {mend}", now, second.rows)
    elif first.missing and not second.missing and _would_show(first.missing, first.rows, second.rows, alpha):
        sentence = f"`{name}` is never missing in {after.owner}, and is in {share(was)} of the rows of {before.owner}."
        mend = "If values are filled in now, fill them in the past as well."
        yield ContractChange(ChangeKind.FILLED_NOW, name, f"{sentence} {mend}", now, second.rows)


def _categories(
    first: Terms, second: Terms, before: FeatureContract, after: FeatureContract, alpha: float
) -> Iterator[ContractChange]:
    if not first.categories or not second.categories:
        return
    name, present = first.name, second.rows - second.missing
    if not first.categories.keys() & second.categories.keys():
        yield ContractChange(
            ChangeKind.OTHER_CATEGORIES,
            name,
            f"`{name}` has none of its categories left: {after.owner} has {quoted(list(second.categories))},"
            f" {before.owner} {quoted(list(first.categories))}. Map them to the old names, or give it another name.",
        )
        return
    total = sum(first.categories.values())
    alpha_each = alpha / len(first.categories)
    gone = [
        value
        for value, rows in first.categories.items()
        # One that was rare may be missing from a sample by chance; a declared list is no sample.
        if value not in second.categories
        and (not total or not second.rows or _would_show(rows, total, present, alpha_each))
    ]
    new = [value for value in second.categories if value not in first.categories]
    if gone:
        sentence = f"`{name}` no longer has {quoted(gone)} in {after.owner}."
        mend = "If the value is still out there, it counts as unseen: check the mapping."
        yield ContractChange(ChangeKind.CATEGORIES_GONE, name, f"{sentence} {mend}")
    if new:
        yield ContractChange(
            ChangeKind.CATEGORIES_NEW,
            name,
            f"`{name}` has {quoted(new)} in {after.owner}, which {before.owner} has not.",
        )


def _would_show(found: float, rows: float, others: int, alpha: float) -> bool:
    """Whether what was in ``found`` of ``rows`` rows would be in one of ``others`` at least, but for chance alpha."""
    least = clopper_pearson(found, rows, alpha)[0]
    return (1 - least) ** others < alpha


def _upper(sentence: str) -> str:
    return sentence[0].upper() + sentence[1:]
