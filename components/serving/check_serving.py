"""Infrastructure tests of a model server in staging."""

from kfp.dsl import HTML, Artifact, Dataset, Input, Model, Output

from gauntlet.orchestration.component import Caching, component


@component(image="serving", caching=Caching.RESOLVING)
def check_serving(
    url: str,
    model: Input[Model],
    snapshot: Input[Dataset],
    predictions: Input[Dataset],
    verdict: Output[Artifact],
    report: Output[HTML],
    model_name: str = "model",
    policy: dict = {},
):
    """Test a running model server: its API, its answers against offline ones, latency under load, memory, cold start.

    It puts the server under load. Only addresses on this machine are taken unless policy.allow_remote is true.

    Args:
        url: Where the server is, http://HOST:PORT. A staging address, never a production one.
        model: The model it serves; it is read and not loaded.
        snapshot: The data that was scored.
        predictions: What batch_predict made of it with this model.
        model_name: The model's name in the server's paths.
        policy: {"latency": {"rate": 100, "seconds": 60, "p99_ms": 250}, "saturation": {"min_rate": 200},
            "footprint": {"peak_mb": 2048, "cold_start_seconds": 60}, "parity": {"tolerance": 1e-6},
            "protocols": ["v1", "v2"], "allow_remote": false}; a block that is false is not tested.
        verdict: Each demand with what was measured, its interval and one sentence.
        report: Latencies, the rate at which they end, memory, and served scores beside offline ones.
    """
    from pathlib import Path

    from gauntlet.reports.page import render
    from gauntlet.reports.views.serving import serving_view
    from gauntlet.serving.acceptance.gate import examine
    from gauntlet.serving.acceptance.policy import ServingPolicy
    from gauntlet.settings import parse
    from gauntlet.storage import write_text

    asked = parse(ServingPolicy, policy, field="policy")
    paths = (Path(artifact.path) for artifact in (model, snapshot, predictions))
    found = examine(url, *paths, asked, name=model_name)
    page = render("serving.html.j2", title="Serving tests", view=serving_view(found), verdict=found.verdict)
    write_text(Path(report.path), page)
    found.verdict.write(Path(verdict.path))
