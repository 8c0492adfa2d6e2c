"""A thin client of the Kubernetes API: JSON in, JSON out, errors by who has to act.

Changes are merge patches that carry the ``resourceVersion`` they were made for, so that a concurrent change is a
conflict (409) and never overwritten. Such a patch is safe to retry: had the first one been applied, the second would
conflict. It is retried here only where the server says that it did nothing (429); reads are retried on any error.
"""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, cast

from gauntlet.delivery.rollout.ports import Conflict
from gauntlet.delivery.targets.kserve.resources import Resource
from gauntlet.errors import ConfigurationError, DependencyError, InternalError

if TYPE_CHECKING:
    from kubernetes.client import ApiClient

Json = dict[str, Any]

PATIENCE = (5.0, 15.0)
_ATTEMPTS = 4
_FIRST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS = 0.2, 10.0
_NOT_DONE = frozenset({429})
"""Status codes after which a change is known not to have happened."""
_TRANSIENT = frozenset({0, 429, 500, 502, 503, 504})
"""Status codes of transient errors; 0 stands for no response."""
_METHODS = {"get": "GET", "list": "GET", "create": "POST", "patch": "PATCH"}


class Refused(DependencyError):
    """The API server or an admission webhook rejects an object; a retry would not help."""


class Api:
    """Client with four verbs for any kind.

    Raises, all methods:
        Conflict: the object has changed since it was read, exists already, or is gone.
        Refused: the object itself is rejected.
        DependencyError: no response, or an unusable one.
        ConfigurationError: this account lacks the permission, or the cluster lacks the kind.

    Args:
        client: an authenticated client; its own retries must be off.
        patience: seconds to connect, and for an answer.
        sleep: waits so many seconds between attempts.
        draw: uniform in [0, 1), to spread those waits.
    """

    def __init__(
        self,
        client: ApiClient,
        *,
        patience: tuple[float, float] = PATIENCE,
        sleep: Callable[[float], None] = time.sleep,
        draw: Callable[[], float] = random.random,
    ) -> None:
        self._client, self._patience, self._sleep, self._draw = client, patience, sleep, draw

    def get(self, resource: Resource, namespace: str, name: str) -> Json | None:
        """Get an object; ``None`` where there is none of this name."""
        return self._send("get", resource, namespace, name)

    def list(self, resource: Resource, namespace: str, selector: str = "") -> list[Json]:
        """List the objects of a namespace that match a label selector."""
        listed = self._send("list", resource, namespace, "", query={"labelSelector": selector} if selector else {})
        return [] if listed is None else list(listed["items"])

    def schema(self, resource: Resource) -> Json:
        """The OpenAPI 3 schema of a kind's group and version; empty where the server has none."""
        group = f"apis/{resource.group}" if resource.group else "api"
        status, _, body = self._call("GET", f"/openapi/v3/{group}/{resource.version}", None, {})
        if status == 404:
            return {}
        if not 200 <= status < 300:
            raise _error(status, body, "get", resource, "schema")
        return body

    def create(self, resource: Resource, namespace: str, body: Json) -> Json:
        """Create an object; one that exists already is a conflict."""
        created = self._send("create", resource, namespace, body.get("metadata", {}).get("name", ""), body)
        return cast(Json, created)

    def patch(self, resource: Resource, namespace: str, name: str, version: str, body: Json) -> Json:
        """Merge a patch into an object, if it still has the version that the patch was made for (``null`` removes)."""
        if not version:
            raise InternalError("a patch without a resourceVersion would overwrite what others wrote", field=name)
        metadata = {**body.get("metadata", {}), "resourceVersion": version}
        patched = self._send("patch", resource, namespace, name, {**body, "metadata": metadata})
        return cast(Json, patched)

    def _send(
        self,
        verb: str,
        resource: Resource,
        namespace: str,
        name: str,
        body: Json | None = None,
        query: Mapping[str, str] | None = None,
    ) -> Json | None:
        path = resource.path(namespace, "" if verb in ("list", "create") else name)
        repeated = _TRANSIENT if body is None else _NOT_DONE
        for attempt in range(1, _ATTEMPTS + 1):
            status, headers, answer = self._call(_METHODS[verb], path, body, query or {})
            if status in repeated and attempt < _ATTEMPTS:
                self._sleep(self._pause(attempt, headers.get("Retry-After", "")))
                continue
            break
        if 200 <= status < 300:
            return answer
        if status == 404 and verb == "get" and _is_about_an_object(answer):
            return None
        raise _error(status, answer, verb, resource, f"{namespace}/{name}".strip("/"))

    def _pause(self, attempt: int, retry_after: str) -> float:
        """Seconds before the next attempt: at least the server's Retry-After, else exponential backoff; jittered."""
        if retry_after.isdigit():
            return min(float(retry_after), _LONGEST_PAUSE_SECONDS) + _FIRST_PAUSE_SECONDS * self._draw()
        return min(_FIRST_PAUSE_SECONDS * 2.0**attempt, _LONGEST_PAUSE_SECONDS) * (1 + self._draw()) / 2

    def _call(
        self, method: str, path: str, body: Json | None, query: Mapping[str, str]
    ) -> tuple[int, Mapping[str, str], Json]:
        """Send one request: status (0 without a response), headers, and the object or the error's body."""
        from kubernetes.client.exceptions import ApiException
        from urllib3.exceptions import HTTPError

        kind = "application/merge-patch+json" if method == "PATCH" else "application/json"
        try:
            answer, status, headers = self._client.call_api(
                path,
                method,
                query_params=dict(query),
                header_params={"Content-Type": kind, "Accept": "application/json"},
                body=body,
                response_type="object",
                auth_settings=["BearerToken"],
                # A pair: the client takes a single number for a timeout only if it is an int, and ignores others.
                _request_timeout=self._patience,
            )
            return status, headers, answer
        except ApiException as error:
            return error.status, error.headers or {}, _status(error.body) or {"message": error.body or error.reason}
        except (HTTPError, OSError) as error:
            return 0, {}, {"message": f"{type(error).__name__}: {error}"}


