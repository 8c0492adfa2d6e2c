"""Admin API of the host, on its second port: desired state, status, metrics.

GET  /v1/state                        what is asked, weights in force, every revision
PUT  /v1/desired                      ask for another document; If-Match: the generation it was made from
POST /v1/revisions/VERSION/restart    start a server that failed again
GET  /v1/mirror                       the mirrored version: counts, and its largest disagreements
GET  /metrics                         Prometheus
"""

from __future__ import annotations

import json

from gauntlet.delivery.targets.local.client.host_client import INCARNATION_HEADER
from gauntlet.delivery.targets.local.server.http_server import Answer, Request, Respond, said
from gauntlet.delivery.targets.local.server.reconciler import Reconciler
from gauntlet.delivery.targets.local.spec import Desired
from gauntlet.errors import GauntletError

_PAGE = ((b"content-type", b"text/plain; version=0.0.4; charset=utf-8"),)


class Admin:
    """Answers whoever runs the service.

    Args:
        running: what it answers for.
    """

    def __init__(self, running: Reconciler) -> None:
        self._running = running

    def handle(self, request: Request, respond: Respond) -> None:
        """Answer one request."""
        respond(self._answer(request))

    def _answer(self, request: Request) -> Answer:
        meant = request.header(INCARNATION_HEADER.encode()).decode("latin-1")
        if meant and meant != self._running.incarnation:
            return said(421, {"error": "another host is meant, which listened here before"})
        path = request.target.partition(b"?")[0].decode("latin-1")
        match request.method, path.strip("/").split("/"):
            case b"GET", ["v1", "state"]:
                return said(200, self._running.state())
            case b"PUT", ["v1", "desired"]:
                return self._put(request)
            case b"POST", ["v1", "revisions", version, "restart"]:
                return self._restart(version)
            case b"GET", ["v1", "mirror"]:
                return self._mirror()
            case b"GET", ["metrics"]:
                return Answer(200, self._running.family.page(), _PAGE)
        return said(404, {"error": f"there is no {request.method.decode('latin-1')} {path} here"})

    def _put(self, request: Request) -> Answer:
        """Exchange the document for one that was made from it."""
        now = self._running.desired.generation
        try:
            expected = int(request.header(b"if-match").strip(b'" '))
        except ValueError:
            return said(428, {"error": "If-Match must be the generation the change was made from", "generation": now})
        if expected != now:
            return said(412, {"error": f"generation {expected} is no longer the newest", "generation": now})
        try:
            desired = Desired.from_document(json.loads(request.body))
        except (ValueError, GauntletError) as error:
            return said(400, {"error": str(error)})
        if desired.generation != now + 1:
            return said(400, {"error": f"desired.generation: must be {now + 1}; found {desired.generation}."})
        try:
            self._running.ask(desired)
        except OSError as error:
            return said(507, {"error": f"what is asked could not be written: {error.strerror}"})
        return said(200, self._running.state())

    def _restart(self, version: str) -> Answer:
        if not self._running.start_again(version):
            return said(404, {"error": f"there is no version {version} here"})
        return said(202, self._running.state())

    def _mirror(self) -> Answer:
        mirror = self._running.desired.mirror
        if mirror is None:
            return said(200, {"mirror": None, "counts": {}, "worst": []})
        asked = {"version": mirror.version, "share": mirror.share}
        counts = self._running.family.pairs_of(mirror.version).counts()
        return said(200, {"mirror": asked, "counts": counts, "worst": self._running.mirroring.worst(mirror.version)})
