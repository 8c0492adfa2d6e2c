"""Pages of the schema: constraints of every column, and violations in the data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from gauntlet.data.contract import Column
from gauntlet.data.phrasing import amount, quoted, share
from gauntlet.data.proposal import Proposal
from gauntlet.data.schema import ChosenSchema, contract_of, schema_text
from gauntlet.data.schema_inference import learned_from
from gauntlet.reports.page import render
from gauntlet.verdict import Verdict

_LISTED_VALUES = 6


@dataclass(frozen=True)
class Rule:
    """Constraints of one column, in words."""

    column: str
    type: str
    allowed: str
    missing: str
    serving: str


@dataclass(frozen=True)
class SchemaView:
    """Content of the pages: a schema, and its validation.

    Attributes:
        origin: its source.
        curated: whether a team keeps it.
        rules: one per column.
        text: the proto as text.
        proposal: proposed changes; ``None`` without any.
    """

    origin: str
    curated: bool
    rules: tuple[Rule, ...]
    text: str
    proposal: Proposal | None = None


def schema_page(schema: ChosenSchema) -> str:
    """Render the report of ``infer_schema``."""
    return render("schema.html.j2", title="What the data should be", subtitle=schema.origin, view=schema_view(schema))


def validation_page(verdict: Verdict, schema: ChosenSchema, proposal: Proposal | None) -> str:
    """Render the report of ``validate_schema``."""
    return render(
        "validation.html.j2",
        title="Are the data what they should be?",
        subtitle=f"schema {schema.origin}",
        view=schema_view(schema, proposal),
        verdict=verdict,
    )


def schema_view(schema: ChosenSchema, proposal: Proposal | None = None) -> SchemaView:
    """Make the view of a schema."""
    features = {feature.name: feature for feature in schema.proto.feature}
    rules = tuple(_rule(column, features[name]) for name, column in contract_of(schema.proto).columns.items())
    return SchemaView(schema.origin, schema.curated, rules, schema_text(schema.proto), proposal)


def _rule(column: Column, feature: Any) -> Rule:
    kind = "category" if column.categorical and column.type == "int" else column.type
    missing, rows = 1 - feature.presence.min_fraction, learned_from(feature)
    return Rule(
        column=column.name,
        type=kind,
        allowed=_allowed(column),
        missing=f"up to {share(missing)}" if missing > 0 else "never" if rows is None else f"never in {rows:,} rows",
        serving="yes" if column.serving else "no",
    )


def _allowed(column: Column) -> str:
    if column.values is not None:
        return quoted(column.values, most=_LISTED_VALUES)
    low, high = column.minimum, column.maximum
    if low is not None and high is not None:
        return f"{amount(low)} to {amount(high)}"
    if low is not None:
        return f"at least {amount(low)}"
    return "anything" if high is None else f"at most {amount(high)}"
