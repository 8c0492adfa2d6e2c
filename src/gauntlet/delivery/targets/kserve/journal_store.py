"""The journal in a ConfigMap, with ``resourceVersion`` as etag; approvals and aborts in its annotations.

kubectl annotate configmap gauntlet-rollout-loans gauntlet.dev/approve=50
kubectl annotate configmap gauntlet-rollout-loans gauntlet.dev/abort="customers complain"
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

from gauntlet.delivery.rollout.approvals import Approval, approved_step
from gauntlet.delivery.rollout.journal import Entry, Journal
from gauntlet.delivery.rollout.ports import Conflict
from gauntlet.delivery.rollout.state import Rollout
from gauntlet.delivery.targets.kserve.api import Api, Json
from gauntlet.delivery.targets.kserve.resources import CONFIG_MAPS, record_name, split
from gauntlet.delivery.targets.kserve.saved_state import JOURNAL_KEY
from gauntlet.digest import digest_bytes, short
from gauntlet.errors import DataError, DependencyError

APPROVE, ABORT = "gauntlet.dev/approve", "gauntlet.dev/abort"
MOST_BYTES = 900_000
"""Limit of the journal. A ConfigMap takes 1 MiB; the rest is for the saved state."""
LABELS = {"app.kubernetes.io/managed-by": "gauntlet", "app.kubernetes.io/component": "rollout"}


class ConfigMapJournalStore:
    """``ports.JournalStore`` in the namespace of each service."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def read(self, service: str) -> tuple[Journal, str] | None:
        """The journal and its etag; ``None`` if there was never a rollout on the service."""
        document = self._get(service)
        text = None if document is None else (document.get("data") or {}).get(JOURNAL_KEY)
        if document is None or text is None:
            return None
        namespace, name = split(service)
        where = f"{JOURNAL_KEY} of ConfigMap {namespace}/{record_name(name)}"
        return Journal.from_json(text, where, service), str(document["metadata"]["resourceVersion"])

    def write(self, journal: Journal, etag: str) -> str:
        """Replace the journal that had this etag (empty: there was none), and return the new etag.

        The first write of a rollout removes the approvals and aborts of the one before.

        Raises:
            Conflict: it has another etag by now.
            DataError: it does not fit, however short its analyses are made.
        """
        namespace, name = split(journal.rollout.service)
        text = fitted(journal).to_json()
        metadata: Json = {"name": record_name(name), "labels": LABELS}
        if not etag:
            etag = self._without_journal(journal.rollout.service)
        if not etag:
            body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {JOURNAL_KEY: text}}
            return str(self._api.create(CONFIG_MAPS, namespace, body)["metadata"]["resourceVersion"])
        if len(journal.entries) <= 1:
            metadata["annotations"] = {APPROVE: None, ABORT: None}
        patch = {"metadata": metadata, "data": {JOURNAL_KEY: text}}
        written = self._api.patch(CONFIG_MAPS, namespace, record_name(name), etag, patch)
        return str(written["metadata"]["resourceVersion"])

    def set_aside(self, service: str) -> str:
        """Move a journal that cannot be read into a ConfigMap of its own; returns which one.

        Raises:
            Conflict: the journal is written, or deleted, at this moment.
        """
        namespace, name = split(service)
        document = self._get(service)
        if document is None:
            raise Conflict(f"the journal of {service} is gone by now")
        text = (document.get("data") or {}).get(JOURNAL_KEY, "")
        place = f"{record_name(name)}-unreadable-{short(digest_bytes(text.encode()))}"
        metadata: Json = {"name": place, "labels": LABELS}
        with suppress(Conflict):  # an earlier attempt created it and died before the next step
            body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {JOURNAL_KEY: text}}
            self._api.create(CONFIG_MAPS, namespace, body)
        version = str(document["metadata"]["resourceVersion"])
        self._api.patch(CONFIG_MAPS, namespace, record_name(name), version, {"data": {JOURNAL_KEY: None}})
        return f"ConfigMap {namespace}/{place}"

    def approvals(self, rollout: Rollout) -> Approval:
        """Approval or abort in the annotations of the ConfigMap."""
        try:
            document = self._get(rollout.service)
        except DependencyError:
            return Approval()  # approval then waits, and nothing else is held up
        annotations = {} if document is None else document["metadata"].get("annotations") or {}
        abort = annotations[ABORT].strip() or "no reason given" if ABORT in annotations else ""
        return Approval(approved_step(annotations.get(APPROVE, "")), abort)

    def _without_journal(self, service: str) -> str:
        """The version of a ConfigMap that holds no journal yet; empty if there is no ConfigMap at all."""
        document = self._get(service)
        if document is None:
            return ""
        if JOURNAL_KEY in (document.get("data") or {}):
            raise Conflict(f"{service} has a journal by now")
        return str(document["metadata"]["resourceVersion"])

    def _get(self, service: str) -> Json | None:
        namespace, name = split(service)
        return self._api.get(CONFIG_MAPS, namespace, record_name(name))


def fitted(journal: Journal, most_bytes: int = MOST_BYTES) -> Journal:
    """Reduce as many of the journal's older analyses to their sentence as it takes to fit.

    Raises:
        DataError: without any of them it is still too long.
    """
    for share in (0.0, 0.5, 0.75, 0.9, 1.0):
        reduced = int(len(journal.entries) * share)
        entries = (*(_without_metrics(entry) for entry in journal.entries[:reduced]), *journal.entries[reduced:])
        shorter = replace(journal, entries=entries)
        if len(shorter.to_json().encode()) <= most_bytes:
            return shorter
    raise DataError(
        f"is longer than {most_bytes:,} bytes",
        field="journal",
        value=f"{len(journal.analysis_state):,} characters of analysis state, {len(journal.entries)} entries",
        mend="Watch fewer metrics, slices or boundaries",
    )


def _without_metrics(entry: Entry) -> Entry:
    return entry if entry.analysis is None else replace(entry, analysis=replace(entry.analysis, metrics=()))
