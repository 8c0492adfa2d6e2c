"""Component: the integrity gate."""

from kfp.dsl import HTML, Artifact, Dataset, Input, Output

from gauntlet.orchestration.component import Caching, component


@component(image="data", caching=Caching.PURE)
def check_integrity(
    snapshot: Input[Dataset],
    verdict: Output[Artifact],
    report: Output[HTML],
    tables: list = [],
    policy: dict = {},
):
    """Check data integrity: keys, references, joins, times, labels, and label leakage.

    Works on tables larger than memory. Without a policy it checks roles.key, conflicting labels and label leakage.

    Args:
        snapshot: The data to check.
        tables: Pinned reference tables, as returned by resolve_source: {"uri", "version", "size", "table"}.
        policy: What to check: {"keys", "references", "categories", "joins", "order", "period", "sequence",
            "splits_in_time", "across_splits", "conflicts", "leakage", "label_rate", "confidence", "readers", ...}.
        verdict: One check for each rule, column and time span.
        report: Violations with examples; association of each column with the label; label rate by time span.
    """
    from pathlib import Path

    from gauntlet.data.integrity.gate import check_integrity
    from gauntlet.data.integrity.policy import IntegrityPolicy
    from gauntlet.data.snapshot import Snapshot
    from gauntlet.data.source import parse_pinned
    from gauntlet.reports.views.integrity import integrity_page
    from gauntlet.settings import parse
    from gauntlet.storage import write_text

    result = check_integrity(
        Snapshot.open(Path(snapshot.path)), parse_pinned(tables), parse(IntegrityPolicy, policy, field="policy")
    )
    result.verdict.write(Path(verdict.path))
    write_text(Path(report.path), integrity_page(result))