def connect() -> Api:
    """Connect to the cluster this process runs in, or else to the current context of ``KUBECONFIG``.

    Raises:
        ConfigurationError: neither is there, or it cannot be read.
    """
    from kubernetes import config
    from kubernetes.client import ApiClient, Configuration

    configuration = Configuration()
    try:
        try:
            config.load_incluster_config(client_configuration=configuration)
        except config.ConfigException:
            config.load_kube_config(client_configuration=configuration)
    except (config.ConfigException, OSError) as error:
        raise ConfigurationError(
            "names no cluster",
            field="KUBECONFIG",
            value=str(error),
            mend="Run in a pod with a service account, or point KUBECONFIG at a file with a current context",
        ) from error
    configuration.retries = False  # the transport's own retries would add to those of Api
    return Api(ApiClient(configuration))


def _is_about_an_object(body: Json) -> bool:
    """Whether a 404 says that there is no such object, rather than no such kind."""
    return bool((body.get("details") or {}).get("name"))


def _status(text: str | None) -> Json:
    try:
        body = json.loads(text or "")
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def _error(status: int, body: Json, verb: str, resource: Resource, name: str) -> Exception:
    """The error for a response that is no success."""
    message = str(body.get("message") or body)
    field = f"{verb} {resource} {name}".strip()
    if status == 409 or (status == 404 and _is_about_an_object(body)):
        return Conflict(f"{field}: {message}")
    if status == 404:
        return ConfigurationError("the cluster has no such kind", field=field, value=message, mend=resource.install)
    if status == 403 and "admission webhook" not in message:
        return ConfigurationError(
            "this account may not do it",
            field=field,
            value=message,
            mend=f"Bind a Role with the verb {verb!r} on {str(resource)!r} to it, as manifests/ does",
        )
    if status in (400, 403, 405, 413, 415, 422):
        return Refused("is not accepted", field=field, value=message, mend="Correct what the message names")
    if status == 401:
        return DependencyError("does not know this account", field=field, value=message, mend="Renew its credentials")
    return DependencyError(
        "gave no usable answer" if status else "did not answer",
        field=field,
        value=f"{status}: {message}" if status else message,
        mend="Retry once the API server is available",
        retryable=True,
    )
