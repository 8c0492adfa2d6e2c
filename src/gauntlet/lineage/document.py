"""Lineage document of a registered model: data, schema, code, parameters, seeds and verdicts, in one JSON file.

It is built from the chains in the metadata of artifacts (``gauntlet.lineage.record``), checked for completeness, and
attached to the registered version. A document with a missing record is not written.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from gauntlet.digest import digest_tree
from gauntlet.errors import BrokenArtifact
from gauntlet.lineage.record import DIGEST_KEY, LINEAGE_KEY, Record, format_chain, merge
from gauntlet.storage import write_json
from gauntlet.verdict import Verdict

FORMAT = "gauntlet.lineage/1"
LINEAGE_FILE = "lineage.json"
MODEL = "model"
VERDICTS = "verdicts"


@dataclass(frozen=True)
class Subject:
    """Artifact that the document is about.

    Attributes:
        name: its role: ``model``, ``snapshot``, ``schema``, ``statistics``, ``verdicts``.
        digest: its content digest.
        chain: the lineage chain in its metadata; empty for an artifact that no Gauntlet component produced.
    """

    name: str
    digest: str
    chain: str = ""

    @classmethod
    def of(cls, name: str, path: Path, metadata: Mapping[str, Any]) -> Subject:
        """Make a subject of an artifact, with the digest in its metadata or else that of its content.

        Args:
            name: its role.
            path: its path.
            metadata: the artifact's metadata.
        """
        recorded = metadata.get(DIGEST_KEY)
        return cls(name, str(recorded) if recorded else digest_tree(path), str(metadata.get(LINEAGE_KEY, "")))


@dataclass(frozen=True)
class GateResult:
    """Result of one gate: its name, status and summary."""

    gate: str
    status: str
    summary: str


@dataclass(frozen=True)
class Document:
    """Lineage of a registered model.

    Attributes:
        model_name: name of the registered model.
        run: the pipeline run that registered it; empty when unknown.
        artifacts: role → digest of the subjects; ``model`` is always among them.
        sources: the pinned files the snapshot was read from (``uri``, ``version``, …).
        verdicts: results of the gates.
        roots: role → digest of external artifacts, which no record explains.
        records: every upstream task of the artifacts, in topological order.
    """

    model_name: str
    run: str
    artifacts: Mapping[str, str]
    sources: Sequence[Mapping[str, Any]] = ()
    verdicts: Sequence[GateResult] = ()
    roots: Mapping[str, str] = field(default_factory=dict)
    records: Sequence[Record] = ()

    def history(self, *digests: str) -> tuple[Record, ...]:
        """Upstream records of any of the ``digests``, in the document's order."""
        artifacts, visited = set(digests), set[str]()
        while new := [r for r in self.records if r.digest not in visited and artifacts & set(r.outputs.values())]:
            visited.update(record.digest for record in new)
            artifacts.update(digest for record in new for digest in record.inputs.values())
        return tuple(record for record in self.records if record.digest in visited)

    def chain(self, digest: str) -> str:
        """Lineage chain of one artifact, in the form of its metadata; empty for a root."""
        records = self.history(digest)
        return format_chain(records) if records else ""

    @property
    def training(self) -> Record | None:
        """Record of the training task; ``None`` for an external model.

        A model fetched from the registry is the output of two records, the fetch and the training: the training is the
        one with inputs.
        """
        model = self.artifacts[MODEL]
        producers = [record for record in self.records if model in record.outputs.values()]
        return next((record for record in producers if record.inputs), producers[0] if producers else None)

    @property
    def seeds(self) -> Mapping[str, Any]:
        """Seeds among the parameters of the training task: ``{"seed": 0, "n_seeds": 3}``."""
        parameters = self.training.parameters if self.training else {}
        return {name: value for name, value in parameters.items() if "seed" in name}

    @property
    def environments(self) -> Mapping[str, str]:
        """Image name → digest of its lock file or image; images of unknown environment are left out."""
        return {record.image: record.environment for record in self.records if record.environment}

    def write(self, path: Path) -> None:
        """Write the document as JSON, atomically."""
        write_json(path, {"format": FORMAT, **asdict(self)})

    @classmethod
    def read(cls, path: Path) -> Document:
        """Read a document and check it.

        Raises:
            DataError: not a lineage document, or an incomplete one.
        """
        try:
            content = json.loads(path.read_text())
            if content.pop("format") != FORMAT:
                raise ValueError("another format")
            content["sources"] = tuple(content["sources"])
            content["verdicts"] = tuple(GateResult(**verdict) for verdict in content["verdicts"])
            content["records"] = tuple(Record(**record) for record in content["records"])
            document = cls(**content)
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise BrokenArtifact(
                "is not a lineage document", field=path.name, value=str(error), mend="Register the model again"
            ) from error
        check(document)
        return document


