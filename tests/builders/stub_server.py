"""A model server that is none: it starts at once, and answers what the file at its URI says.

    python stub_server.py URI VERSION PORT

The file holds JSON: ``score`` (answered for every row), ``exit`` (ends so instead of listening, saying ``says``),
``status`` (answers so), ``seconds`` (takes so long). It is read anew for every request. ``/metrics`` counts scores.
"""

from __future__ import annotations

import asyncio
import json
import signal
import sys
import time
from pathlib import Path

SCORES: list[float] = []
STARTED = time.time()


def metrics(version: str) -> bytes:
    counts = {bound: sum(score <= float(bound) for score in SCORES) for bound in ("0.5", "1.0", "+Inf")}
    lines = [f'gauntlet_scores_bucket{{model_version="{version}",le="{le}"}} {n}' for le, n in counts.items()]
    requests = f'gauntlet_requests_total{{model_version="{version}",code="200"}} {len(SCORES)}'
    started = f'gauntlet_start_time_seconds{{model_version="{version}"}} {STARTED!r}'
    return "\n".join([requests, started, *lines, ""]).encode()


async def answer(uri: Path, version: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while True:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            method, path = head.split()[:2]
            lengths = [line.split(":")[1] for line in head.lower().split("\r\n") if line.startswith("content-length:")]
            body = await reader.readexactly(int(lengths[0]) if lengths else 0)
            told = json.loads(uri.read_text())
            if path == "/metrics":
                status, content = 200, metrics(version)
            elif method == "GET":
                status, content = (200 if path.endswith(f"/versions/{version}") else 404), b"{}"
            else:
                await asyncio.sleep(told.get("seconds", 0))
                answers = [told["score"]] * len(json.loads(body)["instances"])
                SCORES.extend(score for score in answers if isinstance(score, float))
                status, content = told.get("status", 200), json.dumps({"predictions": answers}).encode()
            writer.write(b"HTTP/1.1 %d x\r\ncontent-length: %d\r\n\r\n%b" % (status, len(content), content))
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.transport.abort()


async def main(uri: Path, version: str, port: int) -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    server = await asyncio.start_server(lambda r, w: answer(uri, version, r, w), "127.0.0.1", port)
    await stop.wait()
    server.close()


if __name__ == "__main__":
    told = json.loads(Path(sys.argv[1]).read_text())
    if "exit" in told:
        sys.stderr.write(told.get("says", "will not") + "\n")
        sys.exit(told["exit"])
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])))
