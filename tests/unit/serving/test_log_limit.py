from __future__ import annotations

import io
import logging
import sys

from gauntlet.serving.log_limit import LogLimit, limit_log


def test_of_one_origin_a_few_records_pass_and_the_rest_is_counted() -> None:
    now = [0.0]
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.addFilter(LogLimit(most=2, seconds=60, clock=lambda: now[0]))
    log = logging.Logger("one")
    log.addHandler(handler)
    for second in (0.0, 1.0, 2.0, 59.0, 60.0, 61.0, 200.0):
        now[0] = second
        log.warning("from %s", "a caller")
        log.error("its own origin")
    lines = stream.getvalue().splitlines()
    assert lines[::2] == ["from a caller"] * 2 + [
        "from a caller (2 more like this were left out)",
        *["from a caller"] * 2,
    ]
    assert len(lines) == 10


def test_a_trace_is_written_once_a_span_per_line_of_code() -> None:
    stream = io.StringIO()
    root = logging.getLogger()
    handler = logging.StreamHandler(stream)
    root.addHandler(handler)
    try:
        limit_log()
        for _ in range(1000):
            try:
                raise KeyError
            except KeyError:
                logging.getLogger("x").error("failed", exc_info=sys.exc_info())
    finally:
        root.removeHandler(handler)
        for other in root.handlers:
            for limit in [one for one in other.filters if isinstance(one, LogLimit)]:
                other.removeFilter(limit)
    assert stream.getvalue().count("Traceback") == 10