def build(
    subjects: Sequence[Subject],
    *,
    model_name: str,
    verdicts: Sequence[Verdict] = (),
    sources: Sequence[Mapping[str, Any]] = (),
    run: str = "",
) -> Document:
    """Merge the chains of ``subjects`` into one checked document.

    Args:
        subjects: the model and everything registered with it. A subject without a chain becomes a named root.
        model_name: the registered model.
        verdicts: verdicts of the gates.
        sources: pinned source files of the snapshot.
        run: the pipeline run.

    Raises:
        DataError: the lineage is incomplete, see ``check``.
    """
    document = Document(
        model_name=model_name,
        run=run,
        artifacts={subject.name: subject.digest for subject in subjects},
        sources=tuple(dict(source) for source in sources),
        verdicts=tuple(GateResult(verdict.gate, verdict.status.value, verdict.summary) for verdict in verdicts),
        roots={subject.name: subject.digest for subject in subjects if not subject.chain},
        records=merge(subject.chain for subject in subjects),
    )
    check(document)
    return document


def check(document: Document) -> None:
    """Check that every record and artifact is reachable from the named roots.

    A record is reachable once all its inputs are; its outputs then are as well. Records that only reach each other (a
    task that passes its input on unchanged) do not count.

    Raises:
        DataError: the first artifact or input that is not reachable.
    """
    reachable, pending = set(document.roots.values()), list(document.records)
    while explained := [record for record in pending if reachable.issuperset(record.inputs.values())]:
        reachable.update(digest for record in explained for digest in record.outputs.values())
        pending = [record for record in pending if record not in explained]
    for record in pending:
        for name, digest in record.inputs.items():
            if digest not in reachable:
                raise _missing_record(f"lineage of {record.component}, input {name}", digest)
    for name, digest in document.artifacts.items():
        if digest not in reachable:
            raise _missing_record(f"lineage of {name}", digest)
    if MODEL not in document.artifacts:
        raise BrokenArtifact("has no model", field="lineage", mend="Register the model again")


def explain(document: Document) -> str:
    """Summarize the document in a few lines of text."""
    return "\n".join(_sentences(document))


def _sentences(document: Document) -> Iterable[str]:
    artifacts = document.artifacts
    yield f"{document.model_name}: model {artifacts[MODEL]}" + (f", run {document.run}." if document.run else ".")
    training = document.training
    if training is None:
        yield "The model is external: there is no record of its training."
    else:
        environment = training.environment or "unknown"
        code = training.code or "unknown"
        yield f"Trained by {training.component} in image {training.image} (environment {environment}, code {code})."
        yield f"Parameters: {json.dumps(dict(training.parameters), sort_keys=True)}."
        for name, digest in training.inputs.items():
            yield f"It read {name} {digest}."
    for name, digest in artifacts.items():
        if name not in {MODEL, VERDICTS}:
            yield f"Registered with {name} {digest}."
    for source in document.sources:
        yield f"Data: {source.get('uri', '?')} at version {source.get('version', '?')}."
    for verdict in document.verdicts:
        yield f"{verdict.gate}: {verdict.status}. {verdict.summary}"
    for name, digest in document.roots.items():
        yield f"External, without a record of its origin: {name} {digest}."


def _missing_record(field_name: str, digest: str) -> BrokenArtifact:
    return BrokenArtifact(
        "is the output of no recorded task and not a named root",
        field=field_name,
        value=digest,
        mend="Connect the output artifacts of Gauntlet's components unchanged",
    )
