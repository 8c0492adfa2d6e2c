"""Component: TFDV statistics of a snapshot."""

from kfp.dsl import HTML, Artifact, Dataset, Input, Output

from gauntlet.orchestration.component import Caching, component


@component(image="data", caching=Caching.PURE)
def compute_statistics(
    snapshot: Input[Dataset],
    statistics: Output[Artifact],
    report: Output[HTML],
):
    """Compute TensorFlow Data Validation statistics of every column and split, in one pass and bounded memory.

    Args:
        snapshot: The data; if absent, the statistics are absent too.
        statistics: One TFDV statistics file (.pb) per split, readable by any TFDV, and a manifest.
        report: Distributions and missing values by split.
    """
    from pathlib import Path

    from gauntlet.data.snapshot import Snapshot
    from gauntlet.data.statistics import write_statistics
    from gauntlet.reports.views.absent import absent_page
    from gauntlet.reports.views.statistics import statistics_page
    from gauntlet.storage import absence, write_absent, write_text

    reason = absence(Path(snapshot.path))
    if reason:
        write_absent(Path(statistics.path), reason)
        write_text(Path(report.path), absent_page(reason, title="What is in the data"))
        return
    written = write_statistics(Snapshot.open(Path(snapshot.path)), Path(statistics.path))
    write_text(Path(report.path), statistics_page(written))
