"""Prediction service without network: request bytes to response bytes.

Every response is JSON with a status that assigns the fault: 400 and 413 to the client, 500 to the model's owner. No
body and no log line contains values of a request.
"""

from __future__ import annotations

import json
import logging
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from gauntlet.errors import DataError
from gauntlet.serving import protocol_v1, protocol_v2
from gauntlet.serving.answer import Answer
from gauntlet.serving.contract import MOST_ROWS, Rows
from gauntlet.serving.errors import InvalidRequest, TooLarge
from gauntlet.serving.json_body import parse_body
from gauntlet.serving.loading import ServedModel
from gauntlet.serving.score_counts import ScoreCounts

log = logging.getLogger(__name__)

MOST_BYTES = 4 * 1024 * 1024
"""Default limit of bytes per request."""
MOST_HELD = 64 * 1024 * 1024
"""Default limit of bytes of all requests under way."""


@dataclass(frozen=True)
class Limits:
    """Limits of requests.

    Attributes:
        rows: of one request.
        bytes: of one request.
        held: bytes of all requests under way, beyond the first 64 KiB of each.
    """

    rows: int = MOST_ROWS
    bytes: int = MOST_BYTES
    held: int = MOST_HELD


@dataclass(frozen=True)
class Reply:
    """HTTP response.

    Attributes:
        status: the HTTP status.
        body: JSON.
        rows: rows answered; 0 unless the status is 200.
        retry_after: whether the same request may succeed in a second.
    """

    status: int
    body: bytes
    rows: int = 0
    retry_after: bool = False


@dataclass(frozen=True)
class Service:
    """Model with its public name and version.

    Attributes:
        model: the model.
        name: its name in paths and responses.
        version: its registry version, or ``""``.
        limits: limits of a request.
        scores: score counts, if scores are counted.
    """

    model: ServedModel
    name: str
    version: str = ""
    limits: Limits = Limits()
    scores: ScoreCounts | None = None

    def predict_v1(self, body: bytes) -> Reply:
        """Answer ``POST /v1/models/NAME:predict``."""
        return self._reply(body, self._answer_v1)

    def predict_v2(self, body: bytes) -> Reply:
        """Answer ``POST /v2/models/NAME/infer``."""
        return self._reply(body, self._answer_v2)

    def metadata(self) -> Reply:
        """Answer ``GET /v2/models/NAME``."""
        return Reply(200, _json(protocol_v2.metadata(self.model.contract, model=self.name, version=self.version)))

    def _answer_v1(self, payload: Any) -> tuple[dict[str, Any], Rows, Answer]:
        rows = protocol_v1.parse(payload, self.model.contract, most_rows=self.limits.rows)
        answer = self.model.answer(rows)
        return protocol_v1.respond(answer), rows, answer

    def _answer_v2(self, payload: Any) -> tuple[dict[str, Any], Rows, Answer]:
        request = protocol_v2.parse(payload, self.model.contract, most_rows=self.limits.rows)
        answer = self.model.answer(request.rows)
        return protocol_v2.respond(answer, request, model=self.name, version=self.version), request.rows, answer

    def _reply(self, body: bytes, answer: Callable[[Any], tuple[dict[str, Any], Rows, Answer]]) -> Reply:
        try:
            response, rows, answered = answer(self._payload(body))
            reply = Reply(200, _json(response), rows.count)
            if self.scores:
                self.scores.add(rows, answered)
            return reply
        except TooLarge as error:
            return refusal(413, str(error))
        except InvalidRequest as error:
            return refusal(400, str(error))
        except DataError as error:
            log.error("%s", error)
            return refusal(500, "the model failed; see the server's log for the type of error")
        except Exception as error:
            # An unknown message may contain request data, so only the type and the traceback are logged.
            log.error("%s at\n%s", type(error).__name__, "".join(traceback.format_tb(error.__traceback__)))
            return refusal(500, "the server failed; see its log")

    def _payload(self, body: bytes) -> Any:
        limits, columns = self.limits, len(self.model.contract.inputs)
        return parse_body(body, most_bytes=limits.bytes, most_rows=limits.rows, columns=columns)


def refusal(status: int, message: str, *, retry_after: bool = False) -> Reply:
    """Build an error response, in the form that both protocols share.

    Args:
        status: the HTTP status.
        message: the problem, without values of a request.
        retry_after: whether the same request may succeed in a second.
    """
    return Reply(status, _json({"error": message}), retry_after=retry_after)


def _json(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()
