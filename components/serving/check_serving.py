"""Component: the serving gate, infrastructure tests of a model server in staging."""

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
    """Test a running model server: API conformance, parity with offline scores, latency under load, memory, cold start.

    It puts the server under load, and accepts only addresses on this machine unless policy.allow_remote is true.

    Args:
        url: URL of the server, http://HOST:PORT; a staging address, never a production one.
        model: The model it serves; its files are read, it is not loaded.
        snapshot: The data that was scored.
        predictions: Output of batch_predict for this model and snapshot.
        model_name: The model's name in URL paths.
        policy: {"latency": {"rate": 100, "seconds": 60, "p99_ms": 250}, "saturation": {"min_rate": 200},
            "footprint": {"peak_mb": 2048, "cold_start_seconds": 60}, "parity": {"tolerance": 1e-6},
            "protocols": ["v1", "v2"], "allow_remote": false}; a block that is false is not tested.
        verdict: Each requirement with its measurement, interval and a sentence.
        report: Latencies, saturation rate, memory, and served scores against offline ones.
    """
    from pathlib import Path

    from gauntlet.reports.page import render
    from gauntlet.reports.views.serving import serving_view
    from gauntlet.serving.acceptance.gate import examine
    from gauntlet.serving.acceptance.policy import ServingPolicy
    from gauntlet.settings import parse
    from gauntlet.storage import write_text

    limits = parse(ServingPolicy, policy, field="policy")
    paths = (Path(artifact.path) for artifact in (model, snapshot, predictions))
    result = examine(url, *paths, limits, name=model_name)
    page = render("serving.html.j2", title="Serving tests", view=serving_view(result), verdict=result.verdict)
    write_text(Path(report.path), page)
    result.verdict.write(Path(verdict.path))
