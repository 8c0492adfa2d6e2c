"""A storage server in a process of its own."""

import socket
import subprocess
import time
import urllib.request
from pathlib import Path

import pytest

SERVER = Path(__file__).parents[2] / ".tools/bin/fake-gcs-server"
START_SECONDS = 30


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    if not SERVER.exists():
        pytest.skip("the storage emulator is not built: run `make tools`")
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    log = (tmp_path_factory.mktemp("emulator") / "log").open("wb")
    command = [SERVER, "-scheme", "http", "-host", "127.0.0.1", "-port", str(port), "-backend", "memory"]
    process = subprocess.Popen([*command, "-external-url", address], stdout=log, stderr=subprocess.STDOUT)
    try:
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                urllib.request.urlopen(f"{address}/_internal/healthcheck", timeout=1).close()
                break
            except OSError:
                assert process.poll() is None, "the emulator ended at once"
                assert time.monotonic() < deadline, "the emulator does not answer"
                time.sleep(0.05)
        yield address
    finally:
        process.terminate()
        process.wait(timeout=10)
        log.close()
