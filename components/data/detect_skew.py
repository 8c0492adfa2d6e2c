"""Component: the skew gate."""

from typing import Optional

from kfp.dsl import HTML, Artifact, Input, Output

from gauntlet.orchestration.component import Caching, component


@component(image="data", caching=Caching.PURE)
def detect_skew(
    statistics: Input[Artifact],
    previous: Input[Artifact],
    schema: Input[Artifact],
    verdict: Output[Artifact],
    report: Output[HTML],
    serving: Optional[Input[Artifact]] = None,  # noqa: UP045 - KFP reads Optional, not "| None"
    policy: dict = {},
):
    """Detect skew between training and serving, and drift since the previous snapshot, with confidence intervals.

    Args:
        statistics: Statistics of the training snapshot.
        previous: Statistics the current champion was trained on; may be absent.
        schema: The schema; thresholds in its comparators override the policy's defaults.
        serving: Statistics of a sample of serving requests; may be absent.
        policy: Limits: {"number_max_distance", "category_max_distance", "missing_max_change", "unseen_max_share",
            "confidence", "exclude", "columns": {column: {...}}}.
        verdict: Checks of distance, missing values and unseen categories for each column.
        report: Distribution of every column before and after.
    """
    from pathlib import Path

    from gauntlet.data.schema import read_schema
    from gauntlet.data.skew import detect_skew
    from gauntlet.data.skew_policy import SkewPolicy
    from gauntlet.data.statistics import Statistics, open_if_there
    from gauntlet.reports.views.skew import skew_page
    from gauntlet.settings import parse
    from gauntlet.storage import write_text

    result = detect_skew(
        Statistics.open(Path(statistics.path)),
        open_if_there(Path(serving.path)) if serving else None,
        open_if_there(Path(previous.path)),
        read_schema(Path(schema.path)),
        parse(SkewPolicy, policy, field="policy"),
    )
    result.verdict.write(Path(verdict.path))
    write_text(Path(report.path), skew_page(result))
