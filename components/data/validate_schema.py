"""Component: the schema gate."""

from typing import Optional

from kfp.dsl import HTML, Artifact, Input, Output

from gauntlet.orchestration.component import Caching, component


@component(image="data", caching=Caching.PURE)
def validate_schema(
    statistics: Input[Artifact],
    schema: Input[Artifact],
    verdict: Output[Artifact],
    proposal: Output[Artifact],
    report: Output[HTML],
    serving: Optional[Input[Artifact]] = None,  # noqa: UP045 - KFP reads Optional, not "| None"
    policy: dict = {},
):
    """Validate every split and the serving sample against the schema; propose a new schema if they differ.

    Args:
        statistics: Statistics of the training snapshot.
        schema: The schema.
        serving: Statistics of a sample of serving requests; may be absent.
        policy: Tolerances: {"unseen_categories_max_share", "confidence", "severity": {problem: fail | inconclusive |
            ignore}, "columns": {column: {...}}}.
        verdict: One check for each data set and column, and one for each anomaly.
        proposal: A proposed schema and its diff; absent if the curated schema needs no change.
        report: Anomalies, and the constraints of the schema.
    """
    from pathlib import Path

    from gauntlet.data.proposal import propose, write_proposal
    from gauntlet.data.schema import read_schema
    from gauntlet.data.statistics import Statistics, open_if_there
    from gauntlet.data.validation import SchemaPolicy, subjects_of, validate_schema
    from gauntlet.reports.views.schema import validation_page
    from gauntlet.settings import parse
    from gauntlet.storage import write_absent, write_text

    described = Statistics.open(Path(statistics.path))
    sample = open_if_there(Path(serving.path)) if serving else None
    allowed = read_schema(Path(schema.path))
    found = validate_schema(described, sample, allowed, parse(SchemaPolicy, policy, field="policy"))
    proposed = propose(allowed, subjects_of(described, sample), found)
    found.write(Path(verdict.path))
    if proposed is None:
        write_absent(Path(proposal.path), "the data conform to the curated schema")
    else:
        write_proposal(proposed, Path(proposal.path))
    write_text(Path(report.path), validation_page(found, allowed, proposed))
