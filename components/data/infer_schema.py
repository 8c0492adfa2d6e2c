"""Component: the schema, curated or inferred."""

from kfp.dsl import HTML, Artifact, Input, Output

from gauntlet.orchestration.component import Caching, component


@component(image="data", caching=Caching.PURE)
def infer_schema(
    statistics: Input[Artifact],
    schema: Output[Artifact],
    report: Output[HTML],
    curated: list = [],
    policy: dict = {},
):
    """Take the schema a team keeps, or infer one from the training split with presence and ranges made explicit.

    Args:
        statistics: Statistics of the training snapshot.
        curated: A pinned schema.pbtxt as resolve_source returns it; empty: infer.
        policy: How much wider than the data an inferred schema is: {"range_margin", "missing_factor", "missing_slack",
            "max_categories", "min_rows_per_category", "unseen_floor"}.
        schema: schema.pbtxt, readable by any TFDV, and columns.json, the same in plain terms.
        report: What the schema asks of every column.
    """
    from pathlib import Path

    from gauntlet.data.schema import choose_schema, write_schema
    from gauntlet.data.schema_inference import InferencePolicy
    from gauntlet.data.source import parse_pinned
    from gauntlet.data.statistics import Statistics
    from gauntlet.reports.views.schema import schema_page
    from gauntlet.settings import parse
    from gauntlet.storage import write_text

    described = Statistics.open(Path(statistics.path))
    chosen = choose_schema(described, parse_pinned(curated), parse(InferencePolicy, policy, field="policy"))
    write_schema(chosen, Path(schema.path))
    write_text(Path(report.path), schema_page(chosen))
