"""HTTP client of a Prometheus server: instant queries."""

from __future__ import annotations

import http.client
import json
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

from gauntlet.delivery.counters.prometheus.exposition import Sample
from gauntlet.errors import ConfigurationError, DataError, DependencyError

MOST_BYTES = 64 * 1024 * 1024
"""Limit of one answer: a rollout's counters are far smaller."""


@dataclass(frozen=True)
class Prometheus:
    """Client of one Prometheus server.

    Attributes:
        address: ``http://prometheus.monitoring:9090``, with a path before ``/api`` if it has one.
        timeout_seconds: for connecting, and for every part of the answer.
        token_file: a bearer token, read for every request since such files are renewed; empty for none.
        ca_file: certificates that sign the server's; empty for the system's.

    Raises:
        ConfigurationError: the address is none.
    """

    address: str
    timeout_seconds: float = 10.0
    token_file: str = ""
    ca_file: str = ""

    def __post_init__(self) -> None:
        parts = urlsplit(self.address)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.username:
            raise ConfigurationError(
                "is not the address of a Prometheus",
                field="prometheus",
                value=self.address,
                mend="Give one such as http://prometheus.monitoring:9090",
            )

    def now(self) -> float:
        """Read the server's clock, seconds since the epoch.

        Raises:
            DependencyError, DataError: as ``instant``.
        """
        kind, result = self._query("time()", None)
        if kind != "scalar":
            raise self._no_answer(kind)
        return _number(result[1])

    def instant(self, query: str, at: float | None = None) -> tuple[Sample, ...]:
        """Run an instant query.

        Args:
            query: PromQL.
            at: seconds since the epoch by the server's clock; its now by default.

        Returns:
            One sample a series, with the metric's name if it still has one; a scalar is a sample without labels.

        Raises:
            DependencyError: it does not answer in time, refuses (401, 403), or fails (5xx); or another server answers.
            ConfigurationError: the query has a syntax error.
            DataError: its answer is partial (a warning), or no instant vector.
        """
        kind, result = self._query(query, at)
        if kind == "scalar":
            return (Sample("", {}, _number(result[1])),)
        if kind != "vector":
            raise DataError(
                f"gives a {kind}", field="query", value=query, mend="Ask for the values at one instant, without a range"
            )
        return tuple(_sample(series) for series in result)

    def _query(self, query: str, at: float | None) -> tuple[str, Any]:
        form = {"query": query, "timeout": f"{self.timeout_seconds:g}"} | ({} if at is None else {"time": f"{at:.3f}"})
        status, body = self._post("/api/v1/query", urlencode(form).encode())
        try:
            document = json.loads(body)
            failed = document["status"] != "success"
            problem = f"{document.get('errorType', '')}: {document.get('error', '')}"
            answer = None if failed else (str(document["data"]["resultType"]), document["data"]["result"])
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise self._no_answer(f"status {status}") from error
        if status == 400:
            raise ConfigurationError(
                f"is not understood ({problem})", field="query", value=query, mend="Mend the query"
            )
        if status == 422:
            raise DataError(f"cannot be answered ({problem})", field="query", value=query, mend="Narrow the query")
        if status != 200 or answer is None:
            raise self._no_answer(f"status {status}, {problem}")
        if warnings := document.get("warnings"):
            raise DataError(
                "is answered in part", field="query", value=warnings, mend="Wait until Prometheus has all its data"
            )
        return answer

    def _post(self, path: str, form: bytes) -> tuple[int, bytes]:
        parts = urlsplit(self.address)
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
        connection: http.client.HTTPConnection | None = None
        try:
            if self.token_file:
                headers["Authorization"] = f"Bearer {Path(self.token_file).read_text().strip()}"
            connection = self._connection()
            connection.request("POST", parts.path.rstrip("/") + path, form, headers)
            answer = connection.getresponse()
            body = answer.read(MOST_BYTES + 1)
        except (OSError, http.client.HTTPException) as error:
            raise self._no_answer(f"{type(error).__name__}: {error}") from error
        finally:
            if connection:
                connection.close()
        if answer.status in (401, 403):
            raise DependencyError(
                f"refuses to answer (status {answer.status})",
                field="prometheus",
                value=self.address,
                mend="Give a token_file that may read it",
            )
        if len(body) > MOST_BYTES:
            raise DataError("is answered with too much", field="query", value=len(body), mend="Narrow the selector")
        return answer.status, body

    def _connection(self) -> http.client.HTTPConnection:
        parts = urlsplit(self.address)
        assert parts.hostname
        if parts.scheme == "http":
            return http.client.HTTPConnection(parts.hostname, parts.port, timeout=self.timeout_seconds)
        trusted = ssl.create_default_context(cafile=self.ca_file or None)
        return http.client.HTTPSConnection(parts.hostname, parts.port, timeout=self.timeout_seconds, context=trusted)

    def _no_answer(self, problem: str) -> DependencyError:
        return DependencyError(
            "gives no answer of a Prometheus",
            field=self.address,
            value=problem,
            mend="Check that it runs there, and is not overloaded",
            retryable=True,
        )


def _sample(series: Mapping[str, Any]) -> Sample:
    try:
        labels = {str(name): str(value) for name, value in series["metric"].items()}
        return Sample(labels.pop("__name__", ""), labels, _number(series["value"][1]))
    except (KeyError, TypeError, AttributeError, IndexError) as error:
        message = "is something other than an instant vector"
        raise DataError(message, field="answer", value=series, mend="Query a counter") from error


def _number(text: Any) -> float:
    try:
        return float(text)  # reads +Inf, -Inf and NaN as Prometheus writes them
    except (TypeError, ValueError) as error:
        raise DataError("is no number", field="answer", value=text, mend="Give the address of a Prometheus") from error
