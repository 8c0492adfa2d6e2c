"""Model server process: KServe's SDK for the lifecycle, Gauntlet's own prediction path.

KServe's REST server provides the port, health and metrics endpoints, and draining at SIGTERM. Its prediction path is
not used: its errors quote tensor values, it accepts wrong shapes, and it counts no errors. ``fast_path`` answers
predictions before it, and lets nothing but health, metadata and metrics through. ``http_protocol`` limits what callers
may hold of the server.

The port opens after the warm-up, so a server that accepts connections is ready.

    python -m gauntlet.serving.server --model_dir DIR --model_digest sha256:… [--model_name NAME] [--model_version N]
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import logging
import os
import signal
import sys
import warnings
from collections.abc import Callable, Coroutine, Iterable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from gauntlet.errors import GauntletError
from gauntlet.serving.connections import SPARE_CONNECTIONS, Doorkeeper, Patience, allow_files
from gauntlet.serving.contract import MOST_ROWS
from gauntlet.serving.fast_path import FastPath
from gauntlet.serving.loading import open_served
from gauntlet.serving.local_only import is_loopback
from gauntlet.serving.log_limit import limit_log
from gauntlet.serving.memory import keep_trimmed
from gauntlet.serving.metrics import Metrics
from gauntlet.serving.score_counts import score_counts
from gauntlet.serving.service import MOST_BYTES, MOST_HELD, Limits, Service

log = logging.getLogger(__name__)

BACKLOG = 1024
"""Connections that wait to be accepted."""
SWITCH_SECONDS = 0.001
"""A thread that scores a large request gives way to others after this time, five times as often as by default."""
YOUNG_OBJECTS = 50_000
"""Objects after which garbage is collected: the rows of a large request hold no cycles, and are not looked through."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until SIGTERM or SIGINT; returns the exit code."""
    options = _options(arguments)
    # uvicorn raises the signal again after draining: the context managers below must then exit cleanly.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: sys.exit(0))
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    logging.getLogger("mlflow").setLevel(logging.ERROR)
    logging.captureWarnings(True)
    limit_log()
    try:
        with open_served(Path(options.model_dir), options.model_digest) as model:
            limits = Limits(rows=options.max_rows, bytes=options.max_bytes, held=options.max_held_bytes)
            patience = Patience(
                options.max_connections, options.head_seconds, options.body_seconds, options.idle_seconds
            )
            scores = score_counts(model, options.score_edges, options.slice_columns)
            service = Service(model, options.model_name, options.model_version, limits, scores)
            log.info("%s %s (%s) has answered its input example", service.name, service.version, model.digest)
            serve(
                service,
                host=options.host,
                port=options.http_port,
                grace_seconds=options.grace_seconds,
                drain_seconds=options.drain_seconds,
                patience=patience,
            )
    except GauntletError as error:
        print(error, file=sys.stderr)  # noqa: T201 - the reason why the container exits
        return error.exit_code
    return 0


def serve(
    service: Service, *, host: str, port: int, grace_seconds: int, drain_seconds: float, patience: Patience
) -> None:
    """Listen until SIGTERM or SIGINT, then drain requests in flight and return.

    Args:
        service: the service.
        host: the address to bind; KServe's server would bind all addresses.
        port: the port.
        grace_seconds: timeout for draining.
        drain_seconds: time after the signal in which connections are still accepted.
        patience: limits of connections.
    """
    import uvloop
    from kserve import Model, ModelRepository
    from kserve.model_server import app
    from kserve.protocol.dataplane import DataPlane
    from kserve.protocol.model_repository_extension import ModelRepositoryExtension
    from kserve.protocol.rest.server import RESTServer

    from gauntlet.serving.http_protocol import DrainingServer, GuardedProtocol

    placeholder = Model(service.name)  # for KServe's health and listing endpoints; predictions never reach it
    placeholder.ready = True
    models = ModelRepository()
    models.update(placeholder)
    add_routes(app, service)
    patience = replace(patience, connections=allow_files(patience.connections))
    doorkeeper = Doorkeeper(patience)
    away = doorkeeper.turned_away
    metrics = Metrics(service.name, service.version, service.model.digest, service.scores, turned_away=away)
    front = FastPath(
        app,
        service,
        metrics,
        most_waiting=max(1, patience.connections - SPARE_CONNECTIONS),
        local=is_loopback(host),
    )
    server = RESTServer(
        "kserve.model_server:app",
        DataPlane(model_registry=models),
        ModelRepositoryExtension(model_registry=models),
        port,
        grace_period=grace_seconds,
    )
    config = server.config
    config.host, config.app, config.backlog = host, front, BACKLOG
    config.ws = "none"  # a WebSocket would leave the limits of HTTP connections
    draining = DrainingServer(config, listen_seconds=drain_seconds)
    config.http = partial(
        GuardedProtocol, doorkeeper=doorkeeper, patience=patience, draining=lambda: draining.should_exit
    )
    server._server = draining
    _quiet()
    sys.setswitchinterval(SWITCH_SECONDS)
    gc.set_threshold(YOUNG_OBJECTS, *gc.get_threshold()[1:])
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_run(server, metrics, (doorkeeper.keep(), keep_trimmed(front.budget))))


