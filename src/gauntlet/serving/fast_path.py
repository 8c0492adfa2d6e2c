"""ASGI fast path for prediction requests; health, metadata and metrics go to KServe's application, nothing else does.

A web framework matches routes, wraps request and response in objects, and times and logs what the metrics count
already. For a model that predicts in a third of a millisecond that is half of the latency. A server has one model under
one name, so its paths are known beforehand and one dictionary look-up routes a request.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from typing import Any

from gauntlet.serving.connections import BYTES, Budget, Share
from gauntlet.serving.direct import DirectModel
from gauntlet.serving.json_body import too_long
from gauntlet.serving.local_only import foreign
from gauntlet.serving.metrics import Metrics
from gauntlet.serving.service import Reply, Service, refusal

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[MutableMapping[str, Any], Receive, Send], Awaitable[None]]
Handler = Callable[[bytes], Reply]

SMALL_BYTES = 16 * 1024
"""Up to this size a direct model predicts in the event loop: a thread would cost more than the prediction."""
_NO_ROOM = refusal(503, "the bodies of other requests fill this server's memory; try again", retry_after=True)


class FastPath:
    """ASGI application: predictions answered at once, health, metadata and metrics by another application.

    Args:
        app: the application for health, metadata and metrics.
        service: answers the predictions.
        metrics: counts the predictions.
        most_waiting: predictions under way; further ones are refused.
        local: whether only programs of this machine are answered, and no web page: the server listens on loopback.
    """

    def __init__(
        self, app: Application, service: Service, metrics: Metrics, *, most_waiting: int = 480, local: bool = False
    ) -> None:
        self.budget = Budget(service.limits.held)
        self._app = app
        self._service = service
        self._metrics = metrics
        self._most_waiting = most_waiting
        self._local = local
        self._paths = predictions(service)
        self._others = readable(service)
        self._under_way = 0
        self._direct = isinstance(service.model.scorer, DirectModel)
        # One thread: a foreign model need not be thread-safe, and because of the GIL more threads would not help.
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="model")
        # One request in the thread at a time. With more in its queue, the thread would start the next one while it
        # holds the GIL, and a finished response would wait for the GIL: five milliseconds by default.
        self._turn = asyncio.Lock()
        # One large request waits for the thread at a time, so that a small one waits for two of them at most.
        self._large_turn = asyncio.Lock()

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
        elif self._local and (problem := foreign(scope["headers"])):
            await _send(send, refusal(403, problem))
        elif scope["method"] == "POST" and (route := self._paths.get(scope["path"])):
            await self._predict(route, scope, receive, send)
        elif reply := _elsewhere(scope, self._paths, self._others, self._service):
            await _send(send, reply)
        else:
            await self._app(scope, receive, send)

    async def _predict(
        self, route: tuple[str, Handler], scope: MutableMapping[str, Any], receive: Receive, send: Send
    ) -> None:
        protocol, answer = route
        share = Share(self.budget)
        try:
            body = await _body(scope, receive, self._service.limits.bytes, share)
            if body is None:
                return
            if body is _NO_ROOM:  # for what other callers hold: neither the model's fault nor the server's
                self._metrics.turned_away[BYTES] += 1
                await _send(send, _NO_ROOM)
                return
            started = time.perf_counter()
            reply = body if isinstance(body, Reply) else await self._answered(answer, body)
            self._metrics.record(protocol, reply, time.perf_counter() - started)
            await _send(send, reply)
        finally:
            share.release()

    async def _answered(self, answer: Handler, body: bytes) -> Reply:
        if self._under_way >= self._most_waiting:
            return refusal(503, f"{self._under_way} requests wait for the model; try again", retry_after=True)
        self._under_way += 1
        try:
            with self._metrics.in_flight.track_inprogress():
                if self._direct and len(body) <= SMALL_BYTES:
                    return answer(body)
                async with self._large_turn if len(body) > SMALL_BYTES else nullcontext(), self._turn:
                    return await asyncio.get_running_loop().run_in_executor(self._worker, answer, body)
        finally:
            self._under_way -= 1


def predictions(service: Service) -> Mapping[str, tuple[str, Handler]]:
    """Prediction path → protocol and handler."""
    v1, v2 = ("v1", service.predict_v1), ("v2", service.predict_v2)
    model = f"/v2/models/{service.name}"
    paths = {f"/v1/models/{service.name}:predict": v1, f"{model}/infer": v2}
    return paths | ({f"{model}/versions/{service.version}/infer": v2} if service.version else {})


def readable(service: Service) -> frozenset[str]:
    """Paths of health, metadata and metrics."""
    model = f"/v2/models/{service.name}"
    versions = (f"{model}/versions/{service.version}",) if service.version else ()
    models = (path for one in (model, *versions) for path in (one, f"{one}/ready"))
    server = ("/", "/metrics", "/v1/models", "/v2", "/v2/models", "/v2/health/live", "/v2/health/ready")
    return frozenset((*server, f"/v1/models/{service.name}", *models))


def _elsewhere(
    scope: Mapping[str, Any], paths: Mapping[str, Any], others: frozenset[str], service: Service
) -> Reply | None:
    """Refusal of a request that is no prediction; ``None`` where the application has an answer."""
    path, method = scope["path"], scope["method"]
    if path in others:
        return None if method in ("GET", "HEAD") else refusal(405, "use GET")
    if path in paths:
        return refusal(405, "use POST")
    if path.startswith(("/v1/models/", "/v2/models/")) and not path.endswith(":explain"):
        served = f"{service.name} {service.version}".strip()
        return refusal(404, f"no such model or version here; this server has {served}")
    return refusal(404, "there is nothing at this path: this server answers predictions only, and its model is fixed")


async def _body(scope: Mapping[str, Any], receive: Receive, most_bytes: int, share: Share) -> bytes | Reply | None:
    """Read the request's body.

    Returns:
        The body; a refusal as soon as it is known to be too long, or the server has no room for it; ``None`` if the
        client has disconnected.
    """
    declared = next((value for name, value in scope["headers"] if name == b"content-length"), b"0")
    if int(declared) > most_bytes:
        return refusal(413, str(too_long(int(declared), most_bytes)))
    chunks: list[bytes] = []
    length, more = 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        chunk, more = message.get("body", b""), message.get("more_body", False)
        length += len(chunk)
        if length > most_bytes:
            return refusal(413, str(too_long(length, most_bytes)))
        if not share.take(len(chunk)):
            return _NO_ROOM
        chunks.append(chunk)
    return chunks[0] if len(chunks) == 1 else b"".join(chunks)


async def _send(send: Send, reply: Reply) -> None:
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(reply.body))]
    if reply.retry_after:
        headers.append((b"retry-after", b"1"))
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    await send({"type": "http.response.body", "body": reply.body})
