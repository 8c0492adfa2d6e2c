"""Predictions answered at the door, in front of the application that answers everything else.

Between a request and its answer a web framework looks through its routes, wraps request and response in objects, and
times and logs what metrics count already. For a model that answers in a third of a millisecond that is half the time.
A server has one model under one name, so the paths of its predictions are known beforehand: a look-up decides, and
whatever is no prediction goes on to the application.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from gauntlet.serving.direct import DirectModel
from gauntlet.serving.metrics import Metrics
from gauntlet.serving.service import Reply, Service

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[MutableMapping[str, Any], Receive, Send], Awaitable[None]]
Answering = Callable[[bytes], Reply]

SMALL_BYTES = 16 * 1024
"""A direct request up to this size is answered where it arrives: another thread would cost more than it takes."""


def in_front(app: Application, service: Service, metrics: Metrics) -> Application:
    """An ASGI application that answers the predictions of a service itself and hands the rest on.

    Args:
        app: what answers everything else.
        service: what answers predictions.
        metrics: what counts them.
    """
    paths = predictions(service)
    most_bytes = service.limits.bytes
    direct = isinstance(service.model.scorer, DirectModel)
    # One thread: a stranger's model need not be safe in several, and the interpreter's lock lets them win nothing.
    worker = ThreadPoolExecutor(1, thread_name_prefix="model")
    # One request handed over at a time. With more in its queue, the thread would begin the next while the interpreter's
    # lock is still its own, and an answer that is ready would wait for the lock: five milliseconds, by default.
    turn = asyncio.Lock()

    async def front(scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        found = paths.get(scope["path"]) if scope["type"] == "http" and scope["method"] == "POST" else None
        if found is None:
            await app(scope, receive, send)
            return
        protocol, answer = found
        body = await _body(receive, most_bytes)
        if body is None:
            return
        began = time.perf_counter()
        with metrics.in_flight.track_inprogress():
            if direct and len(body) <= SMALL_BYTES:
                reply = answer(body)
            else:
                async with turn:
                    reply = await asyncio.get_running_loop().run_in_executor(worker, answer, body)
        metrics.record(protocol, reply, time.perf_counter() - began)
        await _send(send, reply)

    return front


def predictions(service: Service) -> Mapping[str, tuple[str, Answering]]:
    """The paths under which a service predicts → protocol, and what answers."""
    v1, v2 = ("v1", service.predict_v1), ("v2", service.predict_v2)
    model = f"/v2/models/{service.name}"
    paths = {f"/v1/models/{service.name}:predict": v1, f"{model}/infer": v2}
    return paths | ({f"{model}/versions/{service.version}/infer": v2} if service.version else {})


async def _body(receive: Receive, most_bytes: int) -> bytes | None:
    """The request's body, or as much of it as shows that it is too long: the rest is read and forgotten.

    ``None`` when the caller has gone.
    """
    kept: list[bytes] = []
    length, more = 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        part, more = message.get("body", b""), message.get("more_body", False)
        if length <= most_bytes:
            kept.append(part)
        length += len(part)
    return kept[0] if len(kept) == 1 else b"".join(kept)


async def _send(send: Send, reply: Reply) -> None:
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(reply.body))]
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    await send({"type": "http.response.body", "body": reply.body})
