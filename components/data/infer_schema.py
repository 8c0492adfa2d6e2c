"""Component: curated or inferred schema."""

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
    """Use a curated schema, or infer one with explicit presence and ranges that holds for every split of the data.

    Args:
        statistics: Statistics of the training snapshot.
        curated: A pinned schema.pbtxt as returned by resolve_source; empty: infer.
        policy: Tolerances of an inferred schema: {"range_margin", "missing_factor", "missing_slack",
            "max_categories", "min_rows_per_category", "unseen_floor", "confidence"}.
        schema: schema.pbtxt, readable by any TFDV, and columns.json, the same as plain JSON.
        report: Constraints of the schema for every column.
    """
    from pathlib import Path

    from gauntlet.data.schema import choose_schema, write_schema
    from gauntlet.data.schema_inference import InferencePolicy
    from gauntlet.data.source import parse_pinned
    from gauntlet.data.statistics import Statistics
    from gauntlet.reports.views.schema import schema_page
    from gauntlet.settings import parse
    from gauntlet.storage import write_text

    computed = Statistics.open(Path(statistics.path))
    chosen = choose_schema(computed, parse_pinned(curated), parse(InferencePolicy, policy, field="policy"))
    write_schema(chosen, Path(schema.path))
    write_text(Path(report.path), schema_page(chosen))
