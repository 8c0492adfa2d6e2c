"""Somebody who keeps asking a local service, and writes down who answered: ``python caller.py FOLDER LOG``.

A line an answer: when it was sent, when it came, its status (0: no answer), the version that gave it. After every tenth
a line that begins with ``weights``: the weights in force, and the largest weight that the journal had by then.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

PATH, BODY = "/v1/models/model:predict", b'{"instances": [1]}'


def port(folder: Path, which: str) -> int:
    return int(urlsplit(json.loads((folder / "host.json").read_text())[which]).port)


def asked(connection: http.client.HTTPConnection) -> tuple[int, str]:
    connection.request("POST", PATH, BODY)
    answer = connection.getresponse()
    answer.read()
    return answer.status, answer.getheader("x-gauntlet-version")


def weights(folder: Path) -> dict[str, int]:
    connection = http.client.HTTPConnection("127.0.0.1", port(folder, "admin"), timeout=30)
    try:
        connection.request("GET", "/v1/state")
        return json.loads(connection.getresponse().read())["weights"]
    finally:
        connection.close()


def written(folder: Path) -> str:
    """The candidate of the rollout under way, and the largest weight it was ever meant to have."""
    journal = json.loads((folder / "rollouts" / f"{folder.name}.json").read_text())
    candidate = json.loads(journal["rollout"])["candidate"]["version"]
    return json.dumps({candidate: max(entry["weight"] for entry in journal["entries"])})


def main(folder: Path, log: Path) -> None:
    connection = None
    with log.open("a", buffering=1) as lines:
        for number in range(10**9):
            sent = time.time()
            try:
                connection = connection or http.client.HTTPConnection("127.0.0.1", port(folder, "url"), timeout=30)
                status, version = asked(connection)
            except (OSError, ValueError, http.client.HTTPException):
                status, version, connection = 0, "none", None
            lines.write(f"{sent:.6f} {time.time():.6f} {status} {version}\n")
            if number % 10 == 0:
                with contextlib.suppress(OSError, ValueError, http.client.HTTPException):
                    # In this order: what is in force now was written before.
                    in_force = json.dumps(weights(folder))
                    lines.write(f"weights\t{in_force}\t{written(folder)}\n")
            time.sleep(0.002)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
