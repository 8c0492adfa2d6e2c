"""The model server: KServe's SDK for the life of the process, our own road from request to answer.

KServe's REST server brings the port, health and metrics endpoints, and draining at SIGTERM. Its road for predictions is
not used: it answers bad tensors with their values, accepts shapes that do not fit, and counts no errors. ``front``
answers them before it, and routes of ours stand before others of its own.

The port opens when the model has answered its input example, so whoever can connect finds it ready.

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
from gauntlet.serving.front import in_front
from gauntlet.serving.loading import open_served
from gauntlet.serving.metrics import Metrics
from gauntlet.serving.scored import score_counts
from gauntlet.serving.service import MOST_BYTES, Limits, Reply, Service, refusal

log = logging.getLogger(__name__)


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until told to stop; the process's exit code."""
    options = _options(arguments)
    # uvicorn raises the signal once more when it has drained: the blocks below must then be left, not cut off.
    for one in (signal.SIGTERM, signal.SIGINT):
        signal.signal(one, lambda *_: sys.exit(0))
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
        print(error, file=sys.stderr)  # noqa: T201 - the reason a container ends
        return error.exit_code
    return 0


def serve(service: Service, *, host: str, port: int, grace_seconds: int) -> None:
    """Listen until SIGTERM or SIGINT, then answer what is in flight and return.

    Args:
        service: what to serve.
        host: the address to bind; KServe's server binds all whatever it is told.
        port: the port.
        grace_seconds: how long requests in flight may take to end.
    """
    import uvloop
    from kserve import Model, ModelRepository
    from kserve.model_server import app
    from kserve.protocol.dataplane import DataPlane
    from kserve.protocol.model_repository_extension import ModelRepositoryExtension
    from kserve.protocol.rest.server import RESTServer

    placeholder = Model(service.name)  # KServe's health and listing endpoints ask it; predictions never reach it
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
    server.config.app = in_front(app, service, metrics)
    _quiet()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_run(server, metrics))


async def _run(server: Any, metrics: Metrics) -> None:
    """Run KServe's server, and note when its port opened."""

    async def note() -> None:
        while not server._server.started:
            await asyncio.sleep(0.005)
        metrics.ready_seconds.set(process_age_seconds())

    noting = asyncio.create_task(note())
    try:
        await server.start()
    finally:
        noting.cancel()


def add_routes(app: Any, service: Service) -> None:
    """Put the second protocol's metadata, and refusals for what is not served, before whatever routes an app has.

    Args:
        app: a Starlette application.
        service: what answers.
    """
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import Route

    def sent(reply: Reply) -> Response:
        return Response(reply.body, reply.status, media_type="application/json")

    async def metadata(request: Request) -> Response:
        named = request.path_params
        if named["name"] == service.name and named.get("version", service.version) == service.version:
            return sent(service.metadata())
        return await unknown(request)

    async def unknown(request: Request) -> Response:
        here = f"{service.name} {service.version}".strip()
        return sent(refusal(404, f"no such model or version here; this server has {here}"))

    async def closed(request: Request) -> Response:
        return sent(refusal(404, "this server answers predictions alone; its model is fixed while it runs"))

    app.router.routes[:0] = [
        # ``front`` has answered those of the model served: what comes here asks for another.
        Route("/v1/models/{name}:predict", unknown, methods=["POST"]),
        Route("/v2/models/{name}/infer", unknown, methods=["POST"]),
        Route("/v2/models/{name}/versions/{version}/infer", unknown, methods=["POST"]),
        Route("/v2/models/{name}", metadata, methods=["GET"]),
        Route("/v2/models/{name}/versions/{version}", metadata, methods=["GET"]),
        # KServe's own would let whoever reaches the port unload the model, and parse bodies for explanations.
        Route("/v2/repository/{path:path}", closed, methods=["GET", "POST"]),
        Route("/v1/models/{name}:explain", closed, methods=["POST"]),
    ]


def process_age_seconds() -> float:
    """Seconds since this process was started, by the kernel's account (Linux)."""
    # The second field, the command in parentheses, may hold spaces.
    started_ticks = int(Path("/proc/self/stat").read_text().rpartition(")")[2].split()[19])
    up = float(Path("/proc/uptime").read_text().split()[0])
    return up - started_ticks / os.sysconf("SC_CLK_TCK")


def _quiet() -> None:
    """Leave out the lines that KServe and uvicorn write for every request: metrics count them, and cost less."""
    for name in ("uvicorn.access", "kserve.trace"):
        logger = logging.getLogger(name)
        logger.handlers, logger.propagate = [], False


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser("gauntlet.serving.server", description="Serve an MLflow model.")
    environment = os.environ.get
    parser.add_argument("--model_dir", default="/mnt/models", help="an MLflow model folder")
    parser.add_argument("--model_name", default="model", help="its name in paths")
    parser.add_argument(
        "--model_version", default=environment("GAUNTLET_MODEL_VERSION", ""), help="its registry version"
    )
    parser.add_argument(
        "--model_digest", default=environment("GAUNTLET_MODEL_DIGEST", ""), help="the digest it must have (required)"
    )
    parser.add_argument("--host", default="0.0.0.0", help="the address to bind; 127.0.0.1 to be reached from here only")  # noqa: S104
    parser.add_argument("--http_port", type=int, default=8080)
    parser.add_argument("--max_rows", type=int, default=MOST_ROWS, help="rows one request may hold")
    parser.add_argument("--max_bytes", type=int, default=MOST_BYTES, help="bytes one request may hold")
    parser.add_argument("--grace_seconds", type=int, default=30, help="for requests in flight at SIGTERM")
    parser.add_argument(
        "--score_edges", type=_numbers, default=(), help="where scores are counted, e.g. 0.1,0.5; hundredths if binary"
    )
    parser.add_argument("--slice_columns", type=_names, default=(), help="inputs whose groups are counted: sex,region")
    return parser.parse_args(arguments)


def _numbers(text: str) -> tuple[float, ...]:
    return tuple(float(part) for part in text.split(",") if part.strip())


def _names(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


if __name__ == "__main__":
    sys.exit(main())
