"""Admin API of the host, on its second port: desired state, status, metrics.

GET  /v1/state                        desired state, weights in force, every revision
PUT  /v1/desired                      ask for another document; If-Match: the generation it was made from
POST /v1/revisions/VERSION/restart    start a server that failed again
GET  /v1/mirror                       the mirrored version: counts, and its largest disagreements
GET  /metrics                         Prometheus

Changes and disagreements need the token of the host (``tokens``), which its owner alone can read. All refuse whatever a
web page may have sent.
"""

from __future__ import annotations

import json
from hmac import compare_digest

from gauntlet.delivery.targets.local.client.host_client import INCARNATION_HEADER, TOKEN_FILE
from gauntlet.delivery.targets.local.server.http_server import Answer, Request, Respond, json_answer
from gauntlet.delivery.targets.local.server.reconciler import Reconciler
from gauntlet.delivery.targets.local.spec import Desired
from gauntlet.errors import GauntletError
from gauntlet.serving.local_only import foreign

_PAGE = ((b"content-type", b"text/plain; version=0.0.4; charset=utf-8"),)


class Admin:
    """The admin API of a host.

    Args:
        reconciler: the service it reports and changes.
        token: of who may change it.
    """

    def __init__(self, reconciler: Reconciler, token: str) -> None:
        self._reconciler = reconciler
        self._token = token

    def handle(self, request: Request, respond: Respond) -> None:
        """Answer one request."""
        respond(self._answer(request))

    def _answer(self, request: Request) -> Answer:
        if problem := foreign(request.headers, strict=True):
            return json_answer(403, {"error": problem})
        addressed = request.header(INCARNATION_HEADER.encode()).decode("latin-1")
        if addressed and addressed not in (self._reconciler.incarnation, self._reconciler.former):
            return json_answer(421, {"error": "this request is for another host, which listened here before"})
        path = request.target.partition(b"?")[0].decode("latin-1")
        match request.method, path.strip("/").split("/"):
            case b"GET", ["v1", "state"]:
                return json_answer(200, self._reconciler.state())
            case b"GET", ["metrics"]:
                return Answer(200, self._reconciler.family.page(), _PAGE)
        if not compare_digest(request.header(b"authorization"), f"Bearer {self._token}".encode()):
            needs = {"error": f"this needs the token in {TOKEN_FILE}: authorization: Bearer TOKEN"}
            return json_answer(401, needs, (b"www-authenticate", b"Bearer"))
        match request.method, path.strip("/").split("/"):
            case b"PUT", ["v1", "desired"]:
                return self._put(request)
            case b"POST", ["v1", "revisions", version, "restart"]:
                return self._restart(version)
            case b"GET", ["v1", "mirror"]:
                return self._mirror()
        return json_answer(404, {"error": f"there is no {request.method.decode('latin-1')} {path} here"})

    def _put(self, request: Request) -> Answer:
        """Replace the desired state by one that was made from it (compare and swap)."""
        now = self._reconciler.desired.generation
        try:
            expected = int(request.header(b"if-match").strip(b'" '))
        except ValueError:
            return json_answer(
                428, {"error": "If-Match must be the generation the change was made from", "generation": now}
            )
        if expected != now:
            return json_answer(412, {"error": f"generation {expected} is no longer the newest", "generation": now})
        try:
            desired = Desired.from_document(json.loads(request.body))
        except (ValueError, RecursionError, GauntletError) as error:
            return json_answer(400, {"error": str(error)})
        if desired.generation != now + 1:
            return json_answer(400, {"error": f"desired.generation: must be {now + 1}; found {desired.generation}."})
        try:
            self._reconciler.ask(desired)
        except OSError as error:
            return json_answer(507, {"error": f"the desired state could not be written: {error.strerror}"})
        return json_answer(200, self._reconciler.state())

    def _restart(self, version: str) -> Answer:
        if not self._reconciler.start_again(version):
            return json_answer(404, {"error": f"there is no version {version} here"})
        return json_answer(202, self._reconciler.state())

    def _mirror(self) -> Answer:
        mirror = self._reconciler.desired.mirror
        if mirror is None:
            return json_answer(200, {"mirror": None, "counts": {}, "worst": []})
        document = {"version": mirror.version, "share": mirror.share}
        counts = self._reconciler.family.pairs_of(mirror.version).counts()
        return json_answer(
            200, {"mirror": document, "counts": counts, "worst": self._reconciler.mirroring.worst(mirror.version)}
        )
