"""Ten thousand requests that nobody should send, in process: an answer each, soon, and never the server's fault.

``make test`` sends a fifth of them.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

from builders.fuzz import V1, fuzzed
from builders.served_models import COLUMNS
from gauntlet.errors import DataError
from gauntlet.serving.contract import Rows, contract_of
from gauntlet.serving.dataframe import frame_of_rows
from gauntlet.serving.loading import ServedModel
from gauntlet.serving.service import Limits, Service
from tiers import count

CONTRACT = contract_of(
    {
        "signature": {
            "inputs": json.dumps(
                [{"name": n, "type": t.rstrip("?"), "required": not t.endswith("?")} for n, t in COLUMNS.items()]
            ),
            "outputs": '[{"name": "y", "type": "double"}]',
        }
    }
)
REQUESTS = count(10_000, quick=2_000)


class Framed:
    """A model on a frame, with a fault of its own where ``amount`` is 7."""

    def predict(self, rows: Rows) -> Any:
        frame = frame_of_rows(rows, {column.name: column.kind.name for column in CONTRACT.inputs})
        if (frame["amount"] == 7).any():
            raise DataError("the model failed to score", field="model", value="KeyError")
        return np.full(len(frame), 0.5)


def resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


def test_whatever_is_sent_the_fault_is_its_senders() -> None:
    service = Service(ServedModel("sha256:d", CONTRACT, {}, Framed()), "loans", "7", Limits(100, 1_000_000))
    statuses: Counter[int] = Counter()
    before = 0
    for index, one in enumerate(fuzzed(17, REQUESTS)):
        began = time.monotonic()
        reply = (service.predict_v1 if one.path == V1 else service.predict_v2)(one.body)
        statuses[reply.status] += 1
        assert time.monotonic() - began < 3, one.body[:500]
        assert (reply.status == 500) == one.planted, (one.body[:500], reply.body)
        assert reply.status in (200, 400, 413, 500)
        json.loads(reply.body)
        assert b"Traceback" not in reply.body
        assert b"hidden" not in reply.body
        if reply.status == 400:
            assert len(reply.body) < 1000
        before = resident() if index == REQUESTS // 5 else before
    assert resident() - before < 30e6
    assert statuses[500] == REQUESTS // 50
    assert min(statuses[200], statuses[400]) > REQUESTS // 10
