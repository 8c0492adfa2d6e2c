"""Model server process: KServe's SDK for the lifecycle, Gauntlet's own prediction path.

KServe's REST server provides the port, health and metrics endpoints, and draining at SIGTERM. Its prediction path is
not used: its errors quote tensor values, it accepts wrong shapes, and it counts no errors. ``fast_path`` answers
predictions before it, and some of its other routes are overridden.

The port opens after the warm-up, so a server that accepts connections is ready.

    python -m gauntlet.serving.server --model_dir DIR --model_digest sha256:… [--model_name NAME] [--model_version N]
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from gauntlet.errors import GauntletError
from gauntlet.serving.contract import MOST_ROWS
from gauntlet.serving.fast_path import with_fast_path
from gauntlet.serving.loading import open_served
from gauntlet.serving.metrics import Metrics
from gauntlet.serving.score_counts import score_counts
from gauntlet.serving.service import MOST_BYTES, Limits, Reply, Service, refusal

log = logging.getLogger(__name__)


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until SIGTERM or SIGINT; returns the exit code."""
    options = _options(arguments)
    # uvicorn raises the signal again after draining: the context managers below must then exit cleanly.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: sys.exit(0))
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    logging.getLogger("mlflow").setLevel(logging.ERROR)
    try:
        with open_served(Path(options.model_dir), options.model_digest) as model:
            limits = Limits(rows=options.max_rows, bytes=options.max_bytes)
            scores = score_counts(model, options.score_edges, options.slice_columns)
            service = Service(model, options.model_name, options.model_version, limits, scores)
            log.info("%s %s (%s) has answered its input example", service.name, service.version, model.digest)
            serve(service, host=options.host, port=options.http_port, grace_seconds=options.grace_seconds)
    except GauntletError as error:
        print(error, file=sys.stderr)  # noqa: T201 - the reason why the container exits
        return error.exit_code
    return 0


def serve(service: Service, *, host: str, port: int, grace_seconds: int) -> None:
    """Listen until SIGTERM or SIGINT, then drain requests in flight and return.

    Args:
        service: the service.
        host: the address to bind; KServe's server would bind all addresses.
        port: the port.
        grace_seconds: timeout for draining.
    """
    import uvloop
    from kserve import Model, ModelRepository
    from kserve.model_server import app
    from kserve.protocol.dataplane import DataPlane
    from kserve.protocol.model_repository_extension import ModelRepositoryExtension
    from kserve.protocol.rest.server import RESTServer

    placeholder = Model(service.name)  # for KServe's health and listing endpoints; predictions never reach it
    placeholder.ready = True
    models = ModelRepository()
    models.update(placeholder)
    add_routes(app, service)
    metrics = Metrics(service.name, service.version, service.model.digest, service.scores)
    server = RESTServer(
        "kserve.model_server:app",
        DataPlane(model_registry=models),
        ModelRepositoryExtension(model_registry=models),
        port,
        grace_period=grace_seconds,
    )
    server.config.host = host
    server.config.app = with_fast_path(app, service, metrics)
    _quiet()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_run(server, metrics))


async def _run(server: Any, metrics: Metrics) -> None:
    """Run KServe's server, and record the time until its port opened."""

    async def record_ready() -> None:
        while not server._server.started:
            await asyncio.sleep(0.005)
        metrics.ready_seconds.set(process_age_seconds())

    recording = asyncio.create_task(record_ready())
    try:
        await server.start()
    finally:
        recording.cancel()


def add_routes(app: Any, service: Service) -> None:
    """Add routes before those of an app: V2 metadata, and 404 for what is not served.

    Args:
        app: a Starlette application.
        service: the service.
    """
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import Route

    def response(reply: Reply) -> Response:
        return Response(reply.body, reply.status, media_type="application/json")

    async def metadata(request: Request) -> Response:
        parameters = request.path_params
        if parameters["name"] == service.name and parameters.get("version", service.version) == service.version:
            return response(service.metadata())
        return await unknown(request)

    async def unknown(request: Request) -> Response:
        served = f"{service.name} {service.version}".strip()
        return response(refusal(404, f"no such model or version here; this server has {served}"))

    async def closed(request: Request) -> Response:
        return response(refusal(404, "this server answers predictions only; its model is fixed"))

    app.router.routes[:0] = [
        # ``fast_path`` has answered those of the served model: these requests name another one.
        Route("/v1/models/{name}:predict", unknown, methods=["POST"]),
        Route("/v2/models/{name}/infer", unknown, methods=["POST"]),
        Route("/v2/models/{name}/versions/{version}/infer", unknown, methods=["POST"]),
        Route("/v2/models/{name}", metadata, methods=["GET"]),
        Route("/v2/models/{name}/versions/{version}", metadata, methods=["GET"]),
        # KServe's own routes would let any client unload the model, and would parse bodies for explanations.
        Route("/v2/repository/{path:path}", closed, methods=["GET", "POST"]),
        Route("/v1/models/{name}:explain", closed, methods=["POST"]),
    ]


def process_age_seconds() -> float:
    """Seconds since this process was started, from /proc (Linux)."""
    # The second field, the command in parentheses, may contain spaces.
    started_ticks = int(Path("/proc/self/stat").read_text().rpartition(")")[2].split()[19])
    up = float(Path("/proc/uptime").read_text().split()[0])
    return up - started_ticks / os.sysconf("SC_CLK_TCK")


def _quiet() -> None:
    """Disable KServe's and uvicorn's log line per request: metrics count requests at less cost."""
    for name in ("uvicorn.access", "kserve.trace"):
        logger = logging.getLogger(name)
        logger.handlers, logger.propagate = [], False


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser("gauntlet.serving.server", description="Serve an MLflow model.")
    environment = os.environ.get
    parser.add_argument("--model_dir", default="/mnt/models", help="an MLflow model folder")
    parser.add_argument("--model_name", default="model", help="its name in URL paths")
    parser.add_argument(
        "--model_version", default=environment("GAUNTLET_MODEL_VERSION", ""), help="its registry version"
    )
    parser.add_argument(
        "--model_digest", default=environment("GAUNTLET_MODEL_DIGEST", ""), help="the digest it must have (required)"
    )
    parser.add_argument("--host", default="0.0.0.0", help="the address to bind; 127.0.0.1 for local clients only")  # noqa: S104
    parser.add_argument("--http_port", type=int, default=8080)
    parser.add_argument("--max_rows", type=int, default=MOST_ROWS, help="limit of rows per request")
    parser.add_argument("--max_bytes", type=int, default=MOST_BYTES, help="limit of bytes per request")
    parser.add_argument("--grace_seconds", type=int, default=30, help="timeout for draining at SIGTERM")
    parser.add_argument(
        "--score_edges", type=_numbers, default=(), help="bucket bounds of scores, e.g. 0.1,0.5; hundredths if binary"
    )
    parser.add_argument("--slice_columns", type=_names, default=(), help="inputs whose values are counted: sex,region")
    return parser.parse_args(arguments)


def _numbers(text: str) -> tuple[float, ...]:
    return tuple(float(part) for part in text.split(",") if part.strip())


def _names(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


if __name__ == "__main__":
    sys.exit(main())