async def _run(server: Any, metrics: Metrics, keeping: Iterable[Coroutine[Any, Any, None]]) -> None:
    """Run KServe's server and what keeps its limits, and record the time until its port opened."""

    async def record_ready() -> None:
        while not server._server.started:
            await asyncio.sleep(0.005)
        metrics.ready_seconds.set(process_age_seconds())

    background = [asyncio.create_task(work) for work in (record_ready(), *keeping)]
    try:
        await server.start()
    finally:
        for task in background:
            task.cancel()


def add_routes(app: Any, service: Service) -> None:
    """Add the V2 metadata of the model before the routes of an app.

    Args:
        app: a Starlette application, which gets requests of ``fast_path.readable`` only.
        service: the service.
    """
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import Route

    async def metadata(request: Request) -> Response:
        reply = service.metadata()
        return Response(reply.body, reply.status, media_type="application/json")

    app.router.routes[:0] = [
        Route("/v2/models/{name}", metadata, methods=["GET"]),
        Route("/v2/models/{name}/versions/{version}", metadata, methods=["GET"]),
    ]


def process_age_seconds() -> float:
    """Seconds since this process was started, from /proc (Linux)."""
    # The second field, the command in parentheses, may contain spaces.
    started_ticks = int(Path("/proc/self/stat").read_text().rpartition(")")[2].split()[19])
    up = float(Path("/proc/uptime").read_text().split()[0])
    return up - started_ticks / os.sysconf("SC_CLK_TCK")


def _quiet() -> None:
    """Disable what KServe, uvicorn and FastAPI write for every request: metrics count requests at less cost."""
    warnings.filterwarnings("ignore", message="ORJSONResponse is deprecated")
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
    whole, seconds, usual = _at_least(int, 1), _at_least(float, 0), Patience()
    for option, kind, default, meaning in (
        ("max_rows", whole, MOST_ROWS, "limit of rows per request"),
        ("max_bytes", whole, MOST_BYTES, "limit of bytes per request"),
        ("max_held_bytes", whole, MOST_HELD, "limit of bytes of all requests under way, beyond 64 KiB of each"),
        ("max_connections", _at_least(int, 2), usual.connections, "limit of open connections"),
        ("head_seconds", seconds, usual.head_seconds, "timeout of a request's head"),
        ("body_seconds", seconds, usual.body_seconds, "timeout of a request's body"),
        ("idle_seconds", seconds, usual.idle_seconds, "timeout of a connection without a request"),
        ("drain_seconds", seconds, 1.0, "time after SIGTERM in which connections are still accepted"),
        ("grace_seconds", whole, 30, "timeout for draining at SIGTERM"),
    ):
        parser.add_argument(f"--{option}", type=kind, default=default, help=f"{meaning}; {default} by default")
    parser.add_argument(
        "--score_edges", type=_numbers, default=(), help="bucket bounds of scores, e.g. 0.1,0.5; hundredths if binary"
    )
    parser.add_argument("--slice_columns", type=_names, default=(), help="inputs whose values are counted: sex,region")
    return parser.parse_args(arguments)


def _at_least(kind: type[int] | type[float], least: int) -> Callable[[str], float]:
    def read(text: str) -> float:
        number = kind(text)
        if not least <= number < float("inf"):
            raise argparse.ArgumentTypeError(f"must be at least {least}; found {text}")
        return number

    read.__name__ = "number" if kind is float else "whole number"
    return read


def _numbers(text: str) -> tuple[float, ...]:
    return tuple(float(part) for part in text.split(",") if part.strip())


def _names(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


if __name__ == "__main__":
    sys.exit(main())
